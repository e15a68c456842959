import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { ManualClock } from 'zaqar-conformance'
import { type Lease, type Queue, STALE, type Storage } from '../../src/storage/contract.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { settled } from '../support/settled.ts'
import { until } from '../support/until.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

/** An engine, and a look into the tables of its one store. */
interface Looked {
  storage: Storage
  /** The numbers of rows. */
  rows(): Promise<Record<string, unknown>>
  drop(): Promise<void>
}

type Leased = Awaited<ReturnType<Storage['deliveries']['lease']>>

const TABLES = ['feed', 'owed', 'failure', 'log', 'work', 'subscription', 'dropped']
const EMPTY = Object.fromEntries(TABLES.map((table) => [table, 0]))
const HOUR = 3600
const batch = { notifications: 100, bytes: 1_000_000 }
const keep = { log: 10, failures: 10 }

/** Work that never comes up is none. */
function rowsOf(schema: string, tables: readonly string[]): string {
  const counts = tables.map((table) => {
    const condition = table === 'work' ? 'wakes_at < 9007199254740991' : 'true'
    return `(SELECT CAST(count(*) AS integer) FROM "${schema}".${table} WHERE ${condition}) AS ${table}`
  })
  return `SELECT ${counts.join(', ')}`
}

async function lookIntoSqlite(clock: ManualClock): Promise<Looked> {
  const folder = await mkdtemp(join(tmpdir(), 'zaqar-sqlite-'))
  const path = join(folder, 'zaqar.db')
  const store: Looked = {
    storage: await openSqlite({ path, clock }),
    // The file is locked while it is open.
    async rows() {
      await store.storage.close()
      const db = new DatabaseSync(path)
      const rows = { ...db.prepare(rowsOf('main', TABLES)).get() }
      db.close()
      store.storage = await openSqlite({ path, clock })
      return rows
    },
    async drop() {
      await store.storage.close()
      await rm(folder, { recursive: true })
    },
  }
  return store
}

async function lookIntoPostgres(clock: ManualClock, { uri }: PostgresServer): Promise<Looked> {
  const schema = newSchema()
  const storage = await openPostgres({ uri, schema, connections: 1, clock })
  return {
    storage,
    async rows() {
      const [row] = await administer(uri, rowsOf(schema, [...TABLES, 'ended']))
      const { ended, ...rows } = row ?? {}
      return { ...rows, dropped: Number(rows['dropped']) + Number(ended) }
    },
    async drop() {
      await storage.close()
      await administer(uri, `DROP SCHEMA "${schema}" CASCADE`)
    },
  }
}

function sweepingLeaves(open: (clock: ManualClock) => Promise<Looked>): void {
  const run = (sentence: string, act: (scene: Scene) => Promise<void>) =>
    test(sentence, async () => {
      const clock = new ManualClock()
      const store = await open(clock)
      try {
        await act(new Scene(store, clock))
      } finally {
        await store.drop()
      }
    })

  run('nothing in a feed of what everybody was told of', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's1')
    await scene.subscribe(queue, 's2')
    await scene.post(queue, 'a', 'b')
    await scene.deliver()
    await scene.leaves({ ...EMPTY, feed: 2, work: 1, subscription: 2 })
    await scene.deliver()
    await scene.owesNothing()
    await scene.leaves({ ...EMPTY, subscription: 2 })
  })

  run('no feed to a queue whose only subscription does not listen any more', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.fill(queue)
    const { subscriptions } = scene.storage
    await subscriptions.confirm({ queue, id: 's', confirmed: false, isListening: false, now: scene.now })
    await scene.owesNothing()
    await scene.leaves({ ...EMPTY, failure: 1, log: 1, subscription: 1 })
    await scene.post(queue, 'later')
    await scene.leaves({ ...EMPTY, failure: 1, log: 1, subscription: 1 })
  })

  run('no failure whose time is over', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.fill(queue)
    scene.pass(HOUR)
    await scene.deliver()
    await scene.owesNothing()
    await scene.leaves({ ...EMPTY, log: 1, subscription: 1 })
  })

  const ends: Record<string, (scene: Scene, queue: Queue) => Promise<unknown>> = {
    deleted: ({ storage, now }, queue) => storage.subscriptions.delete({ queue, id: 's', now }),
    purged: ({ storage, now }, queue) => storage.subscriptions.purge({ queue, now }),
    expired: async (scene) => scene.pass(2 * HOUR),
    'deleted with its queue': ({ storage, now }, queue) => storage.queues.delete({ queue, now }),
    'deleted while it is leased': async (scene, queue) => {
      await scene.lease()
      await scene.storage.subscriptions.delete({ queue, id: 's', now: scene.now })
    },
  }
  for (const [what, end] of Object.entries(ends)) {
    run(`nothing of a subscription that was ${what}`, async (scene) => {
      const queue = await scene.queue()
      await scene.subscribe(queue)
      await scene.fill(queue)
      await end(scene, queue)
      await scene.owesNothing()
      await scene.leaves(EMPTY)
    })
  }
}

class Scene {
  readonly #store: Looked
  readonly #clock: ManualClock

  constructor(store: Looked, clock: ManualClock) {
    this.#store = store
    this.#clock = clock
  }

  get storage(): Storage {
    return this.#store.storage
  }

  get now(): number {
    return this.#clock.now()
  }

  pass(seconds: number): void {
    this.#clock.advance(seconds * 1000)
  }

  async queue(): Promise<Queue> {
    const key = { project: 'p', kind: 'queue', name: 'jobs' } as const
    return (await this.storage.queues.create({ key, metadata: '{}', now: this.now })).queue
  }

  async subscribe(queue: Queue, id = 's'): Promise<void> {
    const terms = { subscriber: `http://${id}.example/`, ttlSeconds: 2 * HOUR, options: '{}', vault: null }
    await this.storage.subscriptions.create({ queue, id, ...terms, isListening: true, now: this.now })
  }

  async post(queue: Queue, ...words: readonly string[]): Promise<void> {
    const messages = words.map((word) => ({ body: JSON.stringify(word), ttlSeconds: HOUR, delaySeconds: 0 }))
    const answer = await this.storage.messages.append({ queue, clientId: 'c', messages, now: this.now })
    assert.notEqual(answer, STALE)
  }

  async lease(limit = 100): Promise<readonly Lease[]> {
    return (await this.#lease(limit)).leases
  }

  /** To one subscription, all that it is owed. */
  async deliver(): Promise<void> {
    const [lease] = await this.lease(1)
    assert(lease)
    const outcomes = lease.notifications.map(({ ref }) => ({ ref, became: 'done' }) as const)
    const terms = { log: [], keep, health: null, next: null, restsUntil: null }
    await this.storage.deliveries.settle({ lease, outcomes, ...terms, now: this.now })
  }

  /** Looks now, and whenever there may be something, as who delivers does. */
  async owesNothing(): Promise<void> {
    for (let next: number | null = this.now; next !== null; ) {
      this.#clock.moveTo(next)
      const answer: Leased = await this.#lease(100)
      assert.deepEqual(answer.leases, [])
      next = answer.next
    }
  }

  /** Of the one subscription: one is to be tried again, one has failed, one is new. */
  async fill(queue: Queue): Promise<void> {
    await this.post(queue, 'a', 'b')
    const [lease] = await this.lease()
    const [a, b] = lease?.notifications ?? []
    assert(lease && a && b)
    const [soon, inAnHour] = [this.now + 500 * HOUR, this.now + 1000 * HOUR]
    await this.storage.deliveries.settle({
      lease,
      outcomes: [
        { ref: a.ref, became: 'postponed', until: soon, attempts: '[1]' },
        { ref: b.ref, became: 'failed', attempts: '[1]', expiresAt: inAnHour },
      ],
      ...{ log: ['1'], keep, health: null, next: null, restsUntil: null, now: this.now },
    })
    await this.post(queue, 'c')
    await this.leaves({ feed: 1, owed: 1, failure: 1, log: 1, work: 1, subscription: 1, dropped: 0 })
  }

  /** Resolves when the tables have so many rows. The sweeper gives no signal. */
  async leaves(expected: Record<string, unknown>): Promise<void> {
    let rows: Record<string, unknown> = {}
    const isSo = async () => {
      // Longer than the sweepers pause.
      this.pass(1)
      await settled()
      rows = await this.#store.rows()
      return isDeepStrictEqual(rows, expected)
    }
    await until(isSo).catch(() => assert.deepEqual(rows, expected))
  }

  #lease(limit: number): Promise<Leased> {
    return this.storage.deliveries.lease({ limit, seconds: 60, batch, now: this.now })
  }
}

describe('the sweeper of SQLite leaves', () => sweepingLeaves(lookIntoSqlite))

describe('the sweeper of PostgreSQL leaves', { skip: (await missingPostgres()) ?? false }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())
  sweepingLeaves((clock) => lookIntoPostgres(clock, server))
})
