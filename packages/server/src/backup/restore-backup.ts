import { chownSync, linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { KEY_FILE } from '../auth/signing-key.ts'
import { StorageUnavailable } from '../storage/contract.ts'
import { isHeldByAnother, openDatabase } from '../storage/sqlite/database.ts'
import { BackupError } from './backup-error.ts'
import { checkStore, type Label, readBackup } from './backup-file.ts'
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
 * Makes a store of a backup, where no service has one. What is there stays as it is until the backup is read, looked over and
 * on the disk.
 * @throws BackupError, or the error of the system
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { backup, store, dataDir, force } = options
  const keyPath = join(dataDir, KEY_FILE)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  mkdirSync(dirname(resolve(store)), { recursive: true, mode: 0o700 })
  await refuseWhileServing(store)
  if (!force && isThere(store)) throw new BackupError(`There is a store at ${store}; --force moves it aside`)
  const draft = `${store}.restoring`
  rmSync(draft, { force: true })
  try {
    const label = await extract(backup, draft, options.progress)
    checkStore(draft)
    giveToOwnerOf(dirname(resolve(store)), draft)
    const hasOtherKey = label.signedUrlKey !== null && isThere(keyPath) && (await keyIn(keyPath)) !== label.signedUrlKey
    if (hasOtherKey && !force) {
      throw new BackupError(`${keyPath} has another key for signed URLs than the backup; --force moves it aside`)
    }
    // It took a while.
    await refuseWhileServing(store)
    // A log that stays would be put into the store that comes.
    const movedAside = moveAside(
      [store, `${store}-wal`, `${store}-journal`, ...(hasOtherKey ? [keyPath] : [])],
      options.suffix,
    )
    if (label.signedUrlKey !== null && !isThere(keyPath)) {
      await writeFile(keyPath, `${label.signedUrlKey}\n`, { mode: 0o600, flag: 'wx', flush: true })
      giveToOwnerOf(dataDir, keyPath)
    }
    // Unlike a renaming it takes the place of nothing, such as what a service has made meanwhile.
    linkSync(draft, store)
    await syncFolder(dirname(resolve(store)))
    await syncFolder(dataDir)
    return { label, movedAside }
  } finally {
    rmSync(draft, { force: true })
  }
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

/** A store that is damaged, which may be why another one is restored, is in use by nobody. */
async function refuseWhileServing(store: string): Promise<void> {
  const inUse = () => new BackupError(`A service runs on ${store}; stop it first`)
  const held = await holdByService(freezingSocketOf(store)).catch(() => {
    throw inUse()
  })
  held?.abandon()
  if (held !== null) throw inUse()
  if (!isThere(store)) return
  try {
    openDatabase(store).close()
  } catch (error) {
    if (!(error instanceof StorageUnavailable) || isHeldByAnother(error.cause)) throw inUse()
  }
}

/** Root restores for the service's user. */
function giveToOwnerOf(folder: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  chownSync(path, uid, gid)
}

function moveAside(paths: readonly string[], suffix: string): string[] {
  return paths.filter(isThere).map((path) => {
    const aside = `${path}${suffix}`
    renameSync(path, aside)
    return aside
  })
}

async function keyIn(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim()
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
