/**
 * The shape of the table of options. Everything about options follows from the rows: the type of the configuration,
 * what files, variables and flags may say, help and documentation.
 */
import type { Kind } from './kinds.ts'

/** An option that the server reads. */
export interface UsedOption {
  readonly name: string
  /** Where its value stands in the configuration: `section.field`. */
  readonly key: `${string}.${string}`
  readonly kind: Kind<unknown>
  /** As a file would say it; null for none, and then the value is null. */
  readonly default: string | null
  /** One sentence. */
  readonly meaning: string
  /** Older names, understood as well. */
  readonly aliases?: readonly string[]
  readonly flag?: Flag
  /** May be given several times: all values count, each a line. */
  readonly repeats?: true
  /** Takes effect when the configuration is read again; any other, when the service is started again. */
  readonly reloads?: true
}

/** An option of upstream that changes nothing here, whatever its value. */
export interface UnusedOption {
  readonly name: string
  /** Why it has no effect. */
  readonly noEffect: string
  readonly aliases?: readonly string[]
}

/** A command line flag. */
export interface Flag {
  readonly name: string
  /** What help calls its value; null for a flag that stands alone and means true. */
  readonly value: string | null
}

export type Option = UsedOption | UnusedOption

export interface OptionGroup {
  /** The `[name]` of the section. A final `*` stands for any rest. */
  readonly name: string
  readonly aliases?: readonly string[]
  readonly options: readonly Option[]
  /** Set where options without a row are accepted as well: why none of them has an effect. */
  readonly others?: string
}

export function isUsed(option: Option): option is UsedOption {
  return 'key' in option
}

export function mayRepeat(option: Option): boolean {
  return isUsed(option) && option.repeats === true
}

/** The reason of an option that a later version may put into use. */
export const notYet = 'not part of this version'

/** Rows for options that have one reason in common. */
export function withoutEffect(noEffect: string, names: readonly string[]): UnusedOption[] {
  return names.map((name) => ({ name, noEffect }))
}
