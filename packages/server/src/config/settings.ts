/** What was set: the values that were given, matched with the table of options. */
import { findGroup, findOption, optionGroups } from './find-option.ts'
import { nearest } from './nearest.ts'
import { mayRepeat, type Option, type OptionGroup } from './option.ts'
import type { Given } from './sources.ts'

/** The value of one option. */
export interface Setting extends Given {
  readonly row: OptionGroup
}

/** A value that changes nothing. */
export interface Ineffective extends Setting {
  readonly reason: string
}

export interface Settings {
  /** The last value given for each option that has a row. */
  readonly values: Map<Option, Setting>
  /** Values in groups that accept options without a row. */
  readonly unlisted: readonly Ineffective[]
  readonly problems: readonly string[]
}

/** `given` in rising order of precedence. */
export function recognise(given: readonly Given[]): Settings {
  const values = new Map<Option, Setting>()
  const unlisted: Ineffective[] = []
  const problems = new Map<string, string>()
  for (const value of given) {
    const row = findGroup(value.group)
    const option = row === null ? null : findOption(row, value.name)
    if (row === null) {
      // Once for the group, not for each of its values.
      if (!problems.has(value.group)) problems.set(value.group, unknownGroup(value))
    } else if (option !== null) values.set(option, settingOf({ ...value, row }, option, values.get(option)))
    else if (row.others !== undefined) unlisted.push({ ...value, row, reason: row.others })
    else problems.set(value.origin, unknownOption(value, row))
  }
  return { values, unlisted, problems: [...problems.values()] }
}

/** Of an option that may be repeated, what was given before stays. */
function settingOf(setting: Setting, option: Option, earlier: Setting | undefined): Setting {
  if (earlier === undefined || !mayRepeat(option)) return setting
  const { text, origin } = setting
  return { ...setting, text: `${earlier.text}\n${text}`, origin: `${earlier.origin}, ${origin}` }
}

function unknownGroup({ origin, group }: Given): string {
  const names = optionGroups.map(({ name }) => name)
  const suggestion = nearest(group, names)
  return `${origin}: there is no group [${group}]${suggestion === null ? '' : `; did you mean [${suggestion}]?`}`
}

function unknownOption({ origin, group, name }: Given, row: OptionGroup): string {
  return `${origin}: [${group}] has no option ${name}${hint(name, row)}`
}

function hint(name: string, row: OptionGroup): string {
  const elsewhere = optionGroups.find((other) => findOption(other, name) !== null)
  if (elsewhere !== undefined) return `; it belongs to [${elsewhere.name}]`
  const names = row.options.map((option) => option.name)
  const suggestion = nearest(name, names)
  return suggestion === null ? '' : `; did you mean ${suggestion}?`
}
