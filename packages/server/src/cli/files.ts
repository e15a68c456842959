import { readdirSync, readFileSync } from 'node:fs'
import type { Files } from '../config/sources.ts'

/** The files of this machine. */
export const diskFiles: Files = {
  readFile: (path) => orNull(() => readFileSync(path, 'utf8')),
  listFolder: (path) => orNull(() => readdirSync(path)),
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
