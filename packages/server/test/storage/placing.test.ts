import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  type PlacementStore,
  type Queue,
  type QueueKey,
  STALE,
  type Storage,
  StorageUnavailable,
  StorageUnreached,
} from 'zaqar/storage'
import { ManualClock } from 'zaqar-conformance'
import { moveQueue } from '../../src/storage/pooled/move-queue.ts'
import { openPooled, type PooledStorage } from '../../src/storage/pooled/open-pooled.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { plainTerms } from './pooled-stores.ts'

const key: QueueKey = { project: 'alpha', kind: 'queue', name: 'jobs' }
const POOLS = ['a', 'b'] as const

/** Stores that several nodes share. What a node does with one of them can be made to fail, or to take its time. */
class Cluster {
  readonly clock = new ManualClock()
  readonly stores = new Map<string, Storage>()
  #moves = 0

  static async open(): Promise<Cluster> {
    const cluster = new Cluster()
    const { clock, stores } = cluster
    const own = await openSqlite({ path: ':memory:', clock })
    stores.set('own', own)
    for (const name of POOLS) {
      stores.set(name, await openSqlite({ path: ':memory:', clock, idKey: own.idKey }))
      const pool = { name, uri: `test:${name}`, weight: 1, options: '{}', flavor: null }
      await own.pools.putPool({ project: '', pool })
    }
    return cluster
  }

  store(name: string): Storage {
    const store = this.stores.get(name)
    assert(store)
    return store
  }

  /** `before` and `after` each step of it, which are called `place`, `create` and so on. */
  async node(step: (name: string, run: () => Promise<unknown>) => Promise<unknown>): Promise<PooledStorage> {
    const stepped = <Store extends object>(store: Store): Store =>
      Object.fromEntries(
        Object.entries(store).map(([name, method]) => [name, (p: unknown) => step(name, () => method(p))]),
      ) as Store
    const own = this.store('own')
    const storage = await openPooled({
      ...plainTerms,
      own: { ...own, placements: stepped<PlacementStore>(own.placements), close: async () => {} },
      openPool: async ({ name }) => {
        const store = this.store(name)
        return { ...store, queues: stepped(store.queues), close: async () => {} }
      },
      clock: this.clock,
      draw: () => Math.random(),
    })
    await storage.engines.openAll()
    return storage
  }

  /** To the other one of two pools, `before` each step of it on one of the stores. */
  async move(before: (pool: string, step: string) => Promise<void>) {
    const placement = await this.store('own').placements.get({ key })
    assert(placement)
    const pool = (name: string) => {
      const { queues, moves } = this.store(name)
      assert(moves)
      const stepped = Object.entries(moves).map(([step, method]) => [
        step,
        async (p: unknown) => {
          await before(name, step)
          return method(p)
        },
      ])
      return { name, engine: { queues, moves: Object.fromEntries(stepped) } }
    }
    this.#moves += 1
    const token = `move ${this.#moves}`
    const [to] = POOLS.filter((name) => name !== placement.pool) as ['a' | 'b']
    const { placements } = this.store('own')
    const stores = { from: pool(placement.pool), to: pool(to), placements, clock: this.clock }
    return moveQueue({ key, ...stores, newToken: () => token })
  }

  plainNode(): Promise<PooledStorage> {
    return this.node((_name, run) => run())
  }

  /** In which pools the queue is, whatever the catalogue says. */
  async whereIs(): Promise<string[]> {
    const { now } = this
    const found = await Promise.all(POOLS.map((name) => this.store(name).queues.get({ key, now })))
    return POOLS.filter((_name, i) => found[i] !== null)
  }

  get now(): number {
    return this.clock.now()
  }

  async close(): Promise<void> {
    for (const store of this.stores.values()) await store.close()
  }
}

/** A node that dies at a step, before it or when it is done. */
function dyingAt(at: string, when: 'before' | 'after') {
  let isDead = false
  return async (name: string, run: () => Promise<unknown>) => {
    if (name === at && when === 'before') isDead = true
    if (isDead) throw new StorageUnavailable('the node is dead')
    const answer = await run()
    if (name === at && when === 'after') isDead = true
    return answer
  }
}

async function listed(storage: Storage, now: number): Promise<string[]> {
  const { project, kind } = key
  const terms = { project, kind, after: null, limit: 10, nameContains: null, metadata: [], withMetadata: false }
  return (await storage.queues.list({ ...terms, now })).map(({ name }) => name)
}

/** Fails unless all that is said of the queue agrees. */
async function agree(cluster: Cluster): Promise<void> {
  const node = await cluster.plainNode()
  const { now } = cluster
  const isListed = (await listed(node, now)).length === 1
  const queue = await node.queues.get({ key, now })
  assert.equal(isListed, queue !== null, 'it is listed if it is there')
  assert.deepEqual(await cluster.whereIs(), queue === null ? [] : [queue.pool], 'and is nowhere else')
  const placement = await cluster.store('own').placements.get({ key })
  assert.equal(placement?.isSettled ?? false, queue !== null, 'and what looked has corrected the mark')
  await node.close()
}

describe('a node that is killed', () => {
  const steps = ['place', 'create', 'settle'] as const
  for (const step of steps) {
    for (const when of ['before', 'after'] as const) {
      test(`while it creates a queue, ${when} ${step}, leaves it made or not, and it can be made`, async () => {
        const cluster = await Cluster.open()
        const dying = await cluster.node(dyingAt(step, when))
        await dying.queues.create({ key, metadata: '{"n": 1}', now: cluster.now }).catch(() => undefined)
        await agree(cluster)
        const node = await cluster.plainNode()
        const { queue } = await node.queues.create({ key, metadata: '{"n": 2}', now: cluster.now })
        const isMade = step === 'settle' || (step === 'create' && when === 'after')
        assert.equal(queue.metadata, isMade ? '{"n": 1}' : '{"n": 2}')
        await agree(cluster)
        await cluster.close()
      })
    }
  }

  for (const step of ['unsettle', 'delete', 'remove'] as const) {
    for (const when of ['before', 'after'] as const) {
      test(`while it deletes a queue, ${when} ${step}, leaves it there or not, and it can be made anew`, async () => {
        const cluster = await Cluster.open()
        const node = await cluster.plainNode()
        const { queue } = await node.queues.create({ key, metadata: '{"n": 1}', now: cluster.now })
        const dying = await cluster.node(dyingAt(step, when))
        await dying.queues.delete({ queue, now: cluster.now }).catch(() => undefined)
        await agree(cluster)
        const again = await node.queues.create({ key, metadata: '{"n": 2}', now: cluster.now })
        const isGone = step === 'remove' || (step === 'delete' && when === 'after')
        assert.equal(again.queue.metadata, isGone ? '{"n": 2}' : '{"n": 1}')
        await agree(cluster)
        await cluster.close()
      })
    }
  }
})

test('what lies in a pool that no placement names is no queue, and gives way to one', async () => {
  const cluster = await Cluster.open()
  for (const name of POOLS) {
    const { queue } = await cluster.store(name).queues.create({ key, metadata: '{"left": 1}', now: cluster.now })
    const messages = [{ body: '"left"', ttlSeconds: 600, delaySeconds: 0 }]
    await cluster.store(name).messages.append({ queue, clientId: 'c', messages, now: cluster.now })
  }
  const node = await cluster.plainNode()
  assert.equal(await node.queues.get({ key, now: cluster.now }), null)
  const { created, queue } = await node.queues.create({ key, metadata: '{"n": 1}', now: cluster.now })
  assert.deepEqual([created, queue.metadata], [true, '{"n": 1}'])
  const stats = await node.queues.stats({ queue, now: cluster.now })
  assert(stats !== STALE)
  assert.equal(stats.free, 0)
  await cluster.close()
})

test('nodes that create and delete the same queue at once agree in the end', async () => {
  for (let round = 0; round < 30; round += 1) {
    const cluster = await Cluster.open()
    // Each step waits for its turn, and so the steps of several meet in any order.
    const jumbled = async (_name: string, run: () => Promise<unknown>) => {
      for (let turns = Math.floor(Math.random() * 6); turns > 0; turns -= 1) await turn()
      return run()
    }
    const nodes = await Promise.all([cluster.node(jumbled), cluster.node(jumbled), cluster.node(jumbled)])
    const act = async (node: PooledStorage, n: number) => {
      let created: Queue | null = null
      for (let i = 0; i < 5; i += 1) {
        const { queue } = await node.queues.create({ key, metadata: `{"n": "${n}-${i}"}`, now: cluster.now })
        created = queue
        const messages = [{ body: '1', ttlSeconds: 600, delaySeconds: 0 }]
        await node.messages.append({ queue, clientId: 'c', messages, now: cluster.now })
        if (Math.random() < 0.7) await node.queues.delete({ queue: created, now: cluster.now })
      }
    }
    await Promise.all(nodes.flatMap((node, n) => [act(node, n), act(node, n + 10)]))
    await agree(cluster)
    await cluster.close()
  }
})

describe('a queue that has left a pool which fails just then', () => {
  /** A node that does not reach the pool once it has read where the queue lies, and finds that the queue has moved. */
  async function open() {
    const cluster = await Cluster.open()
    let gets: number | null = null
    const node = await cluster.node(async (name, run) => {
      if (name !== 'get' || gets === null) return run()
      gets += 1
      if (gets !== looksBefore + 1) return run()
      assert.equal(await cluster.move(async () => {}), 'moved')
      throw new StorageUnreached('the pool is away')
    })
    /** So many looks go to the catalogue before the one that fails. */
    let looksBefore = 0
    const { queue } = await node.queues.create({ key, metadata: '{"n": 1}', now: cluster.now })
    const failAfter = (looks: number) => {
      looksBefore = looks
      gets = 0
    }
    return { cluster, node, queue, failAfter }
  }

  test('is found where it is then', async () => {
    const { cluster, node, queue, failAfter } = await open()
    failAfter(1)
    const found = await node.queues.get({ key, now: cluster.now })
    assert(found !== null && found.pool !== queue.pool)
    await agree(cluster)
    await cluster.close()
  })

  test('is listed, and is not made again', async () => {
    const { cluster, node, failAfter } = await open()
    const terms = { ...key, after: null, limit: 10, nameContains: null, metadata: [], withMetadata: true }
    failAfter(0)
    assert.deepEqual(await node.queues.list({ ...terms, now: cluster.now }), [{ name: key.name, metadata: '{"n": 1}' }])
    failAfter(0)
    assert.equal((await node.queues.create({ key, metadata: '{}', now: cluster.now })).created, false)
    await agree(cluster)
    await cluster.close()
  })
})

describe('a queue that is met on its way', () => {
  /** A node, and a queue that `met` meets fenced; `goOn` lets the mover go on. Resolves when it was met. */
  async function meet<T>(met: (node: PooledStorage) => Promise<T>) {
    const cluster = await Cluster.open()
    const looks = Promise.withResolvers<void>()
    const goes = Promise.withResolvers<void>()
    let meeting: Promise<T> | null = null
    const node = await cluster.node(async (name, run) => {
      const looked = run()
      if (name === 'get' && meeting !== null) await looked.catch(() => looks.resolve())
      return looked
    })
    const { queue } = await node.queues.create({ key, metadata: '{"n": 1}', now: cluster.now })
    let isFenced = false
    const moving = cluster.move(async (_, step) => {
      if (step === 'fence') isFenced = true
      if (step !== 'read' || !isFenced || meeting !== null) return
      meeting = met(node)
      await looks.promise
      await goes.promise
    })
    await looks.promise
    return { cluster, queue, meeting: meeting as unknown as Promise<T>, moving, goOn: goes.resolve }
  }

  const get = (node: PooledStorage) => node.queues.get({ key, now: 0 })

  test('is answered from where it is then, as soon as it is there', async () => {
    const { cluster, queue, meeting, moving, goOn } = await meet(get)
    goOn()
    const found = await meeting
    assert(found !== null && found.pool !== queue.pool)
    assert.equal(await moving, 'moved')
    await cluster.close()
  })

  test('is listed with its metadata, once', async () => {
    const terms = { ...key, after: null, limit: 10, nameContains: null, metadata: [], withMetadata: true }
    const { cluster, meeting, goOn } = await meet((node) => node.queues.list({ ...terms, now: 0 }))
    goOn()
    assert.deepEqual(await meeting, [{ name: key.name, metadata: '{"n": 1}' }])
    await cluster.close()
  })

  test('serves where it was when nothing was heard of its mover for a second', async () => {
    const { cluster, queue, meeting, moving, goOn } = await meet(get)
    cluster.clock.advance(1_000)
    const found = await meeting
    assert.equal(found?.pool, queue.pool)
    goOn()
    assert.equal(await moving, 'overtaken', 'and a mover that wakes up has to begin again')
    assert.equal(await cluster.move(async () => {}), 'moved')
    await agree(cluster)
    await cluster.close()
  })
})
