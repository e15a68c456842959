import type { Hash } from 'node:crypto'
import { linkSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { KEY_FILE } from '../auth/signing-key.ts'
import { elapsed } from '../platform/elapsed.ts'
import { pause } from '../platform/pause.ts'
import { openDatabase } from '../storage/sqlite/database.ts'
import { BackupError } from './backup-error.ts'
import { checkStore, isBackup, type Label, labelLines, newHash, pieces, readBackup } from './backup-file.ts'
import { draftOf, isThere } from './draft.ts'
import { freezingSocketOf, type HeldFile, holdByService } from './freezing-socket.ts'

/** So much is handed to the disk at a time, so that others do not wait behind all of it. */
const SYNC_EVERY = 32 << 20

export interface BackupOptions {
  /** The file of the store. */
  readonly store: string
  readonly dataDir: string
  /** Where the backup is to be. */
  readonly target: string
  /** Whether it may take the place of a backup that is there. */
  readonly overwrite: boolean
  /** The most bytes to copy in a second; null: as fast as it goes. */
  readonly bytesPerSecond: number | null
  /** Of this software. */
  readonly version: string
  /** What time it is, in ISO 8601. */
  now(): string
  /** Told how many bytes are copied, of all. */
  progress(done: number, all: number): void
  /** Ends it, and nothing is left. */
  readonly signal: AbortSignal
}

/**
 * Copies the store as it is at one instant, while a service uses it or not, and reads the copy again. It gets its name when
 * all of it is on the disk.
 * @throws BackupError, StorageUnavailable, or the error of the system
 */
export async function makeBackup(options: BackupOptions): Promise<Label> {
  const { store, target, overwrite } = options
  if (!isThere(store)) throw new BackupError(`There is no store at ${store}`)
  const replaces = isThere(target)
  if (replaces) await refuseToReplace(target, overwrite)
  const draft = draftOf(target)
  const file = await open(draft, 'wx', 0o600)
  try {
    const label = await fill(file, options).finally(() => file.close())
    await readBackup(draft, () => options.signal.throwIfAborted())
    checkStore(draft)
    if (replaces) renameSync(draft, target)
    // Unlike a renaming, a link takes the place of nothing that has come meanwhile.
    else linkSync(draft, target)
    await syncFolder(dirname(resolve(target)))
    return label
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Nothing but another backup gives way to one, above all not the store. @throws BackupError */
async function refuseToReplace(target: string, overwrite: boolean): Promise<void> {
  if (!overwrite) throw new BackupError(`${target} is there already; --overwrite replaces it`)
  if (!(await isBackup(target))) throw new BackupError(`${target} is no backup, and only a backup is replaced by one`)
}

/** As long as the store is held, and no longer, it is only copied. */
async function fill(file: FileHandle, options: BackupOptions): Promise<Label> {
  // What was answered before this instant is in the backup.
  const asOf = options.now()
  const store = await open(options.store, 'r')
  const hash = newHash()
  let held: HeldFile | null = null
  try {
    held = (await holdByService(freezingSocketOf(options.store))) ?? holdHere(options.store)
    refuseWithoutRoom(dirname(resolve(options.target)), held.bytes)
    await copy(store, file, held, hash, options)
    await held.release()
  } finally {
    held?.abandon()
    // Not before: a process that closes a file loses all locks it has on it, those of SQLite too.
    await store.close()
  }
  const key = await readFile(join(options.dataDir, KEY_FILE), 'utf8').catch(whenMissing)
  const label = { zaqar: options.version, asOf, bytes: held.bytes, signedUrlKey: key?.trim() ?? null }
  await file.writeFile(labelLines(label, hash))
  await file.sync()
  return label
}

async function copy(
  from: FileHandle,
  to: FileHandle,
  { bytes, broken }: HeldFile,
  hash: Hash,
  { bytesPerSecond, progress, signal: ending }: BackupOptions,
): Promise<void> {
  const signal = AbortSignal.any([ending, broken])
  const begun = elapsed()
  let unsynced = 0
  for await (const { piece, at } of pieces(from, bytes)) {
    signal.throwIfAborted()
    hash.update(piece)
    await to.writeFile(piece)
    const done = at + piece.length
    unsynced += piece.length
    if (unsynced >= SYNC_EVERY) {
      await to.datasync()
      unsynced = 0
    }
    progress(done, bytes)
    if (bytesPerSecond !== null) await pause(begun + (done / bytesPerSecond) * 1000 - elapsed(), signal)
  }
}

/** No service has the file: nor does any get it, until it is released. */
function holdHere(store: string): HeldFile {
  const db = openDatabase(store)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const abandon = () => {
    if (db.isOpen) db.close()
  }
  const { signal: broken } = new AbortController()
  return { bytes: statSync(store).size, broken, abandon, release: async () => abandon() }
}

/** A copy that fails for want of room would have taken it from others, such as the service. @throws BackupError */
function refuseWithoutRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < bytes)
    throw new BackupError(`${folder} has room for ${bavail * bsize} bytes, and the backup needs ${bytes}`)
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

function whenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
