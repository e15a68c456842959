import assert from 'node:assert/strict'
import type { MovedRecord, MoveStore, QueueHandle, QueueKey } from 'zaqar/storage'
import { QueueMoving, STALE } from 'zaqar/storage'
import { failed, fresh, postponed, type Scene, toldBy } from '../scene.ts'
import { withSignals } from '../signal.ts'
import type { It } from './case.ts'

/** A queue goes from one store to another while it is in use; any step may be the last one of its mover. */
export function moveCases(it: It): void {
  const needingPeer = (sentence: string, run: (scene: Scene) => Promise<void>) => it.needing('openPeer', sentence, run)

  needingPeer('a queue is there with all that it holds, and what was handed out is good', async (scene) => {
    const { queue, ids, claimId, marker } = await fill(scene)
    const before = await look(scene, queue)
    const move = await Move.begin(scene)
    const moved = await move.complete()
    const { to } = move
    assert.deepEqual(await look(to, moved), before)
    assert.deepEqual(await to.listed(moved, { after: marker, includeClaimed: true }), ['c', 'd'])
    assert.equal((await to.getOne(moved, ids[2] as string)).body, '"c"')
    assert.equal((await to.getClaim(moved, claimId))?.messages.length, 1)
    assert.equal((await to.claim(moved, { key: 'again', limit: 1 })).id, claimId, 'a claim that is repeated')
    assert.deepEqual(await postWithKey(to, moved, 'a'), ids.slice(0, 1), 'a POST that is repeated')
    await to.release(moved, claimId)
    assert.deepEqual(await to.claimed(moved), ['b', 'c', 'd'])
    assert.equal(await scene.storage.queues.get({ key: KEY, now: scene.now }), null)
    assert.deepEqual(await fencedIn(scene, to), [])
  })

  needingPeer('delays end there, and what takes a place takes it behind all that is there', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 60 }, 'delayed')
    await scene.post(queue, 'a')
    const { marker } = await scene.list(queue)
    const move = await Move.begin(scene)
    const moved = await move.complete()
    await move.to.post(moved, 'b')
    scene.pass(60)
    assert.deepEqual(await move.to.listed(moved, { after: marker }), ['b', 'delayed'])
  })

  needingPeer('a lease goes on, and what was handed out with it is settled there', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'failed', 'postponed', 'done')
    await scene.announce(queue, 'announced')
    const lease = await scene.leaseOne()
    assert.equal(lease.notifications.length, 4)
    const move = await Move.begin(scene)
    const moved = await move.complete()
    const { to } = move
    assert.deepEqual((await to.lease()).leases, [], 'it is leased')
    assert.equal(await scene.trySettle(lease), 'lost')
    const [announced, first, second, third] = lease.notifications
    assert(announced && first && second && third)
    const outcomes = [
      { ref: announced.ref, became: 'done' as const },
      ...failed([first], to.now + 600_000),
      ...postponed([second], to.now + 60_000),
      { ref: third.ref, became: 'done' as const },
    ]
    await to.settle(lease, { outcomes })
    assert.deepEqual(await to.failed(moved), ['failed'])
    assert.deepEqual(await to.owed(), {})
    scene.pass(60)
    assert.deepEqual(await to.owed(), { s: ['postponed'] })
    assert.equal(await to.trySettle(lease), 'lost')
  })

  needingPeer('a lease that nobody settles ends when it would have', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'a')
    const lease = await scene.leaseOne({ seconds: 60 })
    const move = await Move.begin(scene)
    const { to } = move
    await move.complete()
    scene.passAlmost(60)
    assert.deepEqual((await to.lease()).leases, [])
    scene.clock.advance(1)
    assert.deepEqual(toldBy((await to.leaseOne()).notifications), ['a'])
    assert.equal(await to.trySettle(lease), 'lost')
  })

  needingPeer('a log keeps there as much as it kept', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const move = await Move.begin(scene)
    const { to } = move
    await move.complete()
    const moved = await to.queue()
    await to.post(moved, 'a')
    const keep = { log: 3, failures: 3 }
    await to.settle(await to.leaseOne(), { log: ['"1"', '"2"', '"3"', '"4"'], keep })
    assert.deepEqual(await to.log(moved), ['"2"', '"3"', '"4"'])
  })

  needingPeer('a page holds no more than it may, and the next one goes on behind it', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c', 'd', 'e')
    const move = await Move.begin(scene)
    const keys: unknown[] = []
    for (let left = true; left; ) {
      const page = await move.read(2)
      const messages = page.records.filter(({ of }) => of === 'message')
      assert(messages.length <= 2)
      keys.push(...messages.map(({ key }) => key[0]))
      assert.equal(await move.write(page.records, page.cursor), 'stored')
      left = page.left
    }
    assert.equal(keys.length, 5)
    assert.equal(new Set(keys).size, 5)
    const large = await move.read(100, null, 1)
    assert(large.left && large.records.filter(({ of }) => of === 'message').length <= 1, 'nor more bytes')
  })

  needingPeer('records that are stored twice are there once', async (scene) => {
    const { queue } = await fill(scene)
    const before = await look(scene, queue)
    const move = await Move.begin(scene)
    const page = await move.read(1_000)
    for (let times = 2; times > 0; times -= 1) assert.equal(await move.write(page.records, page.cursor), 'stored')
    assert.deepEqual(await look(move.to, await move.complete()), before)
  })

  needingPeer('what changes meanwhile is handed out as it is by then', async (scene) => {
    const { queue, ids, claimId } = await fill(scene)
    const move = await Move.begin(scene)
    await move.copyAll()
    assert.equal((await move.read()).left, false, 'nothing has changed')
    await scene.delete(queue, ids[3] as string)
    await scene.release(queue, claimId)
    await scene.post(queue, 'late')
    await scene.subscribe(queue, 't')
    await scene.unsubscribe(queue)
    const before = await look(scene, queue, 't')
    const moved = await move.complete()
    assert.deepEqual(await look(move.to, moved, 't'), before)
    assert.equal(await move.to.subscription(moved), null)
  })

  needingPeer('a mover that is cut off is gone on with', async (scene) => {
    const { queue } = await fill(scene)
    const before = await look(scene, queue)
    const first = await Move.begin(scene, 'first')
    const page = await first.read(2)
    assert.equal(await first.write(page.records, page.cursor), 'stored')
    const second = await Move.begin(scene, 'second')
    assert.deepEqual([second.copy, second.cursor], [first.copy, page.cursor])
    assert.equal(await first.write([], page.cursor), 'lost', 'the first one has lost it')
    // What was read last may not have been stored: it comes again.
    await second.read(2)
    assert.deepEqual(await look(second.to, await second.complete()), before)
  })

  needingPeer('a copy serves nobody, and is none of the queues that are listed or counted', async (scene) => {
    await fill(scene)
    const move = await Move.begin(scene)
    const { to } = move
    await move.copyAll()
    await assertMoving(to, 'arriving', 'token')
    assert.deepEqual((await to.lease()).leases, [])
    assert.deepEqual(await to.departures(), [])
    if (!to.clients.abilities.keepsRegistry) return
    const { project, kind } = KEY
    const terms = { project, kind, after: null, limit: 10, nameContains: null, metadata: [], withMetadata: false }
    assert.deepEqual(await to.storage.queues.list({ ...terms, now: to.now }), [])
    assert.equal(await to.storage.queues.count({ project, kind, now: to.now }), 0)
    const usage = await to.storage.queues.usage({ project, now: to.now })
    assert.deepEqual(usage, { queues: 0, messages: 0, bytes: 0 })
  })

  needingPeer('a queue that is fenced serves nobody, and serves again when that is lifted', async (scene) => {
    const { queue } = await fill(scene)
    const before = await look(scene, queue)
    const move = await Move.begin(scene)
    await move.copyAll()
    await withSignals(
      (listener) => scene.storage.watch(KEY, listener),
      async (signals) => {
        await signals.after(() => move.fence())
        await assertMoving(scene, 'leaving', 'token')
        assert.equal(await scene.storage.queues.stats({ queue, now: scene.now }), STALE)
        const messages = [{ body: '1', ttlSeconds: 60, delaySeconds: 0 }]
        assert.equal(await scene.storage.messages.append({ queue, clientId: 'c', messages, now: scene.now }), STALE)
        assert.equal(await scene.storage.queues.delete({ queue, now: scene.now }), STALE)
        assert.deepEqual((await scene.lease()).leases, [])
        assert.equal(await movesOf(scene).lift({ key: KEY, token: 'another', now: scene.now }), 'lost')
        await signals.after(async () => assert.equal(await move.lift(scene), 'lifted'))
      },
    )
    const again = await scene.queue()
    assert.deepEqual(await look(scene, again), before)
    assert.equal(await move.lift(scene), 'lost')
  })

  needingPeer('of a queue that is emptied there is another copy, of one that is deleted none', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const move = await Move.begin(scene)
    await move.copyAll()
    fresh(await scene.storage.messages.purge({ queue, now: scene.now }))
    assert.equal(await move.tryRead(), 'lost')
    assert.equal(await move.tryFence(), 'lost')
    const next = await Move.begin(scene)
    assert.notEqual(next.copy, move.copy)
    assert.equal(next.cursor, null)
    await next.copyAll()
    fresh(await scene.storage.queues.delete({ queue, now: scene.now }))
    assert.equal(await next.tryRead(), 'lost')
    assert.equal(await next.tryFence(), 'lost')
    assert.equal(await movesOf(scene).begin({ key: KEY, now: scene.now }), null)
  })

  needingPeer('where a queue serves there is no room for a copy', async (scene) => {
    await scene.queue()
    const to = await scene.peer()
    const there = await to.queue()
    const copy = await movesOf(scene).begin({ key: KEY, now: scene.now })
    assert(copy !== null)
    const receive = () => movesOf(to).receive({ key: KEY, copy, token: 'token', now: to.now })
    assert.equal(await receive(), 'occupied')
    fresh(await to.storage.queues.delete({ queue: there, now: to.now }))
    assert.deepEqual(await receive(), { cursor: null })
  })

  needingPeer('what is dropped is gone, and what is forgotten begins anew', async (scene) => {
    const { queue } = await fill(scene)
    const before = await look(scene, queue)
    const move = await Move.begin(scene)
    await move.copyAll()
    await move.fence()
    const { to } = move
    const fenced = [
      { key: KEY, role: 'leaving', token: 'token' },
      { key: KEY, role: 'arriving', token: 'token' },
    ]
    assert.deepEqual(await fencedIn(scene, to), fenced)
    assert.equal(await movesOf(to).drop({ key: KEY, token: 'another', now: to.now }), 'lost')
    assert.equal(await movesOf(to).drop({ key: KEY, token: 'token', now: to.now }), 'dropped')
    assert.equal(await to.storage.queues.get({ key: KEY, now: to.now }), null)
    assert.equal(await move.write([], '[]'), 'lost')
    assert.equal(await move.lift(scene), 'lifted')
    await movesOf(scene).end({ key: KEY, now: scene.now })
    assert.deepEqual(await fencedIn(scene, to), [])
    assert.equal(await move.tryRead(), 'lost')
    const again = await Move.begin(scene)
    assert.notEqual(again.copy, move.copy)
    assert.deepEqual(await look(again.to, await again.complete()), before)
  })
}

const KEY: QueueKey = { project: 'alpha', kind: 'queue', name: 'jobs' }

/** An attempt at moving the queue to the peer, step by step. */
class Move {
  readonly #from: Scene
  readonly to: Scene
  readonly copy: string
  readonly #token: string
  /** How far the copy has come. */
  cursor: string | null

  static async begin(from: Scene, token = 'token'): Promise<Move> {
    const to = await from.peer()
    const copy = await movesOf(from).begin({ key: KEY, now: from.now })
    assert(copy !== null)
    const received = await movesOf(to).receive({ key: KEY, copy, token, now: from.now })
    assert(received !== 'occupied')
    return new Move(from, to, { copy, token, cursor: received.cursor })
  }

  private constructor(from: Scene, to: Scene, begun: { copy: string; token: string; cursor: string | null }) {
    this.#from = from
    this.to = to
    this.copy = begun.copy
    this.#token = begun.token
    this.cursor = begun.cursor
  }

  tryRead(limit = 3, cursor = this.cursor, bytes = 1_000_000) {
    const { copy } = this
    return movesOf(this.#from).read({ key: KEY, copy, cursor, limit, bytes, now: this.#from.now })
  }

  async read(limit = 3, cursor = this.cursor, bytes = 1_000_000) {
    const page = await this.tryRead(limit, cursor, bytes)
    assert(page !== 'lost')
    return page
  }

  async write(records: readonly MovedRecord[], cursor: string): Promise<'stored' | 'lost'> {
    const { now } = this.to
    const stored = await movesOf(this.to).write({ key: KEY, token: this.#token, records, cursor, now })
    if (stored === 'stored') this.cursor = cursor
    return stored
  }

  async copyAll(): Promise<void> {
    for (let left = true; left; ) {
      const page = await this.read()
      assert.equal(await this.write(page.records, page.cursor), 'stored')
      left = page.left
    }
  }

  tryFence() {
    const { now } = this.#from
    const terms = { copy: this.copy, token: this.#token, until: now + 1_000, now }
    return movesOf(this.#from).fence({ key: KEY, ...terms })
  }

  async fence(): Promise<void> {
    assert.equal(await this.tryFence(), 'fenced')
  }

  lift(at: Scene) {
    return movesOf(at).lift({ key: KEY, token: this.#token, now: at.now })
  }

  /** To its end. Answers the queue as it is there. */
  async complete(): Promise<QueueHandle> {
    await this.copyAll()
    await this.fence()
    await this.copyAll()
    assert.equal(await this.lift(this.to), 'lifted')
    const dropped = await movesOf(this.#from).drop({ key: KEY, token: this.#token, now: this.#from.now })
    assert.equal(dropped, 'dropped')
    const moved = await this.to.storage.queues.get({ key: KEY, now: this.to.now })
    assert(moved)
    return moved
  }
}

function movesOf({ storage }: Scene): MoveStore {
  assert(storage.moves, 'the engine has no moves, but its harness a peer')
  return storage.moves
}

async function fencedIn(...scenes: readonly Scene[]) {
  const all = await Promise.all(scenes.map((scene) => movesOf(scene).fenced({ limit: 10, now: scene.now })))
  return all.flat().map(({ key, role, token }) => ({ key, role, token }))
}

async function assertMoving({ storage, now }: Scene, role: string, token: string): Promise<void> {
  const isMoving = (error: unknown) => error instanceof QueueMoving && error.role === role && error.token === token
  await assert.rejects(storage.queues.get({ key: KEY, now }), isMoving)
  await assert.rejects(storage.queues.create({ key: KEY, metadata: '{}', now }), isMoving)
}

/** Something of most kinds: a message that was claimed, others, one that is delayed, and a subscription with its records. */
async function fill(scene: Scene) {
  const queue = await scene.queue()
  await scene.subscribe(queue, 's', { options: '{"n":1}', vault: '{"secret":1}' })
  const ids = await postWithKey(scene, queue, 'a')
  ids.push(...(await scene.post(queue, 'b', 'c', 'd')))
  await scene.postWith(queue, { delaySeconds: 600 }, 'delayed')
  const lease = await scene.leaseOne({ batch: { notifications: 2, bytes: 1_000_000 } })
  const [first, second] = lease.notifications
  assert(first && second)
  const until = scene.now + 600_000
  await scene.settle(lease, {
    outcomes: [...failed([first], until), ...postponed([second], until)],
    log: ['"one"', '"two"'],
    health: { failures: 2, failingSince: scene.now, pausedUntil: null },
  })
  await scene.delete(queue, ids[0] as string)
  const claim = await scene.claim(queue, { key: 'again', limit: 1 })
  const { marker } = await scene.list(queue, { limit: 1, includeClaimed: true })
  return { queue, ids, claimId: claim.id, marker }
}

async function postWithKey({ storage, now }: Scene, queue: QueueHandle, word: string): Promise<string[]> {
  const messages = [{ body: JSON.stringify(word), ttlSeconds: 3_600, delaySeconds: 0 }]
  const idempotency = { key: 'key', digest: word, expiresAt: now + 3_600_000 }
  const posted = fresh(await storage.messages.append({ queue, clientId: 'c', messages, idempotency, now }))
  assert(posted !== 'conflict')
  return [...posted.ids]
}

/** All that can be seen of it without a change. */
async function look(scene: Scene, queue: QueueHandle, subscription = 's') {
  return {
    stats: await scene.stats(queue, 10),
    messages: await scene.export(queue),
    page: await scene.list(queue, { includeClaimed: true, withMarkers: true }),
    free: await scene.list(queue),
    arrived: await scene.list(queue, { includeDelayed: true, includeClaimed: true }),
    subscription: await scene.subscription(queue, subscription),
    failures: await scene.failures(queue, { id: subscription }),
    log: await scene.log(queue, subscription),
  }
}
