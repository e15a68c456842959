/** Puts the configuration together: defaults, then files, then variables, then flags; the last one wins. */
import { dirname } from 'node:path'
import { evaluate } from './evaluate.ts'
import type { Flags } from './flags.ts'
import { describeIneffective } from './ineffective.ts'
import type { Option } from './option.ts'
import type { Config } from './options.ts'
import { recognise, type Setting } from './settings.ts'
import {
  type Files,
  mayBeLookedInto,
  namedPaths,
  readConfigFile,
  readEnvironment,
  standardFolders,
  standardPaths,
} from './sources.ts'
import { adoptMessageStore, strandedStore } from './upstream-store.ts'

export interface LoadParams {
  readonly flags: Flags
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeDir: string
  readonly files: Files
}

export interface Loaded {
  readonly config: Config
  /** What was set but has no effect, and why: a line for each group and reason. */
  readonly noEffect: readonly string[]
  /** What is not as it was set, each a sentence that names where that was. */
  readonly warnings: readonly string[]
  /** The files that were read, and the variables and flags that were set. */
  readonly sources: readonly string[]
  /** What was set of the options that have a row. */
  readonly values: ReadonlyMap<Option, Setting>
  /** Where files that the configuration names by relative paths are looked for, in this order. */
  readonly folders: readonly string[]
}

/** The service cannot start with what was configured. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** Each a sentence that names file and line, variable or flag. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** @throws ConfigError with all problems at once */
export function loadConfig({ flags, env, homeDir, files }: LoadParams): Loaded {
  const isNamed = flags.files.length > 0 || flags.folders.length > 0
  const { paths, problems } = isNamed ? namedPaths(flags, files) : standardPaths(homeDir, files)
  const fileValues = paths.map((path) => readConfigFile(path, files))
  const otherValues = [...readEnvironment(env), ...flags.given]

  const settings = recognise([...fileValues.flatMap(({ given }) => given), ...otherValues])
  const values = adoptMessageStore(settings.values)
  const { config, warnings, problems: refused } = evaluate(values)
  const all = [
    ...problems,
    ...fileValues.flatMap((file) => file.problems),
    ...settings.problems,
    ...strandedStore(values, settings.unlisted),
    ...refused,
  ]
  if (all.length > 0) throw new ConfigError(all)
  const usual = standardFolders(homeDir)
  // Whoever names the files need not be let into the usual places.
  const folders = isNamed ? usual.filter((folder) => mayBeLookedInto(folder, files)) : usual
  return {
    config,
    noEffect: describeIneffective(values, settings.unlisted),
    warnings,
    sources: [...paths, ...new Set(otherValues.map(({ origin }) => origin))],
    values,
    folders: [...new Set([...paths.map((path) => dirname(path)), ...folders])],
  }
}
