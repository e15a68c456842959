import type { Client } from 'pg'
import { isLoopback } from '../../config/loopback.ts'
import type { Clock } from '../../platform/clock.ts'
import { connect } from '../../storage/postgres/connection.ts'
import { newestState, type State, stateOf } from '../../storage/postgres/migrate.ts'
import { inspect, leadsToPooler } from '../../storage/postgres/open-postgres.ts'
import { readServerAddress } from '../../storage/postgres/server-address.ts'

const SCHEMA = 'zaqar'

/** What the server of the store says of itself, or why it cannot be one. */
export type PostgresAnswers = { readonly objection: string } | PostgresFacts

export interface PostgresFacts {
  readonly settings: ReadonlyMap<string, string>
  /** It follows another server, or takes no writes for another reason. */
  readonly isReadOnly: boolean
  /** The address leads to a pooler, and there is none that leads past it. */
  readonly lacksWayToListen: boolean
  /** Not encrypted although it goes over a network. */
  readonly isBare: boolean
  readonly schema: SchemaFacts
  readonly connections: ConnectionFacts
  /** Other sessions of the service's role, by whose they are. */
  readonly nodes: readonly NodeSessions[]
  readonly backups: BackupFacts
  /** How far its clock is ahead of this machine's. */
  readonly clockAheadMs: number
}

export interface SchemaFacts {
  /** Null: there is none yet. */
  readonly state: State | null
  readonly newest: State
  /** What the role of the service may not do and has to; null: nothing. */
  readonly missingRight: string | null
}

export interface ConnectionFacts {
  /** Of all clients. */
  readonly open: number
  /** The least of what server, database and role let the service have. */
  readonly most: number
}

export interface NodeSessions {
  readonly address: string
  /** As the session says it: `zaqar/VERSION node/VERSION`. */
  readonly application: string
  readonly sessions: number
}

export interface BackupFacts {
  readonly standbys: number
  /** Times in seconds ago; null: never. */
  readonly archived: number | null
  readonly lastFailed: number | null
  /** When the newest base backup ended; `hidden` from a role that may not list the log. */
  readonly baseBackup: number | null | 'hidden'
}

/** Does not reject. */
export async function askPostgres(
  uri: string,
  listensElsewhere: boolean,
  clock: Pick<Clock, 'now'>,
): Promise<PostgresAnswers> {
  try {
    const { client, destroy } = await connect(uri)
    try {
      await inspect(client)
      return await factsOf(client, uri, listensElsewhere, clock)
    } finally {
      destroy()
    }
  } catch (error) {
    return { objection: (error as Error).message }
  }
}

async function factsOf(
  client: Client,
  uri: string,
  listensElsewhere: boolean,
  clock: Pick<Clock, 'now'>,
): Promise<PostgresFacts> {
  const settings = await settingsOf(client)
  return {
    settings,
    isReadOnly: settings.get('transaction_read_only') === 'on',
    lacksWayToListen: !listensElsewhere && (await leadsToPooler(client)),
    isBare: goesOverNetwork(uri) && !(await isEncrypted(client)),
    schema: await schemaOf(client),
    connections: await connectionsOf(client, settings),
    nodes: await nodesOf(client),
    backups: await backupsOf(client),
    clockAheadMs: await aheadOf(client, clock),
  }
}

async function settingsOf(client: Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>('SELECT name, setting FROM pg_settings')
  return new Map(rows.map(({ name, setting }) => [name, setting]))
}

function goesOverNetwork(uri: string): boolean {
  return readServerAddress(uri).hosts.some(({ host }) => !host.startsWith('/') && !isLoopback(host))
}

async function isEncrypted(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
  return rows[0]?.ssl === true
}

async function schemaOf(client: Client): Promise<SchemaFacts> {
  const newest = newestState()
  const missingRight = await missingRightOf(client)
  const state = missingRight === null ? await stateOf(client, SCHEMA) : null
  return { state, newest, missingRight }
}

async function missingRightOf(client: Client): Promise<string | null> {
  const { rows } = await client.query<{ exists: boolean; usable: boolean; creatable: boolean; closed: string | null }>(
    `SELECT schema.oid IS NOT NULL AS exists,
            has_schema_privilege(schema.oid, 'USAGE') AS usable,
            has_database_privilege(current_database(), 'CREATE') AS creatable,
            (SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
             WHERE relnamespace = schema.oid AND relkind IN ('r', 'p')
               AND NOT (has_table_privilege(pg_class.oid, 'SELECT') AND has_table_privilege(pg_class.oid, 'INSERT')
                    AND has_table_privilege(pg_class.oid, 'UPDATE') AND has_table_privilege(pg_class.oid, 'DELETE'))
            ) AS closed
     FROM (SELECT to_regnamespace($1)::oid AS oid) AS schema`,
    [SCHEMA],
  )
  const [found] = rows
  if (found === undefined) return null
  if (!found.exists) return found.creatable ? null : `CREATE on the database, or the schema ${SCHEMA}`
  if (!found.usable) return `USAGE on the schema ${SCHEMA}`
  return found.closed && `SELECT, INSERT, UPDATE and DELETE on ${found.closed}`
}

async function connectionsOf(client: Client, settings: ReadonlyMap<string, string>): Promise<ConnectionFacts> {
  const { rows } = await client.query<{ open: number; limits: number[] }>(
    `SELECT (SELECT sum(numbackends)::integer FROM pg_stat_database) AS open,
            ARRAY[(SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
                  (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user)] AS limits`,
  )
  const [{ open, limits } = { open: 0, limits: [] }] = rows
  const of = (name: string) => Number(settings.get(name) ?? 0)
  const forAll = of('max_connections') - of('superuser_reserved_connections') - of('reserved_connections')
  // -1: as many as there are.
  return { open, most: Math.min(forAll, ...limits.filter((limit) => limit >= 0)) }
}

async function nodesOf(client: Client): Promise<readonly NodeSessions[]> {
  const { rows } = await client.query<NodeSessions>(
    `SELECT coalesce(host(client_addr), 'the server itself') AS address, application_name AS application,
            count(*)::integer AS sessions
     FROM pg_stat_activity
     WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
       AND application_name LIKE 'zaqar/%'
     GROUP BY address, application ORDER BY address, application`,
  )
  return rows
}

async function backupsOf(client: Client): Promise<BackupFacts> {
  const { rows } = await client.query<Omit<BackupFacts, 'baseBackup'>>(
    `SELECT (SELECT count(*)::integer FROM pg_stat_replication) AS standbys,
            extract(epoch FROM now() - last_archived_time)::float8 AS archived,
            extract(epoch FROM now() - last_failed_time)::float8 AS "lastFailed"
     FROM pg_stat_archiver`,
  )
  const [facts = { standbys: 0, archived: null, lastFailed: null }] = rows
  return { ...facts, baseBackup: await baseBackupOf(client) }
}

/** A base backup leaves a file of its history beside the log, which stays until the next one where the log is archived. */
async function baseBackupOf(client: Client): Promise<BackupFacts['baseBackup']> {
  const { rows: rights } = await client.query<{ may: boolean }>(
    "SELECT has_function_privilege('pg_ls_waldir()', 'EXECUTE') AS may",
  )
  if (rights[0]?.may !== true) return 'hidden'
  const { rows } = await client.query<{ ago: number | null }>(
    `SELECT min(extract(epoch FROM now() - modification))::float8 AS ago FROM pg_ls_waldir() WHERE name LIKE '%.backup'`,
  )
  return rows[0]?.ago ?? null
}

async function aheadOf(client: Client, clock: Pick<Clock, 'now'>): Promise<number> {
  const before = clock.now()
  const { rows } = await client.query<{ now: number }>(
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
  )
  const middle = (before + clock.now()) / 2
  return Math.round((rows[0]?.now ?? middle) - middle)
}
