import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** In the data folder. */
export const KEY_FILE = 'signed-url.key'

/**
 * The key for signed URLs that this installation has made for itself, kept in its data folder for this user alone. Made
 * when it is missing; of several that are made at one time, one stays.
 */
export function installationKey(dataDir: string): string {
  const path = join(dataDir, KEY_FILE)
  return read(path) ?? make(path)
}

function read(path: string): string | null {
  try {
    const key = readFileSync(path, 'utf8').trim()
    if (key !== '') return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  throw Object.assign(new Error(`${path} is empty; remove it, and another key is made`), { code: 'EINVAL' })
}

/** Under another name first, so that the file is never there without its key. */
function make(path: string): string {
  const key = randomBytes(32).toString('hex')
  const draft = `${path}.${process.pid}`
  rmSync(draft, { force: true })
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${key}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(draft, path)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return read(path) ?? key
  } finally {
    rmSync(draft, { force: true })
  }
}
