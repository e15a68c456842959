import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StorageFull, StorageUnavailable } from '../contract.ts'

/**
 * Opens the file for this process alone, durable at every commit.
 * @throws StorageUnavailable when it cannot be opened, is held by another process or belongs to another program, or is
 * no database.
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    createPrivate(path)
    const db = new DatabaseSync(path)
    try {
      // Exclusive before WAL: the index of the log then lives in our memory, and nobody else can open the file.
      db.exec('PRAGMA locking_mode = EXCLUSIVE')
      refuseForeign(db)
      db.exec('PRAGMA journal_mode = WAL')
      db.exec('PRAGMA synchronous = FULL')
      db.exec('PRAGMA cache_size = -65536')
      db.exec('PRAGMA temp_store = MEMORY')
      // What INSERT OR REPLACE takes away counts as deleted.
      db.exec('PRAGMA recursive_triggers = ON')
      // Takes the lock now rather than at the first write.
      db.exec('BEGIN IMMEDIATE; COMMIT')
    } catch (error) {
      db.close()
      throw error
    }
    return db
  } catch (error) {
    throw new StorageUnavailable(`${openingTrouble(error)}: ${path}`, {
      cause: error,
    })
  }
}

/** A new file is for this user alone; SQLite gives what it puts beside the file the same mode. */
function createPrivate(path: string): void {
  if (path === ':memory:') return
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It exists, or SQLite says why it cannot.
  }
}

/** "Zaqa"; the first migration writes it into the head of the file. */
export const APPLICATION_ID = 0x5a617161

/** Before anything is changed: another program's file keeps its tables and its kind of log. */
function refuseForeign(db: DatabaseSync): void {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  if (id === APPLICATION_ID || (id === 0 && tables === 0)) return
  throw new StorageUnavailable('The SQLite file belongs to another program')
}

function openingTrouble(error: unknown): string {
  if (error instanceof StorageUnavailable) return error.message
  switch (primaryCode(error)) {
    case SQLITE.BUSY:
      return 'Another process has the SQLite file open'
    case SQLITE.NOTADB:
      return 'The file is no SQLite database'
    case SQLITE.CORRUPT:
      return 'The SQLite file is damaged'
    case SQLITE.READONLY:
    case SQLITE.IOERR:
      return 'The SQLite file cannot be written'
    case SQLITE.CANTOPEN:
      return 'The SQLite file cannot be opened or created'
    case SQLITE.FULL:
      return 'The disk is full; cannot open the SQLite file'
    default:
      return `Cannot open the SQLite file (${error instanceof Error ? error.message : String(error)})`
  }
}

/** Primary result codes, https://sqlite.org/rescode.html */
const SQLITE = {
  PERM: 3,
  BUSY: 5,
  NOMEM: 7,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const
const TROUBLES: ReadonlySet<number> = new Set(Object.values(SQLITE))

/**
 * An error of the disk or the file becomes `StorageUnavailable`; whatever else there is, is a bug and stays as it is.
 */
export function asStorageError(error: unknown): unknown {
  if (error instanceof StorageUnavailable || !TROUBLES.has(primaryCode(error))) return error
  const Kind = isFull(error) ? StorageFull : StorageUnavailable
  const trouble = primaryCode(error) === SQLITE.CORRUPT ? 'The SQLite file is damaged' : 'SQLite'
  return new Kind(`${trouble}: ${(error as Error).message}`, { cause: error })
}

/** Somebody else has the file. */
export function isHeldByAnother(error: unknown): boolean {
  return primaryCode(error) === SQLITE.BUSY
}

/** There was no room for it: on the disk, or under a limit of ours. */
export function isFull(error: unknown): boolean {
  return primaryCode(error) === SQLITE.FULL
}

function primaryCode(error: unknown): number {
  const extended = (error as { errcode?: unknown } | null)?.errcode
  return typeof extended === 'number' ? extended & 0xff : 0
}
