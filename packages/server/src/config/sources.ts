/** Where values of options come from: files, environment variables, flags. Nothing here knows what the values mean. */
import { join } from 'node:path'
import { findGroupOfVariable } from './find-option.ts'
import { readIni } from './ini.ts'

/** A value as it was given. */
export interface Given {
  /** As spelled there. */
  readonly group: string
  readonly name: string
  readonly text: string
  /** `FILE:LINE`, the name of a variable, or a flag. */
  readonly origin: string
}

export interface Files {
  /** Null when there is no such file. Throws when it cannot be read. */
  readFile(path: string): string | null
  /** Names of the entries of a folder; null when there is no such folder. */
  listFolder(path: string): readonly string[] | null
  /** Null when there is nothing at that path. Throws when its folder may not be looked into. */
  stamp(path: string): string | null
}

export interface FileValues {
  readonly given: readonly Given[]
  readonly problems: readonly string[]
}

export function readConfigFile(path: string, files: Files): FileValues {
  let content: string | null
  try {
    content = files.readFile(path)
  } catch (error) {
    return { given: [], problems: [`${path}: cannot be read: ${(error as Error).message}`] }
  }
  if (content === null) return { given: [], problems: [`${path}: there is no such file`] }
  const ini = readIni(content)
  const origin = (line: number): string => `${path}:${line}`
  return {
    given: ini.values.map(({ section, name, text, line }) => ({ group: section, name, text, origin: origin(line) })),
    problems: ini.problems.map(({ line, message }) => `${origin(line)}: ${message}`),
  }
}

export interface ConfigPaths {
  readonly paths: readonly string[]
  readonly problems: readonly string[]
}

/** The files that are named, then those of the folders that are named. */
export function namedPaths(named: { files: readonly string[]; folders: readonly string[] }, files: Files): ConfigPaths {
  const inFolders = named.folders.map((folder) => pathsOfFolder(folder, files))
  return {
    paths: [...named.files, ...inFolders.flatMap(({ paths }) => paths)],
    problems: inFolders.flatMap(({ problems }) => problems),
  }
}

export function standardFolders(homeDir: string): readonly string[] {
  return [join(homeDir, '.zaqar'), homeDir, '/etc/zaqar', '/etc']
}

/** Upstream's standard places: the first file, then the first folder of files, that there is. */
export function standardPaths(homeDir: string, files: Files): ConfigPaths {
  const places = standardFolders(homeDir)
  const file = places.map((place) => join(place, 'zaqar.conf')).find((path) => isThere(() => files.readFile(path)))
  const folder = places
    .map((place) => join(place, 'zaqar.conf.d'))
    .find((path) => isThere(() => files.listFolder(path)))
  const inFolder = folder === undefined ? { paths: [], problems: [] } : pathsOfFolder(folder, files)
  return { paths: file === undefined ? inFolder.paths : [file, ...inFolder.paths], problems: inFolder.problems }
}

/** What is there but cannot be read counts: that is a problem to report, not something to pass over. */
function isThere(read: () => unknown): boolean {
  try {
    return read() !== null
  } catch {
    return true
  }
}

/** False for a folder that hides from this user what is in it; one that is not there hides nothing. */
export function mayBeLookedInto(folder: string, files: Files): boolean {
  try {
    // The entry that every folder has; `join` would take it away.
    files.stamp(`${folder}/.`)
    return true
  } catch {
    return false
  }
}

/** The `*.conf` files of a folder, by name. */
function pathsOfFolder(folder: string, files: Files): ConfigPaths {
  try {
    const names = files.listFolder(folder)
    if (names === null) return { paths: [], problems: [`${folder}: there is no such folder`] }
    const paths = names
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(folder, name))
    return { paths, problems: [] }
  } catch (error) {
    return { paths: [], problems: [`${folder}: cannot be read: ${(error as Error).message}`] }
  }
}

/** Variables named `OS_<GROUP>__<OPTION>`, as oslo.config has them. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Given[] {
  return Object.entries(env).flatMap(([variable, text]) => {
    const [, part, name] = /^OS_((?:(?!__).)+)__(.+)$/.exec(variable) ?? []
    if (part === undefined || name === undefined || text === undefined) return []
    const group = findGroupOfVariable(part)?.name ?? part.toLowerCase()
    return [{ group, name: name.toLowerCase(), text, origin: variable }]
  })
}
