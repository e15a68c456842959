import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from 'zaqar-conformance'
import type { QueueKey, Relocation } from '../../../src/model/model.ts'
import { type MoveStore, STALE, type Storage, StorageUnavailable } from '../../../src/storage/contract.ts'
import { openPooled, type PooledStorage } from '../../../src/storage/pooled/open-pooled.ts'
import { openSqlite } from '../../../src/storage/sqlite/open-sqlite.ts'

const project = 'alpha'

interface NodeTerms {
  /** Runs before each call of the moves of a pool. */
  before?(call: string, pool: string): void
  /** Nothing of the node reaches a store any more. */
  isDead?(): boolean
}

/** Stores that several nodes share. */
class Cluster {
  readonly clock = new ManualClock()
  readonly stores = new Map<string, Storage>()
  readonly away = new Set<string>()
  readonly nodes: PooledStorage[] = []
  readonly began: Relocation[] = []
  readonly ended: Relocation[] = []
  readonly troubles: string[] = []
  #made = 0

  static async open(weights: Readonly<Record<string, number>>): Promise<Cluster> {
    const cluster = new Cluster()
    const { clock, stores } = cluster
    stores.set('own', await openSqlite({ path: ':memory:', clock }))
    for (const [name, weight] of Object.entries(weights)) await cluster.addPool(name, weight)
    return cluster
  }

  get own(): Storage {
    return this.stores.get('own') as Storage
  }

  async addPool(name: string, weight: number, flavor: string | null = null): Promise<void> {
    if (!this.stores.has(name)) {
      this.stores.set(name, await openSqlite({ path: ':memory:', clock: this.clock, idKey: this.own.idKey }))
    }
    const pool = { name, uri: `test:${name}`, weight, options: '{}', flavor }
    await this.own.pools.putPool({ project, pool })
  }

  async node({ before = () => {}, isDead = () => false }: NodeTerms = {}): Promise<PooledStorage> {
    const reaching = <T extends object>(store: T, pool: string, note = (_call: string) => {}): T =>
      Object.fromEntries(
        Object.entries(store).map(([name, method]) => [
          name,
          async (p: unknown) => {
            note(name)
            if (isDead() || this.away.has(pool)) throw new StorageUnavailable(`${pool} is away`)
            return method(p)
          },
        ]),
      ) as T
    const { own } = this
    const storage = await openPooled({
      own: {
        ...own,
        placements: reaching(own.placements, 'own'),
        relocations: reaching(own.relocations, 'own'),
        close: async () => {},
      },
      isOwn: ({ name }) => name === 'own',
      openPool: async ({ name }) => {
        const store = this.stores.get(name) as Storage
        const moves = reaching(store.moves as MoveStore, name, (call) => before(call, name))
        return { ...store, queues: reaching(store.queues, name), moves, close: async () => {} }
      },
      usesOwn: false,
      clock: this.clock,
      draw: () => Math.random(),
      flavorOf: (metadata) => (JSON.parse(metadata) as { flavor?: string }).flavor ?? null,
      relocationReports: {
        began: (one) => this.began.push(one),
        ended: (one) => this.ended.push(one),
        troubled: (_one, trouble) => this.troubles.push(trouble),
      },
      report: (error) => {
        throw error
      },
    })
    await storage.engines.openAll()
    this.nodes.push(storage)
    return storage
  }

  /** Queues with three messages each, on whatever pool. Answers their names. */
  async queues(node: PooledStorage, count: number, flavor?: string): Promise<string[]> {
    const names = Array.from({ length: count }, () => `${flavor ?? 'q'}${String(this.#made++).padStart(3, '0')}`)
    for (const name of names) {
      const key: QueueKey = { project, kind: 'queue', name }
      const { now } = this
      const metadata = JSON.stringify({ ...(flavor && { flavor }) })
      const { queue } = await node.queues.create({ key, metadata, flavor: flavor ?? null, now })
      const messages = ['1', '2', '3'].map((body) => ({ body, ttlSeconds: 3_600, delaySeconds: 0 }))
      await node.messages.append({ queue, clientId: 'c', messages, now })
    }
    return names
  }

  /** How many of the queues lie on each pool, where they all hold what was posted. */
  async count(node: PooledStorage, names: readonly string[]): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const name of names) {
      const { now } = this
      const queue = await node.queues.get({ key: { project, kind: 'queue', name }, now })
      assert(queue?.pool, `${name} is there`)
      counts[queue.pool] = (counts[queue.pool] ?? 0) + 1
      const terms = { after: null, limit: 10, hideClientId: null, includeClaimed: true, includeDelayed: true }
      const page = await node.messages.list({ queue, ...terms, now })
      assert(page !== STALE)
      assert.deepEqual(
        page.messages.map(({ body }) => body),
        ['1', '2', '3'],
      )
    }
    return counts
  }

  async begin(node: PooledStorage, pool: string | null, rate: number | null = null): Promise<void> {
    assert.notEqual(await node.relocations.begin({ pool, rate, now: this.now }), 'no-pool')
  }

  /** Lets time pass until that is so. */
  async until<T>(what: () => Promise<T | null | undefined | false> | T | null | undefined | false): Promise<T> {
    for (let left = 5_000; left > 0; left--) {
      for (let i = 0; i < 5; i++) await turn()
      const found = await what()
      if (found) return found
      this.clock.advance(100)
    }
    throw new Error('it never came about')
  }

  /** As it is when it has ended. */
  over(pool: string | null): Promise<Relocation> {
    return this.until(async () => {
      const found = await this.own.relocations.get({ pool })
      return found?.status !== 'active' && found
    })
  }

  async weightOf(name: string): Promise<number | undefined> {
    return (await this.own.pools.getPool({ project, name }))?.weight
  }

  async fenced(): Promise<string[]> {
    const { now } = this
    const found = await Promise.all(
      [...this.stores].map(async ([name, { moves }]) =>
        ((await moves?.fenced({ limit: 10, now })) ?? []).map(({ role }) => `${role} ${name}`),
      ),
    )
    return found.flat()
  }

  get now(): number {
    return this.clock.now()
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.close()
    for (const store of this.stores.values()) await store.close()
  }
}

describe('a drain', () => {
  test('moves all queues of the pool to others, which then can be deleted', async () => {
    const cluster = await Cluster.open({ a: 1, b: 0, c: 0 })
    const node = await cluster.node()
    const names = await cluster.queues(node, 30)
    await cluster.addPool('b', 3)
    await cluster.addPool('c', 1)
    await cluster.begin(node, 'a')
    const { askedAt: _askedAt, endedAt, ...done } = await cluster.over('a')
    assert.deepEqual(done, {
      ...{ pool: 'a', status: 'done', rate: null, trouble: null },
      ...{ queuesLeft: 0, queuesMoved: 30, recordsMoved: done.recordsMoved },
    })
    assert.equal(typeof endedAt, 'number')
    assert(done.recordsMoved >= 120, 'each queue and its messages')
    const counts = await cluster.count(node, names)
    assert.equal(counts['a'], undefined)
    assert.deepEqual([node.relocator.queuesMoved, node.relocator.recordsMoved], [30, done.recordsMoved])
    await cluster.until(() => cluster.ended.length > 0)
    assert.deepEqual([cluster.began.length, cluster.ended.length, cluster.troubles], [1, 1, []])
    assert.deepEqual(await node.pools.deletePool({ name: 'a' }), { deleted: true })
    await cluster.close()
  })

  test('new queues go elsewhere from its beginning, and still when it is over', async () => {
    const cluster = await Cluster.open({ a: 1, b: 1 })
    const node = await cluster.node()
    await cluster.begin(node, 'a')
    const names = await cluster.queues(node, 10)
    assert.deepEqual(await cluster.count(node, names), { b: 10 })
    await cluster.over('a')
    const more = await cluster.queues(node, 20)
    assert.deepEqual(await cluster.count(node, more), { b: 20 })
    await cluster.close()
  })

  test('a queue of a flavor goes to another pool of it; where there is none it stays, and the drain says so', async () => {
    const cluster = await Cluster.open({ plain: 1 })
    await cluster.addPool('a', 1, 'gold')
    const node = await cluster.node()
    const names = await cluster.queues(node, 3, 'gold')
    await cluster.begin(node, 'a')
    const failed = await cluster.over('a')
    assert.deepEqual([failed.status, failed.queuesLeft, failed.queuesMoved], ['failed', 3, 0])
    assert.match(
      failed.trouble ?? '',
      /no other pool of the flavor gold can take the queue gold00\d of the project alpha/,
    )
    assert.deepEqual(await cluster.count(node, names), { a: 3 })
    await cluster.addPool('b', 1, 'gold')
    await cluster.begin(node, 'a')
    assert.equal((await cluster.over('a')).status, 'done')
    assert.deepEqual(await cluster.count(node, names), { b: 3 })
    await cluster.close()
  })

  test('a flavor that no pool has any more holds nothing up', async () => {
    const cluster = await Cluster.open({ a: 1, b: 1 })
    const node = await cluster.node()
    await cluster.own.pools.updatePool({ project, name: 'a', flavor: 'gold' })
    const names = await cluster.queues(node, 3, 'gold')
    await cluster.own.pools.updatePool({ project, name: 'a', flavor: null })
    await cluster.begin(node, 'a')
    assert.equal((await cluster.over('a')).status, 'done')
    assert.deepEqual(await cluster.count(node, names), { b: 3 })
    await cluster.close()
  })

  test('what is left of a creation that nobody came back to does not hold the pool', async () => {
    const cluster = await Cluster.open({ a: 1 })
    const node = await cluster.node()
    const key: QueueKey = { project, kind: 'queue', name: 'half' }
    await cluster.own.placements.place({ key, flavor: null, without: [], draw: 0 })
    await cluster.begin(node, 'a')
    assert.equal((await cluster.over('a')).status, 'done')
    assert.equal(await cluster.own.placements.get({ key }), null)
    await cluster.close()
  })

  test('while a pool is away it waits, and says so; then it goes on', async () => {
    const cluster = await Cluster.open({ a: 1, b: 0 })
    const node = await cluster.node()
    const names = await cluster.queues(node, 8)
    for (const away of ['b', 'a']) {
      await cluster.addPool(away === 'b' ? 'b' : 'a', 1)
      const pool = away === 'b' ? 'a' : 'b'
      cluster.away.add(away)
      await cluster.begin(node, pool)
      const held = await cluster.until(async () => {
        const found = await cluster.own.relocations.get({ pool })
        return found?.trouble ? found : null
      })
      assert.deepEqual([held.status, held.trouble], ['active', `${away} is away`])
      assert.deepEqual(cluster.troubles.splice(0), [`${away} is away`], 'the log is told once')
      cluster.away.delete(away)
      const over = await cluster.over(pool)
      assert.deepEqual([over.status, over.trouble, over.queuesMoved], ['done', null, 8])
      assert.deepEqual(await cluster.count(node, names), { [away]: 8 })
    }
    await cluster.close()
  })

  test('what can go does, while a part of it is held up', async () => {
    const cluster = await Cluster.open({ a: 1 })
    const node = await cluster.node()
    await cluster.own.pools.updatePool({ project, name: 'a', flavor: 'gold' })
    const golden = await cluster.queues(node, 3, 'gold')
    await cluster.own.pools.updatePool({ project, name: 'a', flavor: null })
    const plain = await cluster.queues(node, 3)
    await cluster.addPool('b', 1, 'gold')
    await cluster.addPool('c', 1)
    cluster.away.add('b')
    await cluster.begin(node, 'a')
    await cluster.until(async () => (await cluster.own.relocations.get({ pool: 'a' }))?.queuesMoved === 3)
    assert.deepEqual(await cluster.count(node, plain), { c: 3 })
    assert.deepEqual(await cluster.count(node, golden), { a: 3 })
    await cluster.close()
  })

  test('cancelled on another node it ends between two pages, and the pool is as it was before', async () => {
    const cluster = await Cluster.open({ a: 7 })
    let pages = 0
    const node = await cluster.node({
      before: (call) => {
        if (call === 'read') pages += 1
      },
    })
    const other = await cluster.node()
    const names = await cluster.queues(node, 20)
    await cluster.addPool('b', 1)
    await cluster.begin(node, 'a', 5)
    await cluster.until(() => pages > 3)
    await other.relocations.cancel({ pool: 'a', now: cluster.now })
    assert.equal(await cluster.weightOf('a'), 7)
    await cluster.until(() => cluster.ended.length > 0)
    const cancelled = await cluster.over('a')
    assert.deepEqual([cancelled.status, node.relocator.underWay], ['cancelled', 0])
    assert(cancelled.queuesMoved > 0 && cancelled.queuesMoved < 20, `${cancelled.queuesMoved} moved`)
    const counts = await cluster.count(node, names)
    assert.deepEqual(counts, { a: 20 - cancelled.queuesMoved, b: cancelled.queuesMoved })
    assert.deepEqual(await cluster.fenced(), [])
    await cluster.begin(other, 'a')
    assert.equal((await cluster.over('a')).status, 'done')
    assert.deepEqual(await cluster.count(node, names), { b: 20 })
    await cluster.close()
  })

  test('keeps to its rate, and to a new one', async () => {
    const cluster = await Cluster.open({ a: 1 })
    const node = await cluster.node()
    const names = await cluster.queues(node, 20)
    await cluster.addPool('b', 1)
    await cluster.begin(node, 'a', 4)
    const since = cluster.now
    const half = await cluster.until(async () => {
      const found = await cluster.own.relocations.get({ pool: 'a' })
      return found && found.queuesMoved >= 10 && found
    })
    assert(cluster.now - since >= (1000 * (half.recordsMoved - 4)) / 4, 'not faster')
    await cluster.begin(node, 'a', null)
    const between = cluster.now
    assert.equal((await cluster.over('a')).status, 'done')
    assert(cluster.now - between < 5_000, 'none any more')
    assert.deepEqual(await cluster.count(node, names), { b: 20 })
    await cluster.close()
  })

  test('where a node dies another goes on, and nothing is left behind', async () => {
    for (const deadly of ['write', 'fence', 'lift', 'drop']) {
      const cluster = await Cluster.open({ a: 1 })
      let [calls, isDead] = [0, false]
      const dying = await cluster.node({
        before: (call) => {
          if (call === deadly) calls += 1
          if (calls === 3) isDead = true
        },
        isDead: () => isDead,
      })
      const names = await cluster.queues(dying, 10)
      await cluster.addPool('b', 1)
      await cluster.begin(dying, 'a')
      await cluster.until(() => isDead)
      const other = await cluster.node()
      assert.equal((await cluster.over('a')).status, 'done', deadly)
      assert.deepEqual(await cluster.count(other, names), { b: 10 }, deadly)
      await other.relocator.lookOver()
      assert.deepEqual(await cluster.fenced(), [], deadly)
      await cluster.close()
    }
  })

  test('a node that ends hands it back at once', async () => {
    const cluster = await Cluster.open({ a: 1 })
    const node = await cluster.node()
    const other = await cluster.node()
    const names = await cluster.queues(node, 20)
    await cluster.addPool('b', 1)
    await cluster.begin(node, 'a', 8)
    await cluster.until(() => node.relocator.queuesMoved > 2)
    const since = cluster.now
    await node.relocator.close()
    assert.equal(cluster.now, since)
    await other.relocator.look()
    assert.equal(other.relocator.underWay, 1)
    assert.equal((await cluster.over('a')).queuesMoved, 20)
    assert.deepEqual(await cluster.count(other, names), { b: 20 })
    await cluster.close()
  })

  test('with a low rate a large queue keeps nobody waiting who ends it', async () => {
    const cluster = await Cluster.open({ a: 7 })
    const node = await cluster.node()
    const key: QueueKey = { project, kind: 'queue', name: 'large' }
    const { queue } = await node.queues.create({ key, metadata: '{}', now: cluster.now })
    const messages = Array.from({ length: 600 }, () => ({ body: '1', ttlSeconds: 3_600, delaySeconds: 0 }))
    await node.messages.append({ queue, clientId: 'c', messages, now: cluster.now })
    await cluster.addPool('b', 1)
    await cluster.begin(node, 'a', 10)
    await cluster.until(() => node.relocator.recordsMoved > 0)
    assert.equal(node.relocator.recordsMoved, 10, 'a second of it')
    await cluster.begin(node, 'a', 200)
    const faster = cluster.now
    await cluster.until(() => node.relocator.recordsMoved > 400)
    assert(cluster.now - faster < 10_000, 'the new rate holds for a queue that is under way')
    const since = cluster.now
    await node.relocator.close()
    assert.equal(cluster.now, since)
    assert.equal((await node.queues.get({ key, now: cluster.now }))?.pool, 'a')
    await cluster.close()
  })

  test('of two pools at once goes to neither of them', async () => {
    const cluster = await Cluster.open({ a: 1, b: 1 })
    const node = await cluster.node()
    const names = await cluster.queues(node, 20)
    await cluster.addPool('c', 1)
    await cluster.begin(node, 'a')
    await cluster.begin(node, 'b')
    assert.equal((await cluster.over('a')).status, 'done')
    assert.equal((await cluster.over('b')).status, 'done')
    assert.deepEqual(await cluster.count(node, names), { c: 20 })
    await cluster.close()
  })
})

describe('the rebalance', () => {
  test('moves as few queues as bring their counts in proportion to the weights', async () => {
    const cluster = await Cluster.open({ a: 1 })
    const node = await cluster.node()
    const names = await cluster.queues(node, 24)
    await cluster.addPool('b', 2)
    await cluster.addPool('c', 1)
    await cluster.begin(node, null)
    const over = await cluster.over(null)
    assert.deepEqual([over.status, over.queuesMoved, over.queuesLeft], ['done', 18, 0])
    assert.deepEqual(await cluster.count(node, names), { a: 6, b: 12, c: 6 })
    await cluster.begin(node, null)
    const again = await cluster.over(null)
    assert.deepEqual([again.status, again.queuesMoved], ['done', 0])
    await cluster.close()
  })

  test('leaves flavors and pools without weight to themselves', async () => {
    const cluster = await Cluster.open({ a: 1, z: 1 })
    const node = await cluster.node()
    const plain = await cluster.queues(node, 20)
    const { z = 0 } = await cluster.count(node, plain)
    await cluster.addPool('z', 0)
    await cluster.addPool('gold1', 1, 'gold')
    const golden = await cluster.queues(node, 10, 'gold')
    await cluster.addPool('gold2', 1, 'gold')
    await cluster.addPool('b', 1)
    await cluster.begin(node, null)
    assert.equal((await cluster.over(null)).status, 'done')
    const counts = await cluster.count(node, plain)
    assert.equal(counts['z'] ?? 0, z)
    assert(Math.abs((counts['a'] ?? 0) - (counts['b'] ?? 0)) <= 1)
    assert.deepEqual(await cluster.count(node, golden), { gold1: 5, gold2: 5 })
    await cluster.close()
  })

  test('waits for a pool that is away, and goes on where another node was', async () => {
    const cluster = await Cluster.open({ a: 1 })
    const node = await cluster.node()
    const names = await cluster.queues(node, 20)
    await cluster.addPool('b', 1)
    cluster.away.add('b')
    await cluster.begin(node, null)
    await cluster.until(async () => (await cluster.own.relocations.get({ pool: null }))?.trouble === 'b is away')
    cluster.away.delete('b')
    await cluster.until(() => node.relocator.queuesMoved > 0)
    await node.relocator.close()
    const other = await cluster.node()
    assert.equal((await cluster.over(null)).queuesMoved, 10)
    assert.deepEqual(await cluster.count(other, names), { a: 10, b: 10 })
    await cluster.close()
  })

  test('takes along what the store of the service has from before it was a pool', async () => {
    const cluster = await Cluster.open({ east: 1 })
    const { own } = cluster
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) {
      const { now } = cluster
      const key: QueueKey = { project, kind: 'queue', name }
      const { queue } = await own.queues.create({ key, metadata: '{}', now })
      const messages = ['1', '2', '3'].map((body) => ({ body, ttlSeconds: 3_600, delaySeconds: 0 }))
      await own.messages.append({ queue, clientId: 'c', messages, now })
    }
    const node = await cluster.node()
    await cluster.addPool('own', 1)
    await node.engines.refresh()
    const known = await node.queues.get({ key: { project, kind: 'queue', name: 'a' }, now: cluster.now })
    assert(known && known.pool === undefined)
    await cluster.begin(node, null)
    await cluster.over(null)
    assert.deepEqual(await cluster.count(node, names), { east: 2, own: 2 })
    assert.equal(await node.queues.count({ project, kind: 'queue', now: cluster.now }), 4)

    await cluster.begin(node, 'own')
    await cluster.over('own')
    assert.deepEqual(await cluster.count(node, names), { east: 4 })
    assert.equal(await node.queues.count({ project, kind: 'queue', now: cluster.now }), 4)
    assert.equal(await node.queues.update({ queue: known, metadata: '{}', now: cluster.now }), STALE)
    await cluster.close()
  })

  test('sends nothing to a pool that is drained meanwhile', async () => {
    const cluster = await Cluster.open({ a: 1 })
    const node = await cluster.node()
    const names = await cluster.queues(node, 30)
    await cluster.addPool('b', 1)
    await cluster.addPool('c', 1)
    await cluster.begin(node, null, 8)
    await cluster.until(() => node.relocator.queuesMoved > 4)
    await cluster.begin(node, 'b')
    assert.equal((await cluster.over('b')).status, 'done')
    await cluster.begin(node, null)
    assert.equal((await cluster.over(null)).status, 'done')
    const counts = await cluster.count(node, names)
    assert.equal(counts['b'], undefined)
    await cluster.begin(node, null)
    await cluster.over(null)
    assert.deepEqual(await cluster.count(node, names), { a: 15, c: 15 })
    await cluster.close()
  })
})
