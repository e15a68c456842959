import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from 'zaqar-conformance'
import { type MessageStore, StorageUnreached } from '../../../src/storage/contract.ts'
import { openPooled, type PooledStorage } from '../../../src/storage/pooled/open-pooled.ts'
import { openSqlite } from '../../../src/storage/sqlite/open-sqlite.ts'
import { plainTerms } from '../pooled-stores.ts'

/** A node with one pool. `around` is run in place of each look for what has departed from it. */
async function openNode(
  around: (look: () => ReturnType<MessageStore['departures']>) => ReturnType<MessageStore['departures']>,
): Promise<PooledStorage> {
  const clock = new ManualClock()
  const own = await openSqlite({ path: ':memory:', clock })
  await own.pools.putPool({
    project: '',
    pool: { name: 'a', uri: 'test:a', weight: 1, options: '{}', flavor: null },
  })
  const storage = await openPooled({
    ...plainTerms,
    own,
    openPool: async () => {
      const store = await openSqlite({ path: ':memory:', clock, idKey: own.idKey })
      const { messages } = store
      return { ...store, messages: { ...messages, departures: (p) => around(() => messages.departures(p)) } }
    },
    clock,
    draw: () => 0,
  })
  await storage.engines.openAll()
  return storage
}

test('who tells the carrier of something is heard, at whatever moment it is about to rest', async () => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    let looks = 0
    let looksBefore = 0
    let told: Promise<void> | null = null
    const node = await openNode(async (look) => {
      looks += 1
      const page = await look()
      const tell = async () => {
        for (let left = ticks; left > 0; left -= 1) await null
        looksBefore = looks
        await node.carrier.nudge('a')
      }
      told ??= tell()
      return page
    })
    await node.carrier.nudge('a')
    await turn()
    await told
    assert(looks > looksBefore, `told after ${ticks} ticks`)
    await node.close()
  }
})

test('who tells the carrier of something while the pool is away is heard when it is back', async () => {
  let looks = 0
  const node = await openNode(async (look) => {
    looks += 1
    if (looks > 1) return look()
    void node.carrier.nudge('a')
    throw new StorageUnreached('the pool is away')
  })
  await node.carrier.nudge('a')
  assert.equal(looks, 2)
  await node.close()
})
