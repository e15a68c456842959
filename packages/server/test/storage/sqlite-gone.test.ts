import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { GONE_MS, type QueueHandle, STALE, type Storage } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

const MIB = 1 << 20

interface Scene {
  readonly clock: ManualClock
  readonly storage: Storage
  readonly queue: QueueHandle
  post(clientId: string, bodies: readonly string[]): Promise<void>
  /** Posted, and popped at once. */
  take(clientId: string, bodies: readonly string[]): Promise<void>
  /** The bodies of a page with what is gone. */
  listed(terms?: { limit?: number; hideClientId?: string }): Promise<string[]>
}

/** A queue that is kept. */
async function withQueue(run: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new ManualClock()
  const storage = await openSqlite({ path: ':memory:', clock })
  const key = { project: 'alpha', kind: 'queue', name: 'jobs' } as const
  const { queue } = await storage.queues.create({ key, metadata: '{}', now: clock.now() })
  const end = await storage.keepGone(queue)
  const { messages } = storage
  const post: Scene['post'] = async (clientId, bodies) => {
    const posted = bodies.map((body) => ({ body, ttlSeconds: 3600, delaySeconds: 0 }))
    await messages.append({ queue, clientId, messages: posted, now: clock.now() })
  }
  await run({
    clock,
    storage,
    queue,
    post,
    async take(clientId, bodies) {
      await post(clientId, bodies)
      const popped = await messages.pop({ queue, limit: bodies.length, deadLetter: null, now: clock.now() })
      assert(popped !== STALE)
      assert.equal(popped.length, bodies.length)
    },
    async listed({ limit = 1000, hideClientId } = {}) {
      const page = await messages.list({
        queue,
        after: null,
        limit,
        hideClientId: hideClientId ?? null,
        includeClaimed: true,
        includeDelayed: false,
        includeGone: true,
        now: clock.now(),
      })
      assert(page !== STALE)
      return page.messages.map(({ body }) => body)
    },
  })
  end()
  await storage.close()
}

test('of what is gone some megabytes are kept, the latest', () =>
  withQueue(async ({ take, listed }) => {
    const bodies = Array.from({ length: 30 }, (_, i) => JSON.stringify(String(i).padEnd(MIB, '.')))
    for (const body of bodies) await take('poster', [body])
    const kept = await listed()
    assert(kept.length >= 8 && kept.length <= 20, `${kept.length} MiB are kept`)
    assert.deepEqual(kept, bodies.slice(-kept.length))
  }))

test('what is gone is forgotten when its time is over, whatever goes after it', () =>
  withQueue(async ({ clock, take, listed }) => {
    for (const body of ['1', '2', '3', '4']) {
      await take('poster', [body])
      clock.advance(GONE_MS / 2)
    }
    assert.deepEqual(await listed(), ['4'])
  }))

test('a page is filled although most of what is gone is hidden', () =>
  withQueue(async ({ take, listed }) => {
    for (const body of ['1', '2', '3']) {
      await take('ada', Array(1500).fill('0'))
      await take('bob', [body])
    }
    assert.deepEqual(await listed({ limit: 2, hideClientId: 'ada' }), ['1', '2'])
    assert.deepEqual(await listed({ limit: 4, hideClientId: 'ada' }), ['1', '2', '3'])
  }))

test('what is taken away while a listing looks further is shown once', () =>
  withQueue(async ({ post, storage, queue, clock, listed }) => {
    await post('bob', ['1'])
    await post('ada', Array(3000).fill('0'))
    await post('bob', ['2'])
    const listing = listed({ hideClientId: 'ada' })
    const popping = storage.messages.pop({ queue, limit: 1, deadLetter: null, now: clock.now() })
    assert.deepEqual(await listing, ['1', '2'])
    assert.notEqual(await popping, STALE)
    assert.deepEqual(await listed({ hideClientId: 'ada' }), ['1', '2'])
  }))

test('a move that fails after it has removed something leaves no ghost', () =>
  withQueue(async ({ post, storage, queue, clock, listed }) => {
    await post('bob', ['1', '2'])
    const now = clock.now()
    const terms = { limit: 1, ttlSeconds: 60, graceSeconds: 60, deadLetter: null, now }
    const claim = await storage.claims.create({ queue, ...terms })
    assert(claim !== null && claim !== STALE)
    const finished = claim.messages.map(({ id }) => ({ id, claimId: claim.id }))
    // The new claim cannot be stored, after the finished message was removed.
    await assert.rejects(storage.claims.exchange({ queue, finished, ...terms, ttlSeconds: null as never }))
    await post('bob', ['3'])
    assert.deepEqual(await listed(), ['1', '2', '3'])
  }))
