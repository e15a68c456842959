/** The text of an option, with the references in it replaced by what they refer to. */
import { findGroup, findOption } from './find-option.ts'
import { isUsed, type Option, type OptionGroup } from './option.ts'
import type { Setting } from './settings.ts'
import { substitute } from './substitute.ts'

/** A reference that leads nowhere. The message ends the sentence about the value. */
export class BrokenReference extends Error {
  override readonly name = 'BrokenReference'
}

/** Null when the option is not set and has no default. Throws BrokenReference. */
export function resolve(
  group: OptionGroup,
  option: Option,
  values: ReadonlyMap<Option, Setting>,
  trail: readonly Option[] = [],
): string | null {
  if (trail.includes(option)) throw new BrokenReference('it refers to itself')
  const setting = values.get(option)
  const text = setting?.text ?? (isUsed(option) ? option.default : null)
  if (text === null) return null
  return substitute(text, (reference) => {
    const target = findReferenced(reference, setting?.row ?? group)
    if (target === null) throw new BrokenReference(`there is no option $${reference}, and a dollar sign is written $$`)
    return resolve(target.group, target.option, values, [...trail, option]) ?? ''
  })
}

/** `group.option`, or an option of the same group, or of `[DEFAULT]`. */
function findReferenced(reference: string, own: OptionGroup): { group: OptionGroup; option: Option } | null {
  const [, section, name] = /^([^.]+)\.(.+)$/.exec(reference) ?? []
  const groups = section === undefined ? [own, findGroup('DEFAULT')] : [findGroup(section)]
  for (const group of groups) {
    const option = group === null ? null : findOption(group, name ?? reference)
    if (group !== null && option !== null) return { group, option }
  }
  return null
}
