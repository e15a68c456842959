import { readdirSync, readFileSync, statSync } from 'node:fs'

/** The files of this machine; null for what is not there. */
export const diskFiles = {
  readFile: (path: string): string | null => orNull(() => readFileSync(path, 'utf8')),
  listFolder: (path: string): readonly string[] | null => orNull(() => readdirSync(path)),
  /** Changes whenever the content of the file does. */
  stamp: (path: string): string | null =>
    orNull(() => {
      const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
      return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
    }),
  /** Whether users who are neither its owner nor in its group may read the file. */
  isReadableByAll: (path: string): boolean => (orNull(() => statSync(path).mode) ?? 0) % 8 >= 4,
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
