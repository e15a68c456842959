/** What becomes of a running service when its configuration is read again. */
import { optionGroups } from './find-option.ts'
import { isUsed } from './option.ts'
import type { Config } from './options.ts'
import { isSame } from './same-value.ts'

export interface Reload {
  /** What holds from now on: the latest values of options that reload, the current ones of all others. */
  readonly config: Config
  /** Options whose latest values hold now, as `[group] name`. */
  readonly changed: readonly string[]
  /** Options whose latest values wait for a restart. */
  readonly waiting: readonly string[]
}

type Sections = Record<string, Record<string, unknown>>

export function reloadConfig(current: Config, latest: Config): Reload {
  const sections: Sections = {}
  const changed: string[] = []
  const waiting: string[] = []
  for (const group of optionGroups) {
    for (const { name, key, reloads } of group.options.filter(isUsed)) {
      const [section = '', field = ''] = key.split('.')
      const [before, after] = [current, latest].map((config) => (config as Sections)[section]?.[field])
      sections[section] = { ...sections[section], [field]: reloads ? after : before }
      if (!isSame(before, after)) (reloads ? changed : waiting).push(`[${group.name}] ${name}`)
    }
  }
  for (const section of Object.values(sections)) Object.freeze(section)
  return { config: Object.freeze(sections) as Config, changed, waiting }
}
