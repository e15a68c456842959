/**
 * A program that has a store on SQLite and one on PostgreSQL open, and carries dead letters from each to the other.
 * What is posted to `jobs`, on SQLite, departs at once; what arrives in `returns`, on SQLite, is redriven to `orders`,
 * on PostgreSQL.
 *
 * It tells its parent of each step, and waits to be told to go on.
 * Arguments: path of the SQLite file, address of PostgreSQL, schema there, and in hexadecimal the key of both stores.
 */
import { once } from 'node:events'
import { createSystemClock } from '../../packages/server/src/platform/system-clock.ts'
import { type Queue, type QueueKey, STALE, type Storage } from '../../packages/server/src/storage/contract.ts'
import { openPostgres } from '../../packages/server/src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../packages/server/src/storage/sqlite/open-sqlite.ts'
import { served } from './served.ts'

/** In this order, over and over. */
export const steps = [
  'posted',
  'departed from SQLite',
  'met on SQLite',
  'imported into PostgreSQL',
  'forgotten by SQLite',
  'redriven from SQLite',
  'met on PostgreSQL',
  'imported into SQLite',
  'forgotten by PostgreSQL',
] as const

export type Step = (typeof steps)[number]

/** What it tells. */
export interface Report {
  readonly step: Step | 'ready'
  /** How many messages the step was about. */
  readonly count: number
}

/** What it is told. */
export interface Order {
  /** The body of the message to post next; null: none. */
  readonly post: string | null
}

/** Few, so that there are many journeys. */
const MOST_AT_ONCE = 3
const HOUR = 3600

const clock = createSystemClock()

async function main([path = '', uri = '', schema = '', key = '']: readonly string[]): Promise<void> {
  process.on('disconnect', () => process.exit())
  const idKey = Buffer.from(key, 'hex')
  const sqlite = await openSqlite({ path, clock, idKey })
  const postgres = await openPostgres({ uri, schema, connections: 1, clock, idKey })
  const jobs = await open(sqlite, { project: 'p', kind: 'queue', name: 'jobs' })
  const returns = await open(sqlite, { project: 'p', kind: 'queue', name: 'returns' })
  for (let order = await tell('ready', 0); ; ) {
    await tell('posted', await post(sqlite, jobs, order.post))
    await tell('departed from SQLite', await letDepart(sqlite, jobs))
    await carry(sqlite, postgres, ['met on SQLite', 'imported into PostgreSQL', 'forgotten by SQLite'])
    await tell('redriven from SQLite', await redrive(sqlite, returns))
    order = await carry(postgres, sqlite, ['met on PostgreSQL', 'imported into SQLite', 'forgotten by PostgreSQL'])
  }
}

async function tell(step: Report['step'], count: number): Promise<Order> {
  process.send?.({ step, count } satisfies Report)
  const [order] = await once(process, 'message')
  return order
}

/** By name. */
const opened = new Map<string, Queue>()

async function open({ queues }: Storage, key: QueueKey): Promise<Queue> {
  const known = opened.get(key.name)
  if (known !== undefined) return known
  const { queue } = await served(() => queues.create({ key, metadata: '{}', now: clock.now() }))
  opened.set(key.name, queue)
  return queue
}

async function post({ messages }: Storage, queue: Queue, body: string | null): Promise<number> {
  if (body === null) return 0
  const terms = { ttlSeconds: HOUR, delaySeconds: 0 }
  await messages.append({ queue, clientId: 'c', messages: [{ body, ...terms }], now: clock.now() })
  return 1
}

/** Everything goes where dead letters go. */
async function letDepart({ claims, queues }: Storage, queue: Queue): Promise<number> {
  const now = clock.now()
  const stats = await queues.stats({ queue, now })
  const deadLetter = { queue: 'dead', maxClaimCount: 0, ttlSeconds: null, elsewhere: true } as const
  await claims.create({ queue, limit: 1, ttlSeconds: 60, graceSeconds: 0, deadLetter, now })
  return stats === STALE ? 0 : stats.free
}

async function redrive({ messages }: Storage, queue: Queue): Promise<number> {
  const terms = { ids: null, limit: MOST_AT_ONCE, elsewhere: ['orders'] }
  return (await messages.redrive({ queue, ...terms, now: clock.now() })).length
}

/** One journey of the oldest departures of a store. */
async function carry(from: Storage, to: Storage, [met, imported, forgotten]: readonly [Step, Step, Step]) {
  const departures = await served(() => from.messages.departures({ limit: MOST_AT_ONCE, now: clock.now() }))
  await tell(met, departures.length)
  for (const group of Map.groupBy(departures, ({ queue }) => queue.name).values()) {
    const queue = await open(to, (group[0] as (typeof group)[0]).queue)
    const messages = group.map(({ id, message }) => ({ ...message, departure: id }))
    await served(() => to.messages.import({ queue, messages, end: null, now: clock.now() }))
  }
  await tell(imported, departures.length)
  const ids = departures.map(({ id }) => id)
  await served(() => from.messages.departed({ ids, now: clock.now() }))
  return tell(forgotten, departures.length)
}

if (import.meta.main) await main(process.argv.slice(2))
