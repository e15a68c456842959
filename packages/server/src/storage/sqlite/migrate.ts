import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StorageUnavailable } from '../contract.ts'
import { SEAL_KEY_BYTES } from '../sealed-id.ts'

const FOLDER = new URL('./migrations/', import.meta.url)

/**
 * Brings the schema forward to what this version knows, each step in a transaction of its own.
 * `idKey`: for a new file.
 * @throws StorageUnavailable when a newer version has written the file.
 */
export function migrate(db: DatabaseSync, idKey: Uint8Array = randomBytes(SEAL_KEY_BYTES)): void {
  const steps = stepsOf()
  const { user_version: done } = db.prepare('PRAGMA user_version').get() as {
    user_version: number
  }
  if (done > steps.length) {
    throw new StorageUnavailable('The SQLite file was written by a newer version of this service')
  }
  for (let step = done; step < steps.length; step++) {
    const sql = readFileSync(new URL(steps[step] as string, FOLDER), 'utf8')
    db.exec(`BEGIN; ${sql}; PRAGMA user_version = ${step + 1}; COMMIT`)
  }
  db.prepare('INSERT OR IGNORE INTO service (is_only, id_key, last_bucket) VALUES (1, ?, 0)').run(idKey)
}

/** The number of the schema that this version knows. */
export function newestSchema(): number {
  return stepsOf().length
}

function stepsOf(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}
