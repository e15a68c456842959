import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { checksummedStorage } from '../../src/storage/checksummed/checksummed-storage.ts'
import { GONE_MS, type QueueHandle, STALE, type Storage } from '../../src/storage/contract.ts'
import { encryptedStorage } from '../../src/storage/encrypted/encrypted-storage.ts'
import { MessageCipher } from '../../src/storage/encrypted/message-cipher.ts'
import { pacedStorage } from '../../src/storage/paced/paced-storage.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { until } from '../support/until.ts'

const MIB = 1 << 20

interface Scene {
  readonly clock: ManualClock
  readonly storage: Storage
  readonly queue: QueueHandle
  /** In another project of the same store. */
  readonly another: Jobs
  post: Jobs['post']
  take: Jobs['take']
  /** The bodies of a page with what is gone. */
  listed(terms?: { limit?: number; hideClientId?: string }): Promise<string[]>
}

/** A queue that is kept. */
class Jobs {
  readonly #storage: Storage
  readonly #clock: ManualClock
  readonly queue: QueueHandle
  readonly end: () => void

  private constructor(storage: Storage, clock: ManualClock, queue: QueueHandle, end: () => void) {
    this.#storage = storage
    this.#clock = clock
    this.queue = queue
    this.end = end
  }

  static async open(storage: Storage, clock: ManualClock, project: string): Promise<Jobs> {
    const key = { project, kind: 'queue', name: 'jobs' } as const
    const { queue } = await storage.queues.create({ key, metadata: '{}', now: clock.now() })
    return new Jobs(storage, clock, queue, await storage.keepGone(queue))
  }

  async post(clientId: string, bodies: readonly string[], ttlSeconds = 3600): Promise<void> {
    const messages = bodies.map((body) => ({ body, ttlSeconds, delaySeconds: 0 }))
    await this.#storage.messages.append({ queue: this.queue, clientId, messages, now: this.#clock.now() })
  }

  /** Posted, and popped at once. */
  async take(clientId: string, bodies: readonly string[], ttlSeconds?: number): Promise<void> {
    await this.post(clientId, bodies, ttlSeconds)
    const terms = { queue: this.queue, limit: bodies.length, deadLetter: null, now: this.#clock.now() }
    const popped = await this.#storage.messages.pop(terms)
    assert(popped !== STALE)
    assert.equal(popped.length, bodies.length)
  }

  /** The sweeper has forgotten what is gone but for so many. */
  async forgottenBut(left: number): Promise<void> {
    await until(async () => {
      this.#clock.advance(1000)
      return (await this.list()).bodies.length === left
    })
  }

  /** With what is gone. */
  async list(terms: { after?: string | null; limit?: number; hideClientId?: string | null } = {}) {
    const page = await this.#storage.messages.list({
      queue: this.queue,
      after: null,
      limit: 1000,
      hideClientId: null,
      includeClaimed: true,
      includeDelayed: false,
      includeGone: true,
      withMarkers: true,
      ...terms,
      now: this.#clock.now(),
    })
    assert(page !== STALE)
    return { ...page, bodies: page.messages.map(({ body }) => body) }
  }
}

async function withQueue(run: (scene: Scene & { readonly jobs: Jobs }) => Promise<void>): Promise<void> {
  const clock = new ManualClock()
  const storage = await openSqlite({ path: ':memory:', clock })
  const jobs = await Jobs.open(storage, clock, 'alpha')
  const another = await Jobs.open(storage, clock, 'beta')
  await run({
    clock,
    storage,
    jobs,
    another,
    queue: jobs.queue,
    post: (clientId, bodies) => jobs.post(clientId, bodies),
    take: (clientId, bodies) => jobs.take(clientId, bodies),
    listed: async (terms) => (await jobs.list(terms)).bodies,
  })
  jobs.end()
  another.end()
  await storage.close()
}

test('of what is gone some megabytes are kept, the latest, and who misses the others is told', () =>
  withQueue(async ({ jobs }) => {
    const bodies = Array.from({ length: 80 }, (_, i) => JSON.stringify(String(i).padEnd(MIB, '.')))
    await jobs.take('poster', bodies.slice(0, 1))
    const { marker } = await jobs.list()
    for (const body of bodies.slice(1)) await jobs.take('poster', [body])
    const fromAll = await jobs.list()
    const kept = fromAll.bodies.length
    assert(kept >= 50 && kept <= 64, `${kept} MiB are kept`)
    assert.deepEqual(fromAll.bodies, bodies.slice(-kept))
    assert.equal(fromAll.missed, true)
    assert.equal((await jobs.list({ after: marker, limit: 1 })).missed, true)
    const [first] = fromAll.messages
    assert(first?.marker)
    const behind = await jobs.list({ after: first.marker })
    assert.deepEqual(behind.bodies, bodies.slice(1 - kept))
    assert(!('missed' in behind))
  }))

test('a project that removes much loses nothing of another', () =>
  withQueue(async ({ jobs, another }) => {
    const body = JSON.stringify('.'.repeat(MIB))
    for (let i = 0; i < 3; i++) await another.take('poster', [body])
    for (let i = 0; i < 80; i++) await jobs.take('poster', [body])
    for (let i = 0; i < 3; i++) await another.take('poster', [body])
    const page = await another.list()
    assert.equal(page.bodies.length, 6)
    assert(!('missed' in page))
    assert.equal((await jobs.list()).missed, true)
    // Two that remove much have about the same.
    for (let i = 0; i < 80; i++) await another.take('poster', [body])
    const kept = [(await jobs.list()).bodies.length, (await another.list()).bodies.length]
    assert(
      kept.every((count) => count >= 28 && count <= 34),
      `${kept} MiB are kept`,
    )
  }))

test('what is gone is forgotten when its time is over, whatever goes after it; who misses it is told', () =>
  withQueue(async ({ clock, jobs }) => {
    for (const body of ['1', '2', '3', '4']) {
      await jobs.take('poster', [body])
      clock.advance(GONE_MS / 2)
    }
    await jobs.forgottenBut(1)
    const { bodies, missed, marker } = await jobs.list()
    assert.deepEqual(bodies, ['4'])
    assert.equal(missed, true)
    assert(!('missed' in (await jobs.list({ after: marker }))))
    clock.advance(GONE_MS)
    await jobs.take('poster', ['5'])
    const page = await jobs.list({ after: marker })
    assert.deepEqual(page.bodies, ['5'])
    assert(!('missed' in page))
  }))

test('who misses something is told through all that wraps a store', () =>
  withQueue(async ({ clock, storage }) => {
    const limits = { maxMessagesPostBytes: MIB, maxQueueMetadataBytes: MIB, maxMessagesPerClaimOrPop: 20 }
    const paced = pacedStorage(storage, new MemoryBudget({ bytes: MIB, clock }), limits)
    const wrapped = encryptedStorage(checksummedStorage(paced), new MessageCipher('a key', []), () => true)
    const jobs = await Jobs.open(wrapped, clock, 'gamma')
    await jobs.take('poster', ['1'])
    clock.advance(GONE_MS)
    await jobs.forgottenBut(0)
    assert.equal((await jobs.list()).missed, true)
    jobs.end()
  }))

test('in a queue that was emptied nothing is missed', () =>
  withQueue(async ({ clock, storage, queue, jobs }) => {
    await jobs.take('poster', ['1'])
    clock.advance(GONE_MS)
    await jobs.forgottenBut(0)
    await storage.messages.purge({ queue, now: clock.now() })
    assert(!('missed' in (await jobs.list())))
    await jobs.take('poster', ['2'])
    const page = await jobs.list()
    assert.deepEqual(page.bodies, ['2'])
    assert(!('missed' in page))
  }))

test('what would have expired is not missed', () =>
  withQueue(async ({ clock, jobs, another }) => {
    await jobs.take('poster', ['1'], 1)
    await another.take('poster', ['1'])
    clock.advance(GONE_MS)
    await another.forgottenBut(0)
    assert.deepEqual(await jobs.list(), { messages: [], marker: null, bodies: [] })
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
