import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Client } from 'pg'
import { SEAL_KEY_BYTES } from '../sealed-id.ts'

const TABLES = new URL('./migrations/', import.meta.url)
const MOVES = new URL('./moves/', import.meta.url)
/** One line for each version of the moves. */
const VERSIONS = new URL('versions.txt', MOVES)

/** How far a schema is: steps that were taken, and the version of the moves; 0 for none. */
export interface State {
  readonly steps: number
  readonly moves: number
}

/**
 * Brings the schema forward to what this version knows: all missing steps, and the moves if they are older, in one
 * transaction under a lock, so any number of nodes may start at once. What is further on is left alone: a newer version
 * keeps the moves of the one before (docs/decisions/postgres-migrations.md).
 */
export async function migrate(client: Client, schema: string): Promise<void> {
  const steps = sqlFilesIn(TABLES)
  const { moves: version } = newestState()
  const isDone = (state: State | null) => state !== null && state.steps >= steps.length && state.moves >= version
  if (isDone(await stateOf(client, schema))) return

  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await client.query("SELECT pg_advisory_xact_lock(hashtext('migrate ' || $1), 0)", [schema])
  // Whoever had the lock before may have done it all.
  const state = await stateOf(client, schema)
  if (!isDone(state)) {
    if (state === null) await createSchema(client, schema)
    await client.query(`SET LOCAL search_path = "${schema}", pg_temp`)
    if (state === null) await createMigration(client)
    // Waits for the moves that are under way, and holds those up that come: none meets tables or functions of two
    // versions.
    else await client.query("SET LOCAL lock_timeout = '5s'; LOCK TABLE service IN EXCLUSIVE MODE")
    const { steps: done, moves } = state ?? { steps: 0, moves: 0 }
    if (moves < version) await dropMoves(client, schema)
    for (const [i, name] of steps.entries()) {
      if (i < done) continue
      await client.query(readFileSync(new URL(name, TABLES), 'utf8'))
      await client.query('INSERT INTO migration (step, name, done_at) VALUES ($1, $2, now())', [i + 1, name])
    }
    if (state === null) {
      await client.query('INSERT INTO service (id_key) VALUES ($1)', [randomBytes(SEAL_KEY_BYTES).toString('hex')])
    }
    if (moves < version) await createMoves(client, version)
  }
  await client.query('COMMIT')
}

/** What this version brings a schema forward to. */
export function newestState(): State {
  const moves = readFileSync(VERSIONS, 'utf8').trimEnd().split('\n').length
  return { steps: sqlFilesIn(TABLES).length, moves }
}

/** Null when the schema was never migrated. */
export async function stateOf(client: Client, schema: string): Promise<State | null> {
  // The catalogue itself: `to_regclass` may answer from what the connection remembers from before it waited for the
  // lock.
  const found = await client.query("SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration'", [schema])
  if (found.rows.length === 0) return null
  const { rows } = await client.query<State>(
    `SELECT (SELECT count(*)::integer FROM "${schema}".migration) AS steps,
            (SELECT moves::integer FROM "${schema}".service) AS moves`,
  )
  return rows[0] ?? null
}

async function createSchema(client: Client, schema: string): Promise<void> {
  const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])
  // One that is there may have been made by somebody who may, for somebody who may not.
  if (rows.length === 0) await client.query(`CREATE SCHEMA "${schema}"`)
}

async function createMigration(client: Client): Promise<void> {
  await client.query(
    'CREATE TABLE migration (step integer PRIMARY KEY, name text NOT NULL, done_at timestamptz NOT NULL)',
  )
}

/**
 * All of them, since a function whose parameters or answer are others now cannot be replaced. `run` stays: sessions are
 * at work in it; and so do those of triggers, which need them and are rewritten by `note_changes`.
 */
async function dropMoves(client: Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ signature: string }>(
    `SELECT oid::regprocedure::text AS signature FROM pg_proc
     WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND proname <> 'run' AND prorettype <> 'trigger'::regtype`,
    [schema],
  )
  if (rows.length > 0) await client.query(`DROP FUNCTION ${rows.map(({ signature }) => signature).join(', ')}`)
}

async function createMoves(client: Client, version: number): Promise<void> {
  // They call each other, in whatever order they are created.
  await client.query('SET LOCAL check_function_bodies = off')
  for (const name of sqlFilesIn(MOVES)) await client.query(readFileSync(new URL(name, MOVES), 'utf8'))
  await client.query('UPDATE service SET moves = $1', [version])
}

function sqlFilesIn(folder: URL): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}
