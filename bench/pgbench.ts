import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createSystemClock } from '../packages/server/src/platform/system-clock.ts'
import { administer } from '../packages/server/test/storage/postgres-server.ts'
import { temporaryFolder } from './service.ts'
import type { Store, Stores } from './stores.ts'
import type { Pace } from './throughput.ts'
import { messageBody, type Workload, type WorkloadName } from './workloads.ts'

const run = promisify(execFile)

const THREADS = 2
/** Faster than anybody takes them. */
const STOCK_MESSAGES_PER_SECOND = 60_000

const COLUMNS = 'bucket, place, created_at, expires_at, ttl, client, body'
const ROW = `1, nextval('zaqar.yardstick'), 1700000000000, 1700003600000, 3600, 'bench', '${JSON.stringify(messageBody)}'`
const insert = (count: number) =>
  `INSERT INTO zaqar.message (${COLUMNS}) SELECT ${ROW} FROM generate_series(1, ${count})`

/** As a queue in PostgreSQL is usually written. */
const claim = (count: number) => `UPDATE zaqar.message SET claim = 1, claim_count = claim_count + 1
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM zaqar.message WHERE claim IS NULL ORDER BY place LIMIT ${count} FOR UPDATE SKIP LOCKED
  )) RETURNING place, body`

const claimAndDelete = (count: number) =>
  `WITH held AS (${claim(count)}) SELECT array_agg(place) AS places, array_agg(body) AS bodies FROM held \\gset
DELETE FROM zaqar.message WHERE bucket = 1 AND place = ANY (:places::bigint[]);`

/** One cycle of each workload, said to PostgreSQL itself: each statement is a transaction. */
const scripts: Record<Exclude<WorkloadName, 'turnover'>, string> = {
  post: `INSERT INTO zaqar.message (${COLUMNS}) VALUES (${ROW});`,
  'post-10': `${insert(10)};`,
  'list-10': 'SELECT * FROM zaqar.message WHERE bucket = 1 AND claim IS NULL ORDER BY place LIMIT 10;',
  claim: `${claim(1)};`,
  'claim-1-delete-1': claimAndDelete(1),
  // To a database both are two statements.
  'finish-and-take': claimAndDelete(1),
  'claim-10-delete-10': claimAndDelete(10),
}

/**
 * Cycles a second that `pgbench` reaches on the table of the service, with nothing between it and the server and as
 * many connections as the service has clients. It keeps no count, order or time, and wakes nobody.
 */
export async function measurePgbench(
  stores: Stores,
  workload: Workload,
  connections: number,
  { warmUpSeconds, seconds }: Pace,
): Promise<number> {
  const script = scripts[workload.name as keyof typeof scripts]
  const folder = temporaryFolder()
  const store = await stores.create()
  try {
    await prepare(store, workload, warmUpSeconds + seconds)
    const file = join(folder.path, 'script.sql')
    writeFileSync(file, script)
    await pgbench(store.uri, file, connections, warmUpSeconds)
    const transactionsPerSecond = await pgbench(store.uri, file, connections, seconds)
    if (workload.takes > 0) await expectStock(store)
    return transactionsPerSecond
  } finally {
    await store.remove()
    folder.remove()
  }
}

async function prepare(store: Store, { takes, needs }: Workload, seconds: number): Promise<void> {
  // The service makes its tables.
  await (await store.open(createSystemClock())).close()
  await administer(store.uri, 'CREATE SEQUENCE zaqar.yardstick')
  if (takes > 0) await administer(store.uri, 'CREATE INDEX ON zaqar.message (place) WHERE claim IS NULL')
  const stock = takes > 0 ? Math.ceil(seconds * STOCK_MESSAGES_PER_SECOND) : needs
  await administer(store.uri, insert(stock))
  await administer(store.uri, 'VACUUM ANALYZE zaqar.message')
}

/** Answers how often the script ran in a second. */
async function pgbench(uri: string, script: string, connections: number, seconds: number): Promise<number> {
  const threads = Math.min(connections, THREADS)
  const amounts = [`--client=${connections}`, `--jobs=${threads}`, `--time=${Math.max(1, Math.round(seconds))}`]
  const { stdout } = await run('pgbench', ['--no-vacuum', '--protocol=prepared', ...amounts, `--file=${script}`, uri])
  const rate = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1])
  if (Number.isNaN(rate)) throw new Error(`pgbench did not say how fast it was:\n${stdout}`)
  return rate
}

async function expectStock(store: Store): Promise<void> {
  const left = await administer(store.uri, 'SELECT FROM zaqar.message WHERE claim IS NULL LIMIT 1')
  if (left.length === 0) throw new Error('pgbench ran out of messages')
}
