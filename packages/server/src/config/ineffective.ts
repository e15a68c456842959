/** Names what was set without effect, so that nobody relies on it. */
import { optionGroups } from './find-option.ts'
import { isUsed, type Option } from './option.ts'
import type { Ineffective, Setting } from './settings.ts'

/** A line for each group and reason, in the order of the table. */
export function describeIneffective(
  settings: ReadonlyMap<Option, Setting>,
  unlisted: readonly Ineffective[],
): string[] {
  const ineffective = optionGroups.flatMap((row) => [
    ...row.options.flatMap((option) => {
      const setting = settings.get(option)
      return setting === undefined || isUsed(option) ? [] : [{ ...setting, reason: option.noEffect }]
    }),
    ...unlisted.filter((value) => value.row === row),
  ])
  const byGroup = Map.groupBy(ineffective, ({ group }) => group)
  return [...byGroup].flatMap(([group, ofGroup]) =>
    [...Map.groupBy(ofGroup, ({ reason }) => reason)].map(([reason, values]) => {
      const names = new Set(values.map(({ name }) => name))
      return `[${group}] ${[...names].join(', ')}: ${reason}`
    }),
  )
}
