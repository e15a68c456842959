import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock, type StoreParts } from 'zaqar-conformance'
import {
  type QueueHandle,
  type QueueKey,
  STALE,
  type Storage,
  StorageUnavailable,
} from '../../../src/storage/contract.ts'
import { abilities, openSqlite } from '../../../src/storage/sqlite/open-sqlite.ts'
import { type OpenPart, pooledHarness } from '../pooled-stores.ts'

const project = 'alpha'

class Scene {
  readonly clock = new ManualClock()
  readonly #storage: Storage
  readonly #parts: StoreParts

  static async on<T>(run: (scene: Scene) => Promise<T>): Promise<T> {
    const clock = new ManualClock()
    const harness = pooledHarness({ ...abilities, survivesReopen: false }, async () => {
      const open: OpenPart = (idKey) => openSqlite({ path: ':memory:', clock, ...(idKey && { idKey }) })
      return { own: open, pools: [open, open], async drop() {} }
    })
    const { storage, parts } = await harness.open(clock)
    assert(parts)
    const scene = new Scene(clock, storage as Storage, parts)
    try {
      return await run(scene)
    } finally {
      await storage.close()
    }
  }

  private constructor(clock: ManualClock, storage: Storage, parts: StoreParts) {
    this.clock = clock
    this.#storage = storage
    this.#parts = parts
  }

  get storage(): Storage {
    return this.#storage
  }

  get parts(): StoreParts {
    return this.#parts
  }

  get now(): number {
    return this.clock.now()
  }

  key(name: string): QueueKey {
    return { project, kind: 'queue', name }
  }

  async create(name: string): Promise<QueueHandle> {
    return (await this.storage.queues.create({ key: this.key(name), metadata: '{}', now: this.now })).queue
  }

  /** With a message in it. */
  async createFilled(name: string): Promise<QueueHandle> {
    const queue = await this.create(name)
    const messages = [{ body: '1', ttlSeconds: 3_600, delaySeconds: 0 }]
    await this.storage.messages.append({ queue, clientId: 'c', messages, now: this.now })
    return queue
  }

  async partOf(name: string): Promise<number> {
    const part = await this.parts.partOf(this.key(name))
    assert(part !== null)
    return part
  }

  async free(name: string): Promise<number> {
    const queue = await this.storage.queues.get({ key: this.key(name), now: this.now })
    assert(queue)
    const stats = await this.storage.queues.stats({ queue, now: this.now })
    assert(stats !== STALE)
    return stats.free
  }
}

describe('while a pool cannot be reached', () => {
  test('new queues go to another one; and to both, in turns, when it is back', () =>
    Scene.on(async (scene) => {
      const made = async (prefix: string) => {
        const names = Array.from({ length: 10 }, (_, n) => `${prefix}${n}`)
        for (const name of names) await scene.createFilled(name)
        return Promise.all(names.map((name) => scene.partOf(name)))
      }
      scene.parts.fail(0)
      assert.deepEqual(new Set(await made('early')), new Set([1]))
      await scene.parts.recover()
      scene.clock.advance(5_000)
      assert.deepEqual((await made('late')).sort(), [...Array(5).fill(0), ...Array(5).fill(1)])
    }))

  test('a queue that it keeps is not deleted, and counts', () =>
    Scene.on(async (scene) => {
      const queue = await scene.create('jobs')
      scene.parts.fail(await scene.partOf('jobs'))
      await assert.rejects(scene.storage.queues.delete({ queue, now: scene.now }), StorageUnavailable)
      await scene.parts.recover()
      assert.equal(await scene.storage.queues.count({ project, kind: 'queue', now: scene.now }), 1)
      assert.equal(await scene.storage.queues.delete({ queue, now: scene.now }), 'deleted')
    }))

  test('a queue that has left it serves, for those too who saw it there', () =>
    Scene.on(async (scene) => {
      const queue = await scene.createFilled('jobs')
      const left = await scene.partOf('jobs')
      await scene.parts.move(scene.key('jobs'))
      scene.parts.fail(left)
      const { now, storage } = scene
      assert.equal(await storage.queues.stats({ queue, now }), STALE)
      assert.equal(await storage.messages.purge({ queue, now }), STALE)
      assert.equal(await storage.queues.update({ queue, metadata: '{"n":1}', now }), STALE)
      assert.equal(await storage.queues.delete({ queue, now }), STALE)
      assert.equal(await scene.free('jobs'), 1)
    }))

  test('dead letters for a queue that it keeps wait for it', () =>
    Scene.on(async (scene) => {
      await scene.create('buried')
      const queue = await scene.createFilled('jobs')
      assert.notEqual(await scene.partOf('jobs'), await scene.partOf('buried'))
      scene.parts.fail(await scene.partOf('buried'))
      const deadLetter = { queue: 'buried', maxClaimCount: 0, ttlSeconds: null }
      const terms = { limit: 1, ttlSeconds: 60, graceSeconds: 60, now: scene.now }
      const claim = await scene.storage.claims.create({ queue, ...terms, deadLetter: null })
      assert(claim !== STALE && claim !== null)
      await scene.storage.claims.release({ queue, claimId: claim.id, now: scene.now })
      assert.equal(await scene.storage.claims.create({ queue, ...terms, deadLetter }), null)
      assert.equal(await scene.free('jobs'), 0)
      await scene.parts.recover()
      assert.equal(await scene.free('buried'), 1)
    }))
})

test('a lease goes on where its queue has gone', () =>
  Scene.on(async (scene) => {
    const { storage, now } = scene
    const queue = await scene.create('jobs')
    const terms = { subscriber: 'http://one.example/', ttlSeconds: 600, options: '{}', isListening: true, vault: null }
    await storage.subscriptions.create({ queue, id: 's', ...terms, now })
    await scene.createFilled('jobs')
    const batch = { notifications: 10, bytes: 1_000 }
    const { leases } = await storage.deliveries.lease({ limit: 10, seconds: 60, batch, now })
    const [lease] = leases
    assert(lease?.notifications.length === 1)
    await scene.parts.move(scene.key('jobs'))
    const nobody = await storage.deliveries.lease({ limit: 10, seconds: 60, batch, now })
    assert.deepEqual(nobody.leases, [], 'nobody else gets it')
    await scene.createFilled('jobs')
    const settled = await storage.deliveries.settle({
      lease,
      outcomes: lease.notifications.map(({ ref }) => ({ ref, became: 'done' })),
      log: [],
      keep: { log: 10, failures: 10 },
      health: null,
      next: { seconds: 60, batch },
      restsUntil: null,
      now,
    })
    assert(settled !== 'lost')
    assert.equal(settled.notifications.length, 1, 'what was posted since is handed out with it')
    const { ref } = settled.notifications[0] as { ref: string }
    assert.notEqual(ref, lease.notifications[0]?.ref)
  }))
