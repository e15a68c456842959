/** The configuration as it is in force, option by option, fit to be shown. */
import { evaluate } from './evaluate.ts'
import { optionGroups } from './find-option.ts'
import type { Loaded } from './load.ts'
import { isUsed, type Option, type OptionGroup, type UsedOption } from './option.ts'
import type { Config } from './options.ts'
import { resolve } from './resolve.ts'
import { isSame } from './same-value.ts'
import { Secret } from './secret.ts'
import type { Setting } from './settings.ts'

export interface EffectiveOption {
  readonly group: string
  readonly option: string
  /** As a file would say it, without secrets; null: there is none. */
  readonly value: string | number | boolean | null
  /** `FILE:LINE`, the name of a variable, a flag, or `default`. */
  readonly origin: string
  readonly isDefault: boolean
}

type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** In the order of the table. Options without effect are not among them. */
export function effectiveOptions({ config, values }: Pick<Loaded, 'config' | 'values'>): EffectiveOption[] {
  const { config: defaults } = evaluate(new Map())
  const secrets = secretsIn(config)
  return optionGroups.flatMap((group) =>
    group.options.filter(isUsed).map((option) => {
      const value = valueIn(config, option)
      return {
        group: group.name,
        option: option.name,
        value: shown(value, group, option, values, secrets),
        origin: values.get(option)?.origin ?? 'default',
        isDefault: isSame(value, valueIn(defaults, option)),
      }
    }),
  )
}

function valueIn(config: Config, { key }: UsedOption): unknown {
  const [section = '', field = ''] = key.split('.')
  return (config as Sections)[section]?.[field]
}

function shown(
  value: unknown,
  group: OptionGroup,
  option: UsedOption,
  values: ReadonlyMap<Option, Setting>,
  secrets: readonly string[],
): EffectiveOption['value'] {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
  const text = resolve(group, option, values) ?? ''
  if (secretsIn(value).length > 0) return option.kind.show?.(text) ?? '***'
  const isComposed = values.get(option)?.text.includes('$') === true
  // What refers to other options may have taken a secret from there.
  const open = isComposed ? secrets.reduce((rest, one) => rest.replaceAll(one, '***'), text) : text
  return open.replaceAll(/:\/\/[^/@\s]+@/g, '://***@')
}

/** The secrets in a value of an option, or in all of them; of what is empty, none. */
function secretsIn(value: unknown): string[] {
  if (value instanceof Secret) return value.reveal() === '' ? [] : [value.reveal()]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : []
}
