import type { Client } from 'pg'
import type { Clock } from '../../platform/clock.ts'
import { type Abilities, type Storage, StorageUnavailable } from '../contract.ts'
import { EngineFigures } from '../engine-figures.ts'
import { Sealer } from '../sealed-id.ts'
import { createCensusStore } from './census.ts'
import { createClaimStore } from './claims.ts'
import { connect, connectTo } from './connection.ts'
import { createDeliveryStore } from './deliveries.ts'
import { toFailure } from './failures.ts'
import { Identifiers } from './identifiers.ts'
import { Keepers } from './keepers.ts'
import { Lanes } from './lanes.ts'
import { createMessageStore } from './messages.ts'
import { migrate } from './migrate.ts'
import { createMoveStore } from './moves.ts'
import { createPlacementStore } from './placements.ts'
import { createPoolStore } from './pools.ts'
import { createQueueStore } from './queues.ts'
import { createRelocationStore } from './relocations.ts'
import { readServerAddress } from './server-address.ts'
import { createSubscriptionStore } from './subscriptions.ts'
import { Sweeper } from './sweeper.ts'
import { Watchers } from './watchers.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=...`; may lead through PgBouncer in transaction mode. */
  readonly uri: string
  /** Leads to the server itself, for the one connection that listens. Default `uri`. */
  readonly listenUri?: string
  /** Where the tables are; made when missing. A plain lower-case name. Default `zaqar`. */
  readonly schema?: string
  /** Connections for moves that write, and as many for moves that read; one more listens. Default 4. */
  readonly connections?: number
  readonly clock: Clock
  /** Seals ids and markers, `SEAL_KEY_BYTES` long. Default: one that belongs to the store. */
  readonly idKey?: Uint8Array | undefined
  /** Kept for those who watch the service. */
  readonly figures?: EngineFigures
}

export const abilities: Abilities = {
  engine: 'postgres',
  survivesReopen: true,
  severalProcesses: true,
  keepsRegistry: true,
}

const OLDEST_VERSION = 150_000
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,40}$/

/**
 * The engine for several nodes: any number of processes on one database are one service.
 * @throws StorageUnavailable when the server cannot be reached, does not serve, or is not one that the engine can work
 * on.
 */
export async function openPostgres(options: PostgresOptions): Promise<Storage> {
  const {
    uri,
    listenUri,
    schema = 'zaqar',
    connections = 4,
    clock,
    idKey,
    figures = new EngineFigures(() => 0),
  } = options
  if (!SCHEMA_NAME.test(schema)) throw new Error(`${schema} cannot be the name of the schema`)
  const { weakness, ownKey, isPooled } = await prepare(uri, schema, listenUri === undefined)
  const lanes = new Lanes({ uri, schema, connections, isPooled, figures })
  const key = idKey ?? ownKey
  const engine = { lanes, identifiers: new Identifiers(new Sealer(key)) }
  const watchers = new Watchers({ lanes, clock, uri: listenUri ?? uri, schema })
  const keepers = new Keepers(lanes, clock)
  const moves = createMoveStore(engine, clock)
  const sweeper = new Sweeper(lanes, clock, figures)
  sweeper.start()
  return {
    abilities,
    weakness: () => weakness,
    queues: createQueueStore(engine),
    messages: createMessageStore(engine),
    claims: createClaimStore(engine),
    subscriptions: createSubscriptionStore(engine),
    deliveries: createDeliveryStore(engine),
    moves,
    pools: createPoolStore(engine),
    placements: createPlacementStore(engine),
    relocations: createRelocationStore(engine),
    idKey: key,
    census: createCensusStore(engine),
    watch: (queue, listener) => watchers.watch(queue, listener),
    watchSubscriptions: (queue, listener) => watchers.watchSubscriptions(queue, listener),
    keepGone: (queue) => keepers.keep(queue),
    watchWork: (listener) => watchers.watchWork(listener),
    async ping() {
      await lanes.service('ping', {})
    },
    async close() {
      sweeper.stop()
      moves.close()
      keepers.close()
      await watchers.close()
      await lanes.close()
    },
  }
}

/**
 * Whether the engine can work there; changes nothing. `signal`: no further host is tried once it aborts.
 * @throws StorageUnavailable when it cannot.
 */
export async function probePostgres(uri: string, signal: AbortSignal): Promise<void> {
  const { hosts, session } = readServerAddress(uri)
  // Else the library would look for one of the service's own, in its environment and its home, and show it to that
  // server.
  const password = session.password || (() => '')
  const { client, destroy } = await connectTo({ hosts, session: { ...session, password } }, { signal })
  try {
    await inspect(client)
    await client.end()
  } catch (error) {
    destroy()
    throw toFailure(error)
  }
}

async function prepare(
  uri: string,
  schema: string,
  mustListen: boolean,
): Promise<{ weakness: string | null; ownKey: Uint8Array; isPooled: boolean }> {
  const { client, destroy } = await connect(uri)
  try {
    const isPooled = await leadsToPooler(client)
    // Through a pooler in transaction mode nobody would ever be woken, and nothing would say so.
    if (mustListen && isPooled) throw new StorageUnavailable(POOLER)
    const weakness = await inspect(client)
    await migrate(client, schema)
    const { rows } = await client.query<{ id_key: string }>(`SELECT id_key FROM "${schema}".service`)
    const [service] = rows
    if (service === undefined) throw new StorageUnavailable(`The schema ${schema} is not complete`)
    await client.end()
    return { weakness, ownKey: Buffer.from(service.id_key, 'hex'), isPooled }
  } catch (error) {
    destroy()
    throw toFailure(error)
  }
}

const POOLER =
  'The address of PostgreSQL leads to a connection pooler: [storage] listen_uri must name the server itself, ' +
  'or the same address again if the pooler keeps a connection for each client'

/** A pooler has many server processes behind one connection, and invents the number that it tells at the beginning. */
export async function leadsToPooler(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const { processID: told } = client as Client & { readonly processID: number | null }
  return rows[0]?.pid !== told
}

/**
 * Answers in which way the server keeps less than it should, or null.
 * @throws StorageUnavailable when the engine cannot work on it
 */
export async function inspect(client: Client): Promise<string | null> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN
     ('server_version_num', 'server_encoding', 'default_transaction_isolation', 'synchronous_commit', 'fsync')`,
  )
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]))
  if (Number(settings.get('server_version_num')) < OLDEST_VERSION)
    throw new StorageUnavailable('PostgreSQL 15 or newer is needed')
  if (settings.get('server_encoding') !== 'UTF8')
    throw new StorageUnavailable('The encoding of the database must be UTF8')
  if (settings.get('default_transaction_isolation') !== 'read committed') {
    throw new StorageUnavailable('default_transaction_isolation must be "read committed" for the user of the service')
  }
  const weak = [
    settings.get('fsync') === 'off' && 'fsync is off',
    /^(off|local)$/.test(settings.get('synchronous_commit') ?? '') &&
      `synchronous_commit is ${settings.get('synchronous_commit')}`,
  ].filter((reason) => reason !== false)
  return weak.length === 0 ? null : `PostgreSQL may lose answered writes: ${weak.join(', ')}`
}
