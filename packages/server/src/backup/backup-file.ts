/**
 * A backup: the file of SQLite as it was at one instant, and behind it two lines: what it is, in JSON, and the SHA-256 of all
 * before that, in hexadecimal digits. SQLite reads it as it is.
 */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { APPLICATION_ID } from '../storage/sqlite/database.ts'
import { newestSchema } from '../storage/sqlite/migrate.ts'
import { BackupError } from './backup-error.ts'

/** What stands behind the file of SQLite. */
export interface Label {
  /** The version that has made it. */
  readonly zaqar: string
  /** When the store was as it is in it, in ISO 8601. */
  readonly asOf: string
  /** Of the file of SQLite. */
  readonly bytes: number
  /** The key for signed URLs that the installation has made for itself; null where there was none. */
  readonly signedUrlKey: string | null
}

const PIECE = 1 << 20
const DIGEST_LINE = 65
/** More than a label has, in bytes. */
const LONGEST_LABEL = 4096

export function newHash(): Hash {
  return createHash('sha256')
}

/** All that is written behind the file, whose bytes `hash` has seen. */
export function labelLines(label: Label, hash: Hash): string {
  const line = `\n${JSON.stringify(label)}\n`
  return `${line}${hash.update(line).digest('hex')}\n`
}

/**
 * Reads all of a backup. `piece` gets the file of SQLite, in its order.
 * @throws BackupError when it is not as it was written
 */
export async function readBackup(path: string, piece: (bytes: Buffer) => void | Promise<void>): Promise<Label> {
  const file = await open(path, 'r')
  try {
    const found = await file.stat()
    if (!found.isFile()) throw damaged(path, 'it is no file')
    const { size } = found
    const label = await readLabel(path, file, size)
    const hash = newHash()
    const hashed = size - DIGEST_LINE
    for await (const bytes of pieces(file, hashed)) {
      const left = label.bytes - bytes.at
      hash.update(bytes.piece)
      if (left > 0) await piece(bytes.piece.subarray(0, left))
    }
    const { buffer } = await file.read(Buffer.alloc(DIGEST_LINE), 0, DIGEST_LINE, hashed)
    if (`${hash.digest('hex')}\n` !== buffer.toString('latin1')) throw damaged(path, 'it is not as it was written')
    return label
  } finally {
    await file.close()
  }
}

/** Whether a file ends as a backup does. @throws the error of the system */
export async function isBackup(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const found = await file.stat()
    if (!found.isFile()) return false
    await readLabel(path, file, found.size)
    return true
  } catch (error) {
    if (error instanceof BackupError) return false
    throw error
  } finally {
    await file.close()
  }
}

/** The pieces of a file up to its first so many bytes, and where each begins. */
export async function* pieces(file: FileHandle, bytes: number): AsyncGenerator<{ piece: Buffer; at: number }> {
  for (let at = 0; at < bytes; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(PIECE, bytes - at)), 0, undefined, at)
    if (bytesRead === 0) throw new BackupError('The file became shorter while it was read')
    yield { piece: buffer.subarray(0, bytesRead), at }
    at += bytesRead
  }
}

async function readLabel(path: string, file: FileHandle, size: number): Promise<Label> {
  const length = Math.min(size, LONGEST_LABEL)
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
  // Between the line feed that ends it, and the one before.
  const end = length - DIGEST_LINE - 1
  const line = buffer.subarray(buffer.lastIndexOf('\n', end - 1) + 1, Math.max(0, end)).toString('utf8')
  let label: Partial<Label>
  try {
    label = JSON.parse(line) as Partial<Label>
  } catch {
    throw damaged(path, 'it does not end as a backup does')
  }
  const bytes = size - DIGEST_LINE - Buffer.byteLength(line) - 2
  if (label?.bytes !== bytes || typeof label.asOf !== 'string')
    throw damaged(path, 'it is longer or shorter than it was')
  return label as Label
}

/**
 * Has SQLite look over the whole file, which is left as it is.
 * @throws BackupError
 */
export function checkStore(path: string): void {
  const url = pathToFileURL(path)
  // SQLite then looks for no log, and locks nothing.
  url.searchParams.set('immutable', '1')
  try {
    const db = new DatabaseSync(url, { readOnly: true })
    try {
      const number = (sql: string) => Object.values(db.prepare(sql).get() as Record<string, number>)[0] as number
      if (number('PRAGMA application_id') !== APPLICATION_ID) throw damaged(path, 'it belongs to another program')
      if (number('PRAGMA user_version') > newestSchema())
        throw damaged(path, 'a newer version of this service has written it')
      const [first] = db.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[]
      if (first?.quick_check !== 'ok') throw damaged(path, `SQLite says: ${first?.quick_check}`)
    } finally {
      db.close()
    }
  } catch (error) {
    throw error instanceof BackupError ? error : damaged(path, `SQLite says: ${(error as Error).message}`)
  }
}

function damaged(path: string, why: string): BackupError {
  return new BackupError(`${path} cannot be used: ${why}`)
}
