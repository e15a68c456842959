import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ZaqarError } from '../../src/core/errors.ts'
import { ProjectQuotas } from '../../src/core/project-quotas.ts'
import type { QueueStore } from '../../src/storage/contract.ts'

/** What several processes share. */
class Store {
  messages = 0
  reads = 0
  /** Holds the answers about usage back. */
  gate: Promise<void> = Promise.resolve()

  readonly queues = {
    usage: async () => {
      this.reads++
      const { messages } = this
      await this.gate
      return { queues: 0, messages, bytes: 0 }
    },
  } as unknown as QueueStore

  readonly store = async (count: number): Promise<void> => {
    await null
    this.messages += count
  }
}

const MAX = 100

function openQuotas(store: Store): ProjectQuotas {
  return new ProjectQuotas({ maxQueues: null, maxMessages: MAX, maxMessageBytes: null }, store.queues)
}

function storing(store: Store, count: number) {
  return { messages: count, run: () => store.store(count), hasAdded: () => true }
}

/** Whether it was let in. */
async function post(quotas: ProjectQuotas, store: Store, count: number, now: number): Promise<boolean> {
  try {
    await quotas.add('p1', now, storing(store, count))
    return true
  } catch (error) {
    assert.ok(error instanceof ZaqarError)
    assert.equal(error.code, 'quota.messages')
    return false
  }
}

describe('project quotas', () => {
  test('ask the storage once a second at the most, and not at all for what has no limit', async () => {
    const store = new Store()
    const quotas = openQuotas(store)
    for (let ms = 0; ms < 3000; ms += 10) await post(quotas, store, 1, ms)
    assert.equal(store.messages, MAX)
    assert.equal(store.reads, 3)
    await quotas.add('p2', 0, { queues: 1, bytes: 1, run: async () => {}, hasAdded: () => true })
    assert.equal(store.reads, 3)
  })

  test('count what is under way while the storage is asked', async () => {
    const store = new Store()
    const quotas = openQuotas(store)
    await post(quotas, store, 1, 0)
    const stored = Promise.withResolvers<void>()
    const slow = quotas.add('p1', 500, {
      messages: 60,
      async run() {
        await stored.promise
        await store.store(60)
      },
      hasAdded: () => true,
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    store.gate = promise
    // The storage says 1, then 60 more are stored, then its answer comes.
    const next = post(quotas, store, 50, 1000)
    stored.resolve()
    await slow
    resolve()
    assert.equal(await next, false)
    assert.equal(await post(quotas, store, 39, 1000), true)
    assert.equal(store.messages, MAX)
  })

  test('give back what was not stored', async () => {
    const store = new Store()
    const quotas = openQuotas(store)
    const failing = quotas.add('p1', 0, {
      messages: MAX,
      run: () => Promise.reject(new Error('the disk is full')),
      hasAdded: () => true,
    })
    await assert.rejects(failing, /the disk is full/)
    await quotas.add('p1', 0, { messages: MAX, run: async () => {}, hasAdded: () => false })
    assert.equal(await post(quotas, store, MAX, 0), true)
  })

  test('go on when the storage could not be asked', async () => {
    const store = new Store()
    const quotas = openQuotas(store)
    store.gate = Promise.reject(new Error('away'))
    await assert.rejects(quotas.add('p1', 0, storing(store, 1)), /away/)
    store.gate = Promise.resolve()
    assert.equal(await post(quotas, store, 1, 0), true)
  })

  test('of several processes are exceeded by no more than the others let in within a second', async () => {
    const store = new Store()
    const nodes = [openQuotas(store), openQuotas(store), openQuotas(store)]
    const admitted = { within: 0 }
    for (let ms = 0; ms < 5000; ms += 10) {
      const before = store.messages
      for (const quotas of nodes) await post(quotas, store, 1, ms)
      if (store.messages > before) admitted.within = ms
    }
    assert.ok(store.messages >= MAX && store.messages <= MAX + 2 * 100, String(store.messages))
    assert.ok(admitted.within < 1000, `the last one at ${admitted.within} ms`)
  })
})
