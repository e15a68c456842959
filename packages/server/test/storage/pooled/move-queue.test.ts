import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import {
  type Lease,
  type MoveStore,
  type Placement,
  type PlacementStore,
  type Queue,
  type QueueHandle,
  QueueMoving,
  STALE,
  type Storage,
} from '../../../src/storage/contract.ts'
import { moveQueue, resolveMoving } from '../../../src/storage/pooled/move-queue.ts'
import { openPostgres } from '../../../src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../../src/storage/sqlite/open-sqlite.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from '../postgres-server.ts'

const key = { project: 'p', kind: 'queue', name: 'jobs' } as const
const missing = await missingPostgres()

interface Pool {
  readonly name: string
  readonly engine: Storage
}

/** The calls of one mover, in order, each of which may be the one before which it is killed. */
class Calls {
  readonly #killedBefore: number
  /** Runs before each. */
  readonly #between: (call: string) => Promise<void>
  #count = 0

  constructor(killedBefore: number, between: (call: string) => Promise<void> = async () => {}) {
    this.#killedBefore = killedBefore
    this.#between = between
  }

  get count(): number {
    return this.#count
  }

  of<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
        return async (...args: unknown[]) => {
          if (this.#count >= this.#killedBefore) throw new Error('killed')
          this.#count += 1
          await this.#between(String(name))
          return Reflect.apply(method, target, args)
        }
      },
    })
  }
}

class House {
  readonly clock: ManualClock
  readonly catalogue: Storage
  readonly pools: readonly [Pool, Pool]
  readonly #drop: () => Promise<void>
  #tokens = 0

  constructor(clock: ManualClock, catalogue: Storage, pools: readonly [Pool, Pool], drop: () => Promise<void>) {
    this.clock = clock
    this.catalogue = catalogue
    this.pools = pools
    this.#drop = drop
  }

  get now(): number {
    return this.clock.now()
  }

  get placements(): PlacementStore {
    return this.catalogue.placements
  }

  async place(): Promise<Queue> {
    for (const { name } of this.pools) {
      const pool = { name, uri: name, weight: 1, options: '{}', flavor: null }
      await this.catalogue.pools.putPool({ project: 'p', pool })
    }
    const placed = await this.placements.place({ key, flavor: null, without: ['b'], draw: 0 })
    assert(placed !== 'no-pool')
    const { queue } = await this.pools[0].engine.queues.create({ key, metadata: '{"a":1}', now: this.now })
    await this.placements.settle({ placement: placed.placement })
    return queue
  }

  move(calls = new Calls(Number.POSITIVE_INFINITY), signal?: AbortSignal) {
    const [from, to] = this.pools.map(({ name, engine }) => ({
      name,
      engine: { queues: engine.queues, moves: calls.of(engine.moves as MoveStore) },
    })) as [never, never]
    this.#tokens += 1
    const token = `move ${this.#tokens}`
    const placements = calls.of(this.placements)
    return moveQueue({ key, from, to, placements, clock: this.clock, newToken: () => token, signal })
  }

  /** As who looks for the queue does: where the catalogue says, and it ends what nobody is at work on. */
  async find(): Promise<{ pool: Pool; queue: Queue }> {
    for (;;) {
      const { pool: name } = (await this.placements.get({ key })) as Placement
      const pool = this.pools.find((one) => one.name === name) as Pool
      try {
        const queue = await pool.engine.queues.get({ key, now: this.now })
        assert(queue, 'the queue is there')
        return { pool, queue }
      } catch (error) {
        if (!(error instanceof QueueMoving)) throw error
        const found = { key, pool, placements: this.placements, clock: this.clock }
        if ((await resolveMoving(found, error)) === 'wait') this.clock.advance(5_000)
      }
    }
  }

  async remove({ pool, queue }: { pool: Pool; queue: Queue }): Promise<void> {
    const placement = await this.placements.unsettle({ key, pool: pool.name })
    assert(placement)
    await pool.engine.queues.delete({ queue, now: this.now })
    await this.placements.remove({ placement })
    // What a mover left that was killed at last.
    for (const { name, engine } of this.pools) {
      for (const { key, ...fence } of (await engine.moves?.fenced({ limit: 10, now: this.now })) ?? []) {
        await resolveMoving({ key, pool: { name, engine }, placements: this.placements, clock: this.clock }, fence)
      }
    }
  }

  async drop(): Promise<void> {
    for (const { engine } of this.pools) await engine.close()
    await this.catalogue.close()
    await this.#drop()
  }
}

function suite(name: string, open: () => Promise<House>): void {
  describe(name, () => {
    test('a queue goes with all that it holds, and whatever was handed out is good', async () => {
      const house = await open()
      const { clock } = house
      const queue = await house.place()
      const seen = await fill(house.pools[0].engine, queue, clock)
      const before = await look(house.pools[0].engine, queue, clock, seen)
      assert.equal(await house.move(), 'moved')
      const { pool, queue: moved } = await house.find()
      assert.equal(pool.name, 'b')
      assert.deepEqual(await look(pool.engine, moved, clock, seen), before)
      assert.deepEqual(await house.pools[0].engine.queues.get({ key, now: clock.now() }), null)
      await goOn(pool.engine, moved, clock, seen)
      await house.drop()
    })

    test('a log that was empty keeps there as many entries as it may', async () => {
      const house = await open()
      const { clock } = house
      await subscribe(house.pools[0].engine, await house.place(), clock, 's')
      assert.equal(await house.move(), 'moved')
      const { pool, queue } = await house.find()
      await post(pool.engine, queue, clock, 'a', 0)
      const { deliveries } = pool.engine
      const now = clock.now()
      const batch = { notifications: 1, bytes: 1e6 }
      const [lease] = (await deliveries.lease({ limit: 1, seconds: 10, batch, now })).leases
      const keep = { log: 3, failures: 3 }
      const terms = { outcomes: [], keep, health: null, next: null, restsUntil: null, now }
      assert(lease)
      await deliveries.settle({ lease, ...terms, log: ['1', '2', '3', '4'] })
      assert.deepEqual(await deliveries.log({ queue, id: 's', now }), ['2', '3', '4'])
      await house.drop()
    })

    test('what happens to it meanwhile is there, whatever it is', async () => {
      const house = await open()
      const { clock } = house
      const queue = await house.place()
      const { engine } = house.pools[0]
      const seen = await fill(engine, queue, clock)
      let last: unknown = null
      let isFilled = false
      const calls = new Calls(Number.POSITIVE_INFINITY, async (call) => {
        if (call !== 'fence' || isFilled) return
        isFilled = true
        const now = clock.now()
        const { messages, claims, subscriptions, deliveries } = engine
        await messages.delete({ queue, id: seen.ids[2] as string, claimId: null, now })
        await messages.pop({ queue, limit: 1, deadLetter: null, now })
        await claims.release({ queue, claimId: seen.claimId, now })
        await claims.create({ queue, key: 'k2', limit: 2, ttlSeconds: 300, graceSeconds: 60, deadLetter: null, now })
        await post(engine, queue, clock, 'late', 0)
        await post(engine, queue, clock, 'late and delayed', 400)
        await subscribe(engine, queue, clock, 't')
        await deliveries.replay({ queue, id: 's', messageIds: null, since: null, limit: 10, now })
        await subscriptions.update({ queue, id: 's', options: '{"x":2}', now })
        last = await look(engine, queue, clock, seen)
      })
      assert.equal(await house.move(calls), 'moved')
      const { pool, queue: moved } = await house.find()
      assert.deepEqual(await look(pool.engine, moved, clock, seen), last)
      await house.drop()
    })

    test('killed before any of its steps it leaves the queue with one owner, and another goes on', async () => {
      const house = await open()
      const { clock } = house
      for (let killedBefore = 1; ; killedBefore++) {
        const queue = await house.place()
        const seen = await fill(house.pools[0].engine, queue, clock)
        const before = await look(house.pools[0].engine, queue, clock, seen)
        const calls = new Calls(killedBefore)
        const outcome = await house.move(calls).catch(() => 'killed')
        const found = await house.find()
        assert.deepEqual(
          await look(found.pool.engine, found.queue, clock, seen),
          before,
          `killed before ${killedBefore}`,
        )
        if (found.pool.name === 'a') assert.equal(await house.move(), 'moved', `after ${killedBefore}`)
        const moved = await house.find()
        assert.equal(moved.pool.name, 'b')
        assert.deepEqual(await look(moved.pool.engine, moved.queue, clock, seen), before, `after ${killedBefore}`)
        await house.remove(moved)
        if (outcome === 'moved') break
      }
      await house.drop()
    })

    test('of two movers at once one moves it, or the next one does', async () => {
      const house = await open()
      const { clock } = house
      const queue = await house.place()
      const seen = await fill(house.pools[0].engine, queue, clock)
      const before = await look(house.pools[0].engine, queue, clock, seen)
      await Promise.all([house.move(), house.move()])
      const found = await house.find()
      assert.deepEqual(await look(found.pool.engine, found.queue, clock, seen), before)
      if (found.pool.name === 'a') assert.equal(await house.move(), 'moved')
      const moved = await house.find()
      assert.deepEqual(await look(moved.pool.engine, moved.queue, clock, seen), before)
      await house.drop()
    })

    test('one that is emptied meanwhile is empty, one that is deleted is gone', async () => {
      for (const end of ['purge', 'delete'] as const) {
        const house = await open()
        const { clock } = house
        const queue = await house.place()
        const { engine } = house.pools[0]
        await fill(engine, queue, clock)
        let isDone = false
        const calls = new Calls(Number.POSITIVE_INFINITY, async (call) => {
          if (call !== 'fence' || isDone) return
          isDone = true
          if (end === 'purge') await engine.messages.purge({ queue, now: clock.now() })
          else await engine.queues.delete({ queue, now: clock.now() })
        })
        const outcome = await house.move(calls)
        if (end === 'delete') {
          assert.equal(outcome, 'gone')
          assert.equal(await house.pools[1].engine.queues.get({ key, now: clock.now() }), null)
        } else {
          assert.equal(outcome, 'moved')
          const { pool, queue: moved } = await house.find()
          const stats = await pool.engine.queues.stats({ queue: moved, now: clock.now() })
          assert.deepEqual(stats, { free: 0, claimed: 0, oldest: null, newest: null })
        }
        await house.drop()
      }
    })

    test('a move that is cancelled leaves nothing behind', async () => {
      const house = await open()
      const { clock } = house
      const queue = await house.place()
      const seen = await fill(house.pools[0].engine, queue, clock)
      const before = await look(house.pools[0].engine, queue, clock, seen)
      const cancel = new AbortController()
      const calls = new Calls(Number.POSITIVE_INFINITY, async (call) => {
        if (call === 'write') cancel.abort()
      })
      assert.equal(await house.move(calls, cancel.signal), 'cancelled')
      const found = await house.find()
      assert.equal(found.pool.name, 'a')
      assert.deepEqual(await look(found.pool.engine, found.queue, clock, seen), before)
      for (const { engine } of house.pools) {
        assert.deepEqual(await engine.moves?.fenced({ limit: 10, now: clock.now() }), [])
      }
      await house.drop()
    })
  })
}

async function openAt(clock: ManualClock, engines: readonly (() => Promise<Storage>)[], drop: () => Promise<void>) {
  const [a, b] = await Promise.all(engines.map((open) => open()))
  const catalogue = await openSqlite({ path: ':memory:', clock })
  const pools = [
    { name: 'a', engine: a as Storage },
    { name: 'b', engine: b as Storage },
  ] as const
  return new House(clock, catalogue, pools, drop)
}

suite('a queue that moves between SQLite stores', () => {
  const clock = new ManualClock()
  const idKey = randomBytes(16)
  const open = () => openSqlite({ path: ':memory:', clock, idKey })
  return openAt(clock, [open, open], async () => {})
})

describe('with PostgreSQL', { skip: missing ?? false }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  const house = (names: readonly ('sqlite' | 'postgres')[]) => () => {
    const clock = new ManualClock()
    const idKey = randomBytes(16)
    const schemas: string[] = []
    const open = (name: 'sqlite' | 'postgres') => () => {
      if (name === 'sqlite') return openSqlite({ path: ':memory:', clock, idKey })
      const schema = newSchema()
      schemas.push(schema)
      return openPostgres({ uri: server.uri, schema, connections: 1, clock, idKey })
    }
    return openAt(clock, names.map(open), async () => {
      for (const schema of schemas) await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
    })
  }
  suite('a queue that moves from SQLite to PostgreSQL', house(['sqlite', 'postgres']))
  suite('a queue that moves from PostgreSQL to SQLite', house(['postgres', 'sqlite']))
  suite('a queue that moves between PostgreSQL servers', house(['postgres', 'postgres']))
})

interface Seen {
  readonly ids: string[]
  readonly claimId: string
  readonly marker: string
  readonly failureMarker: string
}

async function post(engine: Storage, queue: QueueHandle, clock: ManualClock, word: string, delaySeconds: number) {
  const message = { body: JSON.stringify(word), ttlSeconds: 3_600, delaySeconds }
  const idempotency = { key: `key of ${word}`, digest: word, expiresAt: clock.now() + 3_600_000 }
  const now = clock.now()
  const posted = await engine.messages.append({ queue, clientId: 'c', messages: [message], idempotency, now })
  assert(posted !== STALE && posted !== 'conflict')
  return posted.ids[0] as string
}

async function subscribe(engine: Storage, queue: QueueHandle, clock: ManualClock, id: string) {
  const terms = { subscriber: `http://${id}.example/`, ttlSeconds: 86_400, options: '{"x":1}', isListening: true }
  await engine.subscriptions.create({ queue, id, ...terms, vault: '{"secret":1}', now: clock.now() })
}

/** Something of each kind. */
async function fill(engine: Storage, queue: QueueHandle, clock: ManualClock): Promise<Seen> {
  await subscribe(engine, queue, clock, 's')
  const ids: string[] = []
  for (const word of ['a', 'b', 'c', 'd', 'e']) ids.push(await post(engine, queue, clock, word, 0))
  ids.push(await post(engine, queue, clock, 'was delayed', 30))
  ids.push(await post(engine, queue, clock, 'delayed', 600))
  clock.advance(60_000)
  const now = clock.now()
  const { leases } = await engine.deliveries.lease({
    limit: 10,
    seconds: 10,
    batch: { notifications: 4, bytes: 1e6 },
    now,
  })
  const lease = leases[0] as Lease
  const [first, second, third, fourth] = lease.notifications.map(({ ref }) => ref) as [string, string, string, string]
  const expiresAt = now + 600_000
  await engine.deliveries.settle({
    lease,
    outcomes: [
      { ref: first, became: 'done' },
      { ref: second, became: 'failed', attempts: '[1]', expiresAt },
      { ref: third, became: 'failed', attempts: '[2]', expiresAt },
      { ref: fourth, became: 'postponed', until: now + 120_000, attempts: '[3]' },
    ],
    log: ['"one"', '"two"'],
    keep: { log: 10, failures: 10 },
    health: { failures: 2, failingSince: now, pausedUntil: null },
    next: null,
    restsUntil: null,
    now,
  })
  await engine.messages.delete({ queue, id: ids[0] as string, claimId: null, now })
  const terms = { limit: 1, ttlSeconds: 300, graceSeconds: 60, deadLetter: null }
  const returned = await engine.claims.create({ queue, ...terms, now })
  assert(returned !== STALE && returned !== null)
  await engine.claims.release({ queue, claimId: returned.id, now })
  const claim = await engine.claims.create({ queue, clientId: 'holder', key: 'k', ...terms, limit: 2, now })
  assert(claim !== STALE && claim !== null)
  const page = await engine.messages.list({ queue, ...listing, limit: 2, now })
  const failures = await engine.deliveries.failures({ queue, id: 's', after: null, limit: 1, now })
  assert(page !== STALE && page.marker !== null && failures !== STALE && failures?.marker)
  return { ids, claimId: claim.id, marker: page.marker, failureMarker: failures.marker }
}

const listing = { after: null, limit: 100, hideClientId: null, includeClaimed: true, includeDelayed: false }

/** All that can be seen of it without a change. */
async function look(engine: Storage, queue: QueueHandle, clock: ManualClock, seen: Seen) {
  const now = clock.now()
  const { messages, claims, subscriptions, deliveries, queues } = engine
  return {
    stats: await queues.stats({ queue, now }),
    metadata: (await queues.get({ key, now }))?.metadata,
    messages: await messages.get({ queue, ids: seen.ids, now }),
    list: await messages.list({ queue, ...listing, now }),
    free: await messages.list({ queue, ...listing, includeClaimed: false, now }),
    posted: await messages.list({ queue, ...listing, includeDelayed: true, now }),
    behind: await messages.list({ queue, ...listing, after: seen.marker, now }),
    whole: await messages.export({ queue, after: null, limit: 100, now }),
    claim: await claims.get({ queue, claimId: seen.claimId, now }),
    claims: await claims.list({ queue, after: null, limit: 10, now }),
    subscriptions: await subscriptions.list({ queue, after: null, limit: 10, now }),
    failures: await deliveries.failures({ queue, id: 's', after: null, limit: 10, now }),
    more: await deliveries.failures({ queue, id: 's', after: seen.failureMarker, limit: 10, now }),
    log: await deliveries.log({ queue, id: 's', now }),
  }
}

/** It works there as it would have in the old place. */
async function goOn(engine: Storage, queue: QueueHandle, clock: ManualClock, seen: Seen): Promise<void> {
  const { messages, claims, deliveries } = engine
  assert.equal(await post(engine, queue, clock, 'b', 0), seen.ids[1], 'a POST that is repeated')
  const terms = { limit: 5, ttlSeconds: 300, graceSeconds: 60, deadLetter: null, now: clock.now() }
  const again = await claims.create({ queue, key: 'k', ...terms })
  assert(again !== STALE && again?.id === seen.claimId, 'a claim that is repeated')
  const fresh = await claims.create({ queue, ...terms })
  assert(fresh !== STALE && fresh !== null)
  assert.deepEqual(
    fresh.messages.map(({ body }) => JSON.parse(body)),
    ['d', 'e', 'was delayed'],
  )
  clock.advance(10_000)
  const batch = { notifications: 10, bytes: 1e6 }
  const { leases } = await deliveries.lease({ limit: 10, seconds: 10, batch, now: clock.now() })
  const told = leases.flatMap(({ notifications }) =>
    notifications.map(({ content }) => (content.kind === 'message' ? JSON.parse(content.message.body) : content.text)),
  )
  assert.deepEqual(told, ['e', 'was delayed'])
  clock.advance(600_000)
  const late = await messages.list({ queue, ...listing, after: seen.marker, now: clock.now() })
  assert(late !== STALE)
  assert.deepEqual(
    late.messages.map(({ body }) => JSON.parse(body)),
    ['d', 'e', 'was delayed', 'delayed'],
  )
}
