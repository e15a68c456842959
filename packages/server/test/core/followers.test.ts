import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { createModel, ManualClock } from 'zaqar-conformance'
import { type Follower, Followers, type Following } from '../../src/core/followers.ts'
import { createReadPage, type Page } from '../../src/core/listing.ts'
import { QueueDirectory } from '../../src/core/queue-directory.ts'
import type { QueueKey } from '../../src/model/model.ts'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { STALE, type Storage, StorageUnavailable } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { load } from '../config/memory.ts'
import { settled } from '../support/settled.ts'

const KIB = 1024
const QUEUE: QueueKey = { kind: 'queue', project: 'p', name: 'jobs' }
const LIMITS = {
  ...load({}).config.limits,
  deleteNeedsClaimIds: false,
  canEncryptMessages: false,
  hasPools: false,
  requiresConfirmation: false,
}

/** A store that counts what is read of it, and those who follow its queues. */
class Scene {
  readonly clock: ManualClock
  readonly storage: Storage
  readonly queues: QueueDirectory
  readonly budget: MemoryBudget
  readonly followers: Followers
  reads = 0
  /** What chance brings. */
  fraction = 0
  watches = 0
  /** Comes between a read and its answer. */
  onRead: () => void | Promise<void> = () => {}

  constructor(clock: ManualClock, storage: Storage) {
    this.clock = clock
    this.storage = storage
    this.queues = new QueueDirectory(storage.queues, null, LIMITS)
    this.budget = new MemoryBudget({ bytes: 1024 * KIB, clock })
    const readPage = createReadPage(storage, this.queues)
    this.followers = new Followers({
      watch: (queue, listener) => {
        this.watches += 1
        const unwatch = storage.watch(queue, listener)
        return () => {
          this.watches -= 1
          unwatch()
        }
      },
      readPage: async (listing, now) => {
        this.reads += 1
        const page = await readPage(listing, now)
        await this.onRead()
        return page
      },
      clock,
      budget: this.budget,
      ids: { randomFraction: () => this.fraction },
    })
  }

  async post(
    bodies: readonly string[],
    { clientId = 'somebody', delaySeconds = 0, key = QUEUE } = {},
  ): Promise<string[]> {
    const now = this.clock.now()
    const messages = bodies.map((body) => ({ body, ttlSeconds: 300, delaySeconds }))
    const appended = await this.queues.useOrCreate(key, now, async (queue) => {
      const answer = await this.storage.messages.append({ queue, clientId, messages, now })
      assert.ok(answer !== 'conflict')
      return answer
    })
    return appended.ids
  }

  async deleteQueue(): Promise<void> {
    const now = this.clock.now()
    await this.queues.use(QUEUE, now, (queue) => this.storage.queues.delete({ queue, now }))
  }

  /** How many reads something costs. */
  async readsOf(run: () => Promise<unknown>): Promise<number> {
    const before = this.reads
    await run()
    await settled()
    return this.reads - before
  }
}

async function openScene(t: TestContext): Promise<Scene> {
  const clock = new ManualClock()
  const storage = await openSqlite({ path: ':memory:', clock })
  t.after(() => storage.close())
  return new Scene(clock, storage)
}

/** Notes what it sees. */
class Reader implements Follower {
  readonly key: QueueKey = QUEUE
  readonly after: string | null = null
  readonly limit: number = 10
  readonly hideClientId: string | null = null
  readonly includeClaimed: boolean = true
  readonly includeDelayed: Follower['includeDelayed'] = 'never'
  readonly once: boolean = false
  readonly seen: string[] = []
  readonly pages: Page[] = []
  readonly failures: unknown[] = []
  readonly stops: unknown[] = []
  missed = 0
  /** Resolves when it has taken the page that it was handed last; null: it takes pages at once. */
  busy: PromiseWithResolvers<void> | null = null
  readonly following: Following

  constructor({ followers }: Scene, terms: Partial<Follower> = {}) {
    Object.assign(this, terms)
    this.following = followers.follow(this)
  }

  onPage(page: Page): void | Promise<void> {
    this.pages.push(page)
    this.seen.push(...page.messages.map(({ body }) => body))
    return this.busy?.promise
  }

  onFailure(error: unknown): void {
    this.failures.push(error)
  }

  onStopped(error: unknown): void {
    this.stops.push(error)
  }

  onMissed(): void {
    this.missed += 1
  }

  /** Has taken its page, and takes others at once. */
  goOn(): void {
    this.busy?.resolve()
    this.busy = null
  }
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

describe('followers of a queue', () => {
  test('see what is there and what comes, once and in order, each from where it stands', async (t) => {
    const scene = await openScene(t)
    await scene.post(['a', 'b', 'c'])
    const first = new Reader(scene, { limit: 2 })
    await settled()
    assert.deepEqual(
      first.pages.map(({ messages }) => messages.map(({ body }) => body)),
      [['a', 'b'], ['c']],
    )
    const second = new Reader(scene, { after: first.pages[0]?.marker as string })
    await scene.post(['d'])
    await scene.post(['e'])
    await settled()
    assert.deepEqual(first.seen, ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(second.seen, ['c', 'd', 'e'])
  })

  test('cost one read, however many they are', async (t) => {
    const scene = await openScene(t)
    const readers = times(1000, () => new Reader(scene))
    await settled()
    for (const body of ['a', 'b', 'c']) assert.equal(await scene.readsOf(() => scene.post([body])), 1)
    for (const { seen } of readers) assert.deepEqual(seen, ['a', 'b', 'c'])
  })

  test('cost one read for each wish, and are together wherever they began', async (t) => {
    const scene = await openScene(t)
    await scene.post(['a', 'b', 'c'])
    const wishes: Partial<Follower>[] = [{}, { limit: 5 }, { includeClaimed: false }, { includeDelayed: 'always' }]
    const readers = wishes.map((wish) => new Reader(scene, wish))
    await settled()
    // A place in the order of posting has another marker than one in the order of places.
    const others = readers.flatMap(({ pages }, i) =>
      [null, ...pages.map(({ marker }) => marker)].flatMap((after) =>
        times(10, () => new Reader(scene, { ...wishes[i], after })),
      ),
    )
    await settled()
    assert.equal(await scene.readsOf(() => scene.post(['d'])), 4)
    for (const { seen } of readers) assert.deepEqual(seen, ['a', 'b', 'c', 'd'])
    for (const { seen } of others) assert.equal(seen.at(-1), 'd')
  })

  test('cost nothing where one joins others who have seen all there is, and when nothing happens', async (t) => {
    const scene = await openScene(t)
    const first = new Reader(scene)
    await settled()
    assert.equal(await scene.readsOf(async () => new Reader(scene)), 0)
    assert.equal(await scene.readsOf(async () => scene.clock.advance(60_000)), 0)
    await scene.post(['a'], { key: { ...QUEUE, name: 'other' } })
    assert.deepEqual(first.seen, [])
  })

  test('are not held up by a slow one, which holds one page, catches up and is with them again', async (t) => {
    const scene = await openScene(t)
    const fast = new Reader(scene, { limit: 2 })
    const slow = new Reader(scene, { limit: 2 })
    slow.busy = Promise.withResolvers()
    const bodies = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    for (const body of bodies) await scene.post([body])
    await settled()
    assert.deepEqual(fast.seen, bodies)
    assert.equal(slow.pages.length, 1)
    slow.goOn()
    await settled()
    assert.deepEqual(slow.seen, bodies)
    assert.equal(await scene.readsOf(() => scene.post(['h'])), 1)
    assert.equal(slow.seen.at(-1), 'h')
    slow.following.stop()
    await scene.post(['i'])
    await settled()
    assert.equal(fast.seen.at(-1), 'i')
    assert.equal(slow.seen.at(-1), 'h')
  })

  test('see what comes while they are being read for', async (t) => {
    const scene = await openScene(t)
    const reader = new Reader(scene)
    await settled()
    scene.onRead = async () => {
      scene.onRead = () => {}
      await scene.post(['b'])
    }
    await scene.post(['a'])
    await settled()
    assert.deepEqual(reader.seen, ['a', 'b'])
  })

  test('see nothing that was gone when they came', async (t) => {
    const scene = await openScene(t)
    const reader = new Reader(scene)
    await settled()
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.onRead = () => promise
    await scene.post(['a'])
    await settled()
    await scene.deleteQueue()
    const late = new Reader(scene)
    resolve()
    await settled()
    assert.deepEqual(reader.seen, ['a'])
    assert.deepEqual(late.seen, [])
  })

  test('do not see what they posted, and cost one read all the same', async (t) => {
    const scene = await openScene(t)
    const readers = ['x', 'y', 'z'].map((hideClientId) => new Reader(scene, { hideClientId }))
    await settled()
    for (const clientId of ['x', 'y', 'y']) {
      assert.equal(await scene.readsOf(() => scene.post([`of ${clientId}`], { clientId })), 1)
    }
    assert.deepEqual(
      readers.map(({ seen }) => seen),
      [['of y', 'of y'], ['of x'], ['of x', 'of y', 'of y']],
    )
  })

  test('who stop at their first page get the page of a listing, though it is read for all', async (t) => {
    const scene = await openScene(t)
    const terms = { once: true, limit: 2, hideClientId: 'x' }
    const [own, other] = [new Reader(scene, terms), new Reader(scene, { ...terms, hideClientId: 'y' })]
    await settled()
    await scene.post(['1', '2'], { clientId: 'x' })
    await settled()
    assert.deepEqual(own.seen, [])
    assert.deepEqual(other.seen, ['1', '2'])
    await scene.post(['3'], { clientId: 'y' })
    await scene.post(['4'], { clientId: 'x' })
    await settled()
    assert.deepEqual(own.seen, ['3'])
    const queue = await scene.storage.queues.get({ key: QUEUE, now: scene.clock.now() })
    assert.ok(queue !== null)
    const listed = await scene.storage.messages.list({ ...own, queue, includeDelayed: false, now: scene.clock.now() })
    assert.ok(listed !== STALE)
    assert.deepEqual(own.pages[0]?.messages, listed.messages)
    assert.equal(own.pages[0]?.marker, listed.marker)
    assert.equal(scene.watches, 0)
  })

  test('go on when their queue is not there yet, goes, or comes again', async (t) => {
    const scene = await openScene(t)
    const reader = new Reader(scene)
    await settled()
    await scene.post(['a', 'b'])
    await settled()
    await scene.deleteQueue()
    await scene.post(['c'])
    await settled()
    assert.deepEqual(reader.seen, ['a', 'b', 'c'])
  })

  test('see what was delayed when its delay is over', async (t) => {
    const scene = await openScene(t)
    const reader = new Reader(scene)
    await scene.post(['late'], { delaySeconds: 5 })
    await scene.post(['early'])
    await settled()
    assert.deepEqual(reader.seen, ['early'])
    scene.clock.advance(5_000)
    await settled()
    assert.deepEqual(reader.seen, ['early', 'late'])
  })

  test('are told when the storage cannot be read, and see all when it can again', async (t) => {
    const scene = await openScene(t)
    const reader = new Reader(scene)
    const once = new Reader(scene, { once: true })
    await settled()
    scene.onRead = () => {
      throw new StorageUnavailable('for a while')
    }
    await scene.post(['a'])
    await settled()
    scene.onRead = () => {}
    for (const { failures } of [reader, once]) assert.equal(failures.length, 1)
    scene.clock.advance(1_000)
    await settled()
    assert.deepEqual(reader.seen, ['a'])
    assert.deepEqual(once.seen, [])
  })

  test('are read for again after a second, then ever later up to four, and not all at the same time', async (t) => {
    const scene = await openScene(t)
    new Reader(scene)
    await settled()
    scene.onRead = () => {
      throw new StorageUnavailable('for a while')
    }
    await scene.post(['a'])
    await settled()
    for (const [fraction, milliseconds] of [
      [0.5, 1_000],
      [0, 1_500],
      [0, 4_000],
      [0.999, 4_000],
      [0, 2_002],
    ] as const) {
      scene.fraction = fraction
      assert.equal(await scene.readsOf(async () => scene.clock.advance(milliseconds - 1)), 0, String(milliseconds))
      assert.equal(await scene.readsOf(async () => scene.clock.advance(1)), 1, String(milliseconds))
    }
  })

  for (const [how, onPage] of [
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken')
      },
    ],
  ] as const) {
    test(`are not hurt by one that ${how}`, async (t) => {
      const scene = await openScene(t)
      const before = new Reader(scene)
      const broken = new Reader(scene, { onPage })
      const behind = new Reader(scene)
      await scene.post(['a'])
      await scene.post(['b'])
      await settled()
      for (const { seen } of [before, behind]) assert.deepEqual(seen, ['a', 'b'])
      assert.deepEqual([broken.failures.length, broken.stops.length], [0, 1])
    })
  }

  test('wait for memory when a page is long', async (t) => {
    const scene = await openScene(t)
    const readers = times(5, () => new Reader(scene, { once: true }))
    const holding = scene.budget.hold(900 * KIB, null)
    await scene.post(times(3, () => `"${'x'.repeat(30 * KIB)}"`))
    await settled()
    assert.deepEqual(
      readers.map(({ pages }) => pages.length),
      [0, 0, 0, 0, 0],
    )
    holding?.release()
    await settled()
    assert.deepEqual(
      readers.map(({ pages }) => pages.length),
      [1, 1, 1, 1, 1],
    )
    assert.equal(scene.budget.held, 0)
  })

  test('get nothing after they have stopped, and leave nothing behind', async (t) => {
    const scene = await openScene(t)
    const [idle, reading, slow] = [new Reader(scene), new Reader(scene), new Reader(scene)]
    await settled()
    assert.equal(scene.watches, 1)
    idle.following.stop()
    idle.following.stop()
    const { promise, resolve } = Promise.withResolvers<void>()
    slow.busy = Promise.withResolvers()
    scene.onRead = () => promise
    await scene.post(['a'])
    reading.following.stop()
    resolve()
    await settled()
    assert.deepEqual(slow.seen, ['a'])
    slow.following.stop()
    slow.goOn()
    assert.equal(await scene.readsOf(() => scene.post(['b'])), 0)
    assert.deepEqual([...idle.seen, ...reading.seen], [])
    assert.equal(scene.watches, 0)
  })
})

type Step =
  | { readonly kind: 'post'; readonly count: number; readonly clientId: string; readonly delaySeconds: number }
  | { readonly kind: 'delete'; readonly which: number }
  | { readonly kind: 'delete-queue' }
  | { readonly kind: 'pass'; readonly seconds: number }
  | {
      readonly kind: 'join'
      readonly limit: number
      readonly hideClientId: string | null
      readonly behind: number | null
    }
  | { readonly kind: 'stop' | 'slow-down' | 'take'; readonly which: number }
  /** How many turns of the event loop reads take from now on. */
  | { readonly kind: 'read-slowly'; readonly turns: number }
  | { readonly kind: 'settle' }

const which = fc.nat(99)
const clientId = fc.constantFrom('x', 'y', 'z')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('post'),
      count: fc.integer({ min: 1, max: 4 }),
      clientId,
      delaySeconds: fc.constantFrom(0, 0, 0, 5),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete-queue') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass'), seconds: fc.constantFrom(1, 5, 120) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('join'),
      limit: fc.constantFrom(1, 2, 10),
      hideClientId: fc.option(clientId),
      behind: fc.option(which),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('stop', 'slow-down', 'take', 'take'), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read-slowly'), turns: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle') }) },
)

/** What happens to a queue and to those who follow it. */
class World {
  readonly scene: Scene
  ids: string[] = []
  readers: Reader[] = []
  /** What those had seen who have stopped. */
  readonly #stopped = new Map<Reader, number>()
  #posted = 0

  constructor() {
    const clock = new ManualClock()
    this.scene = new Scene(clock, createModel(clock))
  }

  async take(step: Step): Promise<void> {
    const { scene } = this
    switch (step.kind) {
      case 'post': {
        const bodies = times(step.count, () => String(this.#posted++))
        this.ids.push(...(await scene.post(bodies, step)))
        return
      }
      case 'delete':
        return this.#delete(step.which)
      case 'delete-queue':
        return scene.deleteQueue()
      case 'pass':
        return scene.clock.advance(step.seconds * 1000)
      case 'join': {
        const { limit, hideClientId } = step
        const after = step.behind === null ? null : (this.#reader(step.behind)?.pages.at(-1)?.marker ?? null)
        this.readers.push(new Reader(scene, { limit, hideClientId, after }))
        return
      }
      case 'stop': {
        const reader = this.#reader(step.which)
        if (reader === undefined) return
        reader.following.stop()
        this.#stopped.set(reader, reader.seen.length)
        this.readers = this.readers.filter((other) => other !== reader)
        return
      }
      case 'slow-down': {
        const reader = this.#reader(step.which)
        if (reader) reader.busy ??= Promise.withResolvers()
        return
      }
      case 'take':
        return this.#reader(step.which)?.goOn()
      case 'read-slowly':
        scene.onRead = async () => {
          for (let turn = 0; turn < step.turns; turn++) await new Promise(setImmediate)
        }
        return
      case 'settle':
        return settled()
    }
  }

  /** Each has seen what stays and is not its own, once and in order. */
  async check(): Promise<void> {
    const { scene } = this
    for (const reader of this.readers) reader.goOn()
    scene.onRead = () => {}
    while ((await scene.readsOf(settled)) > 0);
    for (const [{ seen }, count] of this.#stopped) assert.equal(seen.length, count, 'one saw more after it had stopped')
    const { storage, clock } = scene
    const now = clock.now()
    const queue = await storage.queues.get({ key: QUEUE, now })
    for (const { after, hideClientId, includeClaimed, seen, failures } of this.readers) {
      assert.deepEqual(failures, [])
      assert.equal(new Set(seen).size, seen.length, `one saw a message twice: ${seen}`)
      if (queue === null) continue
      const terms = { queue, after, limit: 1000, hideClientId, includeClaimed, includeDelayed: false, now }
      const stay = await storage.messages.list(terms)
      assert.ok(stay !== STALE)
      const bodies = stay.messages.map(({ body }) => body)
      assert.deepEqual(
        seen.filter((body) => bodies.includes(body)),
        bodies,
      )
    }
  }

  async #delete(index: number): Promise<void> {
    const id = this.ids[index % this.ids.length]
    const now = this.scene.clock.now()
    if (id === undefined) return
    await this.scene.queues.use(QUEUE, now, (queue) =>
      this.scene.storage.messages.delete({ queue, id, claimId: null, now }),
    )
  }

  #reader(index: number): Reader | undefined {
    return this.readers[index % this.readers.length]
  }
}

test('followers of any sort see each message that stays, once and in order, whatever happens', async () => {
  const steps = fc.array(step, { maxLength: 60, size: 'max' })
  const holds = async (taken: readonly Step[]) => {
    const world = new World()
    for (const step of taken) await world.take(step)
    await world.check()
  }
  await fc.assert(fc.asyncProperty(steps, holds), { numRuns: 300 })
})
