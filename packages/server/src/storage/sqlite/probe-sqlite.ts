import type { FileHandle } from 'node:fs/promises'
import { StorageUnavailable } from '../contract.ts'
import { APPLICATION_ID } from './database.ts'

/** Places in a file: <https://sqlite.org/fileformat.html> */
const APPLICATION_ID_AT = 68
/** How many rows the table of tables has on its first page. */
const TABLES_AT = 103
const HEAD_BYTES = 105

/**
 * Whether a file is one of this engine, or still empty. It is only read: SQLite itself would look for a log, lock the
 * file, and perhaps change it.
 * @throws StorageUnavailable when it is not.
 */
export async function probeSqlite(file: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
  if (bytesRead === 0) return
  if (bytesRead < HEAD_BYTES || buffer.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw new StorageUnavailable('The file is no SQLite database')
  const id = buffer.readUInt32BE(APPLICATION_ID_AT)
  // What a store begins with may all be in its log yet.
  if (id === APPLICATION_ID || (id === 0 && buffer.readUInt16BE(TABLES_AT) === 0)) return
  throw new StorageUnavailable('The SQLite file belongs to another program')
}
