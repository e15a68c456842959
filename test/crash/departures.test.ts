import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSystemClock } from '../../packages/server/src/platform/system-clock.ts'
import { type Queue, STALE, type Storage } from '../../packages/server/src/storage/contract.ts'
import { openPostgres } from '../../packages/server/src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../packages/server/src/storage/sqlite/open-sqlite.ts'
import { startProxy } from '../../packages/server/test/storage/postgres-proxy.ts'
import {
  missingPostgres,
  newSchema,
  type PostgresServer,
  startOwnPostgres,
} from '../../packages/server/test/storage/postgres-server.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { type Order, type Report, type Step, steps } from '../support/carrier.ts'
import { served } from '../support/served.ts'

const carrierProgram = fileURLToPath(new URL('../support/carrier.ts', import.meta.url))

/** More than are carried before the last trouble. */
const ORDERS = 75
const LONGEST_MOVE_MS = 8
/** Longer than it takes to see that something has arrived. */
const LONG_MS = 5_000
const HOUR = 3600

const clock = createSystemClock()

/** The carrier as a process of its own, which takes one step after the other. */
class Carrier {
  readonly #process: ChildProcess
  readonly #hasEnded = new AbortController()

  constructor(args: readonly string[]) {
    this.#process = fork(carrierProgram, args, { execArgv: [] })
    this.#process.once('exit', () => this.#hasEnded.abort())
  }

  /** What it tells next. */
  async report(): Promise<Report> {
    const [report] = await once(this.#process, 'message', { signal: this.#hasEnded.signal })
    return report
  }

  goOn(order: Order): void {
    this.#process.send(order)
  }

  async kill(): Promise<void> {
    if (this.#hasEnded.signal.aborted) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exit
  }
}

/** Reads a queue from marker to marker as it grows, and deletes two of three messages. */
class Consumer {
  readonly seen: number[] = []
  readonly #storage: Storage
  readonly #queue: Queue
  #marker: string | null = null

  constructor(storage: Storage, queue: Queue) {
    this.#storage = storage
    this.#queue = queue
  }

  async consume(): Promise<void> {
    const { messages, marker } = await this.#list(this.#marker)
    if (marker === null) return
    this.#marker = marker
    this.seen.push(...messages.map(({ body }) => Number(body)))
    const ids = messages.filter(({ body }) => Number(body) % 3 !== 0).map(({ id }) => id)
    await served(() => this.#storage.messages.deleteMany({ queue: this.#queue, ids, claimIds: null, now: clock.now() }))
  }

  /** Whatever was seen and not deleted is there, and nothing else. */
  async check(): Promise<void> {
    const { messages } = await this.#list(null)
    assert.deepEqual(
      messages.map(({ body }) => Number(body)),
      this.seen.filter((number) => number % 3 === 0),
    )
  }

  async #list(from: string | null) {
    const terms = { after: from, limit: 1000, hideClientId: null, includeClaimed: true, includeDelayed: false }
    const page = await served(() => this.#storage.messages.list({ queue: this.#queue, ...terms, now: clock.now() }))
    assert.ok(page !== STALE)
    return page
  }
}

/** Messages on their way between two stores, and the one who carries them. */
interface Scene {
  /** Takes steps up to that one, the next that is about messages. */
  runTo(step: Step): Promise<void>
  /** Takes one step more, in which there is trouble. */
  runOn(trouble: () => Promise<void>): Promise<void>
  /** Resolves when something more has arrived on PostgreSQL, and is taken already. */
  hasArrived(): Promise<void>
  /** Kills the carrier, in the middle of a move or between two, and starts another. */
  replaceCarrier(isAtWork: boolean): Promise<void>
  /** Carries what is left, and looks whether everything has arrived once. */
  finish(): Promise<void>
  close(): Promise<void>
}

/** The carrier may reach the server in another way than the consumers do. */
async function openScene({ uri }: PostgresServer, carrierUri = uri): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'zaqar-departures-'))
  const path = join(folder, 'zaqar.db')
  const schema = newSchema()
  const idKey = randomBytes(16)
  const postgres = await openPostgres({ uri, schema, connections: 1, clock, idKey })
  const dead = new Consumer(postgres, await openQueue(postgres, 'dead'))
  const orders = new Consumer(postgres, await sendOff(postgres))
  const start = () => new Carrier([path, carrierUri, schema, idKey.toString('hex')])
  const posted: number[] = []
  let next = 0
  let carrier = start()
  let report = await carrier.report()

  const consume = async () => {
    await dead.consume()
    await orders.consume()
  }
  const order = (): Order => ({ post: String(next) })
  const hear = async () => {
    report = await carrier.report()
    if (report.step === 'posted' && report.count > 0) posted.push(next++)
    if (report.step !== 'imported into PostgreSQL') return
    await consume()
  }
  const takeStep = (given = order()) => {
    carrier.goOn(given)
    return hear()
  }
  return {
    async runTo(step) {
      do await takeStep()
      while (report.step !== step || report.count === 0)
    },
    async runOn(trouble) {
      carrier.goOn(order())
      await trouble()
      await hear()
    },
    async hasArrived() {
      const count = () => dead.seen.length + orders.seen.length
      const before = count()
      await until(async () => {
        await consume()
        return count() > before
      })
    },
    async replaceCarrier(isAtWork) {
      if (isAtWork) {
        carrier.goOn(order())
        await sleep(Math.random() * LONGEST_MOVE_MS)
      }
      await carrier.kill()
      // Whether this one was posted nobody knows.
      next++
      carrier = start()
      report = await carrier.report()
    },
    async finish() {
      for (let idle = 0; idle < steps.length; idle = report.count > 0 ? 0 : idle + 1) await takeStep({ post: null })
      await carrier.kill()
      assert.deepEqual(
        orders.seen,
        Array.from({ length: ORDERS }, (_, i) => i),
      )
      assert.deepEqual(
        dead.seen,
        [...new Set(dead.seen)].sort((a, b) => a - b),
      )
      const arrived = new Set(dead.seen)
      assert.ok(posted.every((number) => arrived.has(number)))
      assert.ok(dead.seen.every((number) => number < next))
      await dead.check()
      await orders.check()
      const sqlite = await openSqlite({ path, clock, idKey })
      for (const storage of [sqlite, postgres]) {
        assert.deepEqual(await storage.messages.departures({ limit: 1, now: clock.now() }), [])
      }
      for (const name of ['jobs', 'returns']) {
        const stats = await sqlite.queues.stats({ queue: await openQueue(sqlite, name), now: clock.now() })
        assert.ok(stats !== STALE)
        assert.equal(stats.free + stats.claimed, 0)
      }
      await sqlite.close()
    },
    async close() {
      await carrier.kill()
      await postgres.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function openQueue({ queues }: Storage, name: string): Promise<Queue> {
  const key = { project: 'p', kind: 'queue', name } as const
  return (await queues.create({ key, metadata: '{}', now: clock.now() })).queue
}

/** All orders are dead letters, and belong into the other store. */
async function sendOff(postgres: Storage): Promise<Queue> {
  const queue = await openQueue(postgres, 'orders')
  const terms = { ttlSeconds: HOUR, delaySeconds: 0 }
  const messages = Array.from({ length: ORDERS }, (_, i) => ({ body: String(i), ...terms }))
  await postgres.messages.append({ queue, clientId: 'c', messages, now: clock.now() })
  const deadLetter = { queue: 'returns', maxClaimCount: 0, ttlSeconds: null, elsewhere: true } as const
  const lot = { limit: 1, ttlSeconds: 60, graceSeconds: 0, deadLetter }
  assert.equal(await postgres.claims.create({ queue, ...lot, now: clock.now() }), null)
  return queue
}

const missing = await missingPostgres({ isOwn: true })

describe('dead letters between two engines, and their way back,', { skip: missing ?? false }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startOwnPostgres()
  })
  after(() => server.stop())

  test('arrive once and in order, though who carries them is killed at every step', { timeout: 120_000 }, async (t) => {
    const scene = await openScene(server)
    t.after(() => scene.close())
    for (const step of steps) {
      for (const isAtWork of [false, true]) {
        await scene.runTo(step)
        await scene.replaceCarrier(isAtWork)
      }
    }
    await scene.finish()
  })

  test('arrive once and in order, though PostgreSQL is killed before, in and after moves', {
    timeout: 120_000,
  }, async (t) => {
    const network = await startProxy(server.port)
    t.after(() => network.close())
    const scene = await openScene(server, server.uri.replace(`:${server.port}/`, `:${network.port}/`))
    t.after(() => scene.close())
    const kill = async () => void (await server.control?.kill())
    // Before and in each move that writes there.
    for (const step of ['met on SQLite', 'imported into SQLite'] as const) {
      await scene.runTo(step)
      await kill()
      await scene.runTo(step)
      await scene.runOn(kill)
    }
    for (let times = 0; times < 2; times++) {
      // What has arrived is gone before it is brought again, since the answer that it has arrived was lost. By then
      // there are connections again.
      await scene.runTo('imported into PostgreSQL')
      await scene.runTo('met on SQLite')
      network.delay(LONG_MS)
      await scene.runOn(async () => {
        await scene.hasArrived()
        await kill()
        network.delay(0)
      })
    }
    await scene.finish()
  })
})
