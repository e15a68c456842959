import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Client } from 'pg'
import { SEAL_KEY_BYTES } from '../sealed-id.ts'

const FOLDER = new URL('./migrations/', import.meta.url)

/**
 * Brings the schema forward to what this version knows, all missing steps in one transaction under a lock, so any number of
 * nodes may start at once. A schema that is further on is left alone: a newer version keeps the moves of the one before
 * (docs/decisions/postgres-migrations.md).
 */
export async function migrate(client: Client, schema: string): Promise<void> {
  const steps = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  if (((await countDone(client, schema)) ?? 0) >= steps.length) return
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await client.query("SELECT pg_advisory_xact_lock(hashtext('migrate ' || $1), 0)", [schema])
  // Whoever had the lock before may have done it all.
  const done = await countDone(client, schema)
  if (done === null) {
    const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])
    // A schema that is there may have been made by somebody who may, for somebody who may not.
    if (rows.length === 0) await client.query(`CREATE SCHEMA "${schema}"`)
  }
  await client.query(`SET LOCAL search_path = "${schema}", pg_temp`)
  if (done === null) {
    await client.query(
      'CREATE TABLE migration (step integer PRIMARY KEY, name text NOT NULL, done_at timestamptz NOT NULL)',
    )
  }
  for (const [i, name] of steps.entries()) {
    if (i < (done ?? 0)) continue
    await client.query(readFileSync(new URL(name, FOLDER), 'utf8'))
    await client.query('INSERT INTO migration VALUES ($1, $2, now())', [i + 1, name])
  }
  await client.query('INSERT INTO service (id_key) VALUES ($1) ON CONFLICT DO NOTHING', [
    randomBytes(SEAL_KEY_BYTES).toString('hex'),
  ])
  await client.query('COMMIT')
}

/** Null when the schema was never migrated. */
async function countDone(client: Client, schema: string): Promise<number | null> {
  // The catalogue itself: `to_regclass` may answer from what the connection remembers from before it waited for the lock.
  const found = await client.query("SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration'", [schema])
  if (found.rows.length === 0) return null
  const counted = await client.query<{ done: number }>(`SELECT count(*)::integer AS done FROM "${schema}".migration`)
  return counted.rows[0]?.done ?? 0
}
