import { chownSync, linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { KEY_FILE } from '../auth/signing-key.ts'
import { isHeldByAnother, openDatabase } from '../storage/sqlite/database.ts'
import { BackupError } from './backup-error.ts'
import { checkStore, type Label, readBackup } from './backup-file.ts'
import { draftOf, isThere } from './draft.ts'
import { freezingSocketOf, holdByService } from './freezing-socket.ts'
import { syncFolder } from './make-backup.ts'

export interface RestoreOptions {
  readonly backup: string
  /** The file of the store. */
  readonly store: string
  readonly dataDir: string
  /** Whether a store that is there is moved aside. */
  readonly force: boolean
  /** Ends the names of what is moved aside. */
  readonly suffix: string
  progress(done: number): void
}

export interface Restored {
  readonly label: Label
  /** Where what was there is now. */
  readonly movedAside: readonly string[]
}

/**
 * Makes a store of a backup, where no service has one; until it is made, none gets one. What is there stays as it is until the
 * backup is read, looked over and on the disk, and there is a store at every instant from then on.
 * @throws BackupError, or the error of the system
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { store, dataDir, force } = options
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  mkdirSync(dirname(resolve(store)), { recursive: true, mode: 0o700 })
  const whole = await keepFromServices(store)
  const draft = draftOf(store)
  try {
    if (!force && isThere(store)) throw new BackupError(`There is a store at ${store}; --force moves it aside`)
    const label = await extract(options.backup, draft, options.progress)
    checkStore(draft)
    giveToOwnerOf(dirname(resolve(store)), draft)
    const movedAside = [...(await putKey(label.signedUrlKey, options)), ...putStore(draft, whole, options)]
    await syncFolder(dirname(resolve(store)))
    await syncFolder(dataDir)
    return { label, movedAside }
  } finally {
    rmSync(draft, { force: true })
    whole?.close()
  }
}

/** Answers what was moved aside. */
function putStore(draft: string, whole: DatabaseSync | null, { store, suffix }: RestoreOptions): string[] {
  const aside = `${store}${suffix}`
  // A log that lies there would be put into the store that comes.
  const logs = whole === null ? ['-wal', '-journal'].filter((end) => isThere(`${store}${end}`)) : []
  for (const end of logs) renameSync(`${store}${end}`, `${aside}${end}`)
  return [...put(draft, store, aside), ...logs.map((end) => `${aside}${end}`)]
}

/** Answers what was moved aside. @throws BackupError where there is another one, and no `force` */
async function putKey(key: string | null, { dataDir, force, suffix }: RestoreOptions): Promise<string[]> {
  const path = join(dataDir, KEY_FILE)
  if (key === null || (isThere(path) && (await readFile(path, 'utf8')).trim() === key)) return []
  if (isThere(path) && !force)
    throw new BackupError(`${path} has another key for signed URLs than the backup; --force moves it aside`)
  const draft = draftOf(path)
  try {
    await writeFile(draft, `${key}\n`, { mode: 0o600, flag: 'wx', flush: true })
    giveToOwnerOf(dataDir, draft)
    return put(draft, path, `${path}${suffix}`)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** At every instant there is the one or the other. Answers what was moved aside. */
function put(draft: string, path: string, aside: string): string[] {
  if (!isThere(path)) {
    // Unlike a renaming, a link takes the place of nothing that has come meanwhile.
    linkSync(draft, path)
    return []
  }
  linkSync(path, aside)
  renameSync(draft, path)
  return [aside]
}

async function extract(backup: string, draft: string, progress: (done: number) => void): Promise<Label> {
  const file = await open(draft, 'wx', 0o600)
  let done = 0
  try {
    const label = await readBackup(backup, async (bytes) => {
      await file.writeFile(bytes)
      done += bytes.length
      progress(done)
    })
    await file.sync()
    return label
  } finally {
    await file.close()
  }
}

/**
 * No service gets the store until what is answered is closed. Null where there is no store, or a damaged one, which may be why
 * another one is restored: no service starts on that.
 * @throws BackupError where a service runs
 */
async function keepFromServices(store: string): Promise<DatabaseSync | null> {
  const inUse = new BackupError(`A service runs on ${store}; stop it first`)
  const held = await holdByService(freezingSocketOf(store)).catch((error: unknown) => {
    throw error instanceof BackupError ? inUse : error
  })
  held?.abandon()
  if (held !== null) throw inUse
  if (!isThere(store)) return null
  let db: DatabaseSync | null = null
  try {
    db = openDatabase(store)
    // The file alone has everything then, and when it is closed, no log is removed that belongs to the store that came.
    db.exec('PRAGMA journal_mode = DELETE')
    return db
  } catch (error) {
    db?.close()
    if (isHeldByAnother((error as Error).cause)) throw inUse
    return null
  }
}

/** Root restores for the service's user. */
function giveToOwnerOf(folder: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  chownSync(path, uid, gid)
}
