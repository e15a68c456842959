import { join, resolve } from 'node:path'
import type { DefaultSet } from './default-rules.ts'
import { type PolicyFile, parsePolicyFile } from './policy-file.ts'
import { createRuleSet, type RuleSet } from './rule-set.ts'

/** What policy is made of. */
export interface PolicySettings {
  readonly file: string
  readonly folders: readonly string[]
  readonly fallback: string
  readonly defaults: DefaultSet
  /** Folders in which relative paths are looked for, in this order. */
  readonly places: readonly string[]
}

/** The disk, as far as policy needs it. */
export interface PolicyFiles {
  /** Null when there is no such file. */
  readFile(path: string): string | null
  /** Null when there is no such folder. */
  listFolder(path: string): readonly string[] | null
  /** Changes whenever the content of a file does; null when there is no such file. */
  stamp(path: string): string | null
}

/** These may be missing even when they are named: files made from upstream's sample name them. */
const USUAL_FILES = ['policy.yaml', 'policy.json']

export interface ReadPolicy extends RuleSet {
  readonly paths: readonly string[]
  /** Those of the paths that hold any rules. */
  readonly sources: readonly string[]
}

/**
 * Reads all files and puts the rules together.
 * @param needed files that must hold rules: without those in force the defaults would admit nearly everybody
 */
export function readPolicy(settings: PolicySettings, files: PolicyFiles, needed: readonly string[] = []): ReadPolicy {
  const { paths, problems } = findFiles(settings, files)
  const read = paths.map((path) => readPolicyFile(path, files))
  const sources = paths.filter((_, index) => (read[index]?.rules.length ?? 0) > 0)
  const found = [...problems, ...read.flatMap((file) => file.problems)]
  const {
    rules,
    problems: inRules,
    warnings,
  } = createRuleSet({
    defaults: settings.defaults,
    fileRules: read.flatMap((file) => file.rules),
    fallback: settings.fallback,
  })
  // A file with a problem of its own is not called empty as well.
  const losses = found.length > 0 ? [] : needed.filter((path) => !sources.includes(path)).map(sayLost(paths))
  return { rules, paths, sources, warnings, problems: [...found, ...losses, ...inRules] }
}

function sayLost(paths: readonly string[]): (path: string) => string {
  return (path) =>
    `${path}: it ${paths.includes(path) ? 'holds no rules any more' : 'is not there any more, or hidden'}`
}

/** A text that is another one as soon as `readPolicy` would read something else. */
export function stampOf(settings: PolicySettings, files: PolicyFiles): string {
  const { paths } = findFiles(settings, files)
  return JSON.stringify(paths.map((path) => [path, files.stamp(path)]))
}

function readPolicyFile(path: string, files: PolicyFiles): PolicyFile {
  try {
    const content = files.readFile(path)
    return content === null ? { rules: [], problems: [] } : parsePolicyFile(path, content)
  } catch (error) {
    return { rules: [], problems: [`${path}: cannot be read: ${(error as Error).message}`] }
  }
}

/** The policy file, then the files of the folders by name. */
function findFiles({ file, folders, places }: PolicySettings, files: PolicyFiles) {
  const find = <T>(path: string, look: (path: string) => T | null): { path: string; found: T } | null => {
    for (const place of places.length === 0 ? ['.'] : places) {
      const found = look(resolve(place, path))
      if (found !== null) return { path: resolve(place, path), found }
    }
    return null
  }
  const stamp = (path: string) => files.stamp(path)
  // The older form stands in where the usual file is not there.
  const main = find(file, stamp) ?? (file === 'policy.yaml' ? find('policy.json', stamp) : null)
  const problems = main !== null || USUAL_FILES.includes(file) ? [] : [`[oslo_policy] policy_file: there is no ${file}`]
  const inFolders = folders.flatMap((folder) => {
    const listed = find(folder, (path) => files.listFolder(path))
    if (listed === null) return []
    const names = listed.found.filter((name) => !name.startsWith('.')).sort()
    return names.map((name) => join(listed.path, name)).filter((path) => files.stamp(path) !== null)
  })
  return { paths: [...(main === null ? [] : [main.path]), ...inFolders], problems }
}
