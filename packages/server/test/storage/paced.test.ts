import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Harness, ManualClock, runConformance } from 'zaqar-conformance'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { type QueueHandle, STALE, type Storage } from '../../src/storage/contract.ts'
import { pacedStorage } from '../../src/storage/paced/paced-storage.ts'
import { abilities, openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { tries } from '../support/tries.ts'

const KIB = 1024
const BUDGET = 16 * KIB * KIB
const LIMITS = { maxMessagesPostBytes: 256 * KIB, maxQueueMetadataBytes: 64 * KIB, maxMessagesPerClaimOrPop: 20 }

/** Everything has to ask for room, and there is little. */
const harness: Harness = {
  abilities: { ...abilities, survivesReopen: false },
  async open(clock) {
    const sqlite = await openSqlite({ path: ':memory:', clock })
    return { storage: pacedStorage(sqlite, new MemoryBudget({ bytes: 1000, clock }), LIMITS), async drop() {} }
  },
}
// SQLite alone is tried for longer.
runConformance('paced sqlite', harness, { sequences: tries(100, 300) })

async function open() {
  const clock = new ManualClock()
  const now = clock.now()
  const sqlite = await openSqlite({ path: ':memory:', clock })
  const budget = new MemoryBudget({ bytes: BUDGET, clock })
  let reading = 0
  let most = 0
  /** Counts who reads at one time. */
  const counted: Storage = {
    ...sqlite,
    messages: {
      ...sqlite.messages,
      async list(p) {
        reading += 1
        most = Math.max(most, reading)
        const page = await sqlite.messages.list(p)
        reading -= 1
        return page
      },
    },
  }
  const create = async (name: string, body: string, storage: Storage): Promise<QueueHandle> => {
    const { queue } = await storage.queues.create({ key: { project: 'p', kind: 'queue', name }, metadata: '{}', now })
    const messages = Array.from({ length: 20 }, () => ({ body, ttlSeconds: 300, delaySeconds: 0 }))
    assert.notEqual(await storage.messages.append({ queue, clientId: 'c', messages, now }), STALE)
    return queue
  }
  const paced = pacedStorage(counted, budget, LIMITS)
  const list = (queue: QueueHandle) =>
    paced.messages.list({
      queue,
      after: null,
      limit: 20,
      hideClientId: null,
      includeClaimed: false,
      includeDelayed: false,
      now,
    })
  return { clock, budget, sqlite, paced, create, list, most: () => most }
}

const LARGE = `"${'x'.repeat(250 * KIB)}"`

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const late = Symbol()
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  return (await Promise.race([promise, Promise.resolve(late)])) === late
}

describe('a paced storage', () => {
  test('lets a hundred readers of long answers come one after the other, as many as there is room for', async () => {
    const { create, list, paced, sqlite, budget, most } = await open()
    const known = await create('known', LARGE, paced)
    // Posted through another node, so nothing is known of it here.
    const unknown = await create('unknown', LARGE, sqlite)
    for (const queue of [known, unknown]) {
      const pages = await Promise.all(Array.from({ length: 50 }, () => list(queue)))
      for (const page of pages) assert.equal(page === STALE ? 0 : page.messages.length, 20)
    }
    assert.ok(most() <= 4, `${most()}`)
    await new Promise(setImmediate)
    assert.equal(budget.held, 0)
    await sqlite.close()
  })

  test('does not keep readers of short answers waiting, however little room there is', async () => {
    const { create, list, paced, sqlite, budget } = await open()
    const small = await create('small', '"x"', paced)
    const large = await create('large', LARGE, paced)
    const all = budget.hold(BUDGET, null)
    const waiting = list(large)
    for (let i = 0; i < 200; i++) assert.notEqual(await list(small), STALE)
    assert.ok(await isPending(waiting))
    all?.release()
    assert.notEqual(await waiting, STALE)
    await sqlite.close()
  })

  test('learns from what it hands out that a queue has become one of small messages', async () => {
    const { create, list, paced, sqlite, budget, clock } = await open()
    const queue = await create('shrunk', LARGE, paced)
    await paced.messages.purge({ queue, now: clock.now() })
    const messages = [{ body: '"x"', ttlSeconds: 300, delaySeconds: 0 }]
    await paced.messages.append({ queue, clientId: 'c', messages, now: clock.now() })
    for (let i = 0; i < 50; i++) await list(queue)
    await new Promise(setImmediate)
    budget.hold(BUDGET, null)
    assert.notEqual(await list(queue), STALE)
    await sqlite.close()
  })
})
