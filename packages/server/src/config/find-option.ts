/** Finds rows of the table of options by the names that files, variables and flags use. */
import assert from 'node:assert/strict'
import type { Flag, Option, OptionGroup, UsedOption } from './option.ts'
import { groups } from './options.ts'

/** The table without its literal types. */
export const optionGroups: readonly OptionGroup[] = groups

/** Section names count without case, except that `DEFAULT` is written so. */
export function findGroup(section: string): OptionGroup | null {
  const name = section === 'DEFAULT' ? section : section.toLowerCase()
  return optionGroups.find((group) => namesOf(group).some((pattern) => covers(pattern, name))) ?? null
}

/** The group of `OS_<GROUP>__<OPTION>`: what is neither letter nor digit in its name may be written `_`. */
export function findGroupOfVariable(part: string): OptionGroup | null {
  const name = asVariable(part)
  return optionGroups.find((group) => namesOf(group).some((pattern) => covers(asVariable(pattern), name))) ?? null
}

/** By its name or an older one. */
export function findOption(group: OptionGroup, name: string): Option | null {
  return group.options.find((option) => option.name === name || option.aliases?.includes(name)) ?? null
}

/** A row that the code itself relies on. */
export function rowOf(section: string, name: string): { readonly group: OptionGroup; readonly option: Option } {
  const group = findGroup(section)
  const option = group === null ? null : findOption(group, name)
  assert(group !== null && option !== null, `[${section}] ${name} is missing from the table`)
  return { group, option }
}

export interface FlagRow {
  readonly flag: Flag
  readonly group: OptionGroup
  readonly option: UsedOption
}

export const flagRows: readonly FlagRow[] = optionGroups.flatMap((group) =>
  group.options.flatMap((option) => ('flag' in option && option.flag ? [{ flag: option.flag, group, option }] : [])),
)

/** How an option is called in the environment. */
export function variableOf(group: OptionGroup, option: Option): string {
  return `OS_${asVariable(group.name)}__${option.name.toUpperCase()}`
}

function namesOf(group: OptionGroup): readonly string[] {
  return [group.name, ...(group.aliases ?? [])]
}

function covers(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function asVariable(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9*]/g, '_')
}
