import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { Followers } from '../../src/core/followers.ts'
import { createReadPage } from '../../src/core/listing.ts'
import { QueueDirectory } from '../../src/core/queue-directory.ts'
import type { QueueKey } from '../../src/model/model.ts'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { createSystemClock } from '../../src/platform/system-clock.ts'
import { systemIds } from '../../src/platform/system-ids.ts'
import type { Storage } from '../../src/storage/contract.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { load } from '../config/memory.ts'
import {
  administer,
  missingPostgres,
  newSchema,
  type PostgresServer,
  startPostgres,
} from '../storage/postgres-server.ts'
import { settled } from '../support/settled.ts'
import { until } from '../support/until.ts'

const LIMITS = {
  ...load({}).config.limits,
  deleteNeedsClaimIds: false,
  canEncryptMessages: false,
  hasPools: false,
  requiresConfirmation: false,
}

const clock = createSystemClock()
const missing = await missingPostgres()

describe('followers of queues on PostgreSQL', { skip: missing ?? false, timeout: 60_000 }, () => {
  let server: PostgresServer
  let schema: string
  let storage: Storage
  let queues: QueueDirectory
  let followers: Followers
  /** Names of the queues that the engine has told of. */
  let told: Set<string>
  let reads: number
  let pending: number
  /** What followers saw: queue and body. */
  let seen: string[]

  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  beforeEach(async () => {
    schema = newSchema()
    storage = await openPostgres({ uri: server.uri, schema, connections: 1, clock })
    queues = new QueueDirectory(storage.queues, null, LIMITS)
    told = new Set()
    reads = 0
    pending = 0
    seen = []
    const readPage = createReadPage(storage, queues)
    followers = new Followers({
      watch: (key, listener) =>
        storage.watch(key, () => {
          told.add(key.name)
          listener()
        }),
      async readPage(listing, now) {
        reads += 1
        pending += 1
        try {
          return await readPage(listing, now)
        } finally {
          pending -= 1
        }
      },
      clock,
      budget: new MemoryBudget({ bytes: 1024 * 1024, clock }),
      ids: systemIds,
    })
  })
  afterEach(async () => {
    await storage.close()
    await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
  })

  function follow(name: string): void {
    const terms = { after: null, limit: 10, hideClientId: null, includeClaimed: true, includeDelayed: 'never' } as const
    followers.follow({
      key: keyOf(name),
      ...terms,
      once: false,
      onPage: ({ messages }) => void seen.push(...messages.map(({ body }) => `${name} ${body}`)),
      onFailure: assert.ifError,
      onStopped: assert.ifError,
    })
  }

  async function post(name: string, body: string): Promise<void> {
    const now = clock.now()
    const messages = [{ body, ttlSeconds: 60, delaySeconds: 0 }]
    await queues.useOrCreate(keyOf(name), now, async (queue) => {
      const answer = await storage.messages.append({ queue, clientId: 'c', messages, now })
      assert.ok(answer !== 'conflict')
      return answer
    })
  }

  /**
   * Nothing is under way, and each queue has been told of once, since there may have been news before it was listened
   * to.
   */
  async function rested(names: readonly string[]): Promise<void> {
    await until(() => told.size === names.length && pending === 0)
    await settled()
    assert.equal(pending, 0)
  }

  test('a POST to one of 3,000 followed queues is read once, and wakes no other', async () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `q${i}`)
    for (const name of names) follow(name)
    await rested(names)
    for (const [name, body] of [
      ['q7', '1'],
      ['q2999', '2'],
      ['q7', '3'],
    ] as const) {
      const before = reads
      told.clear()
      seen = []
      await post(name, body)
      await until(() => seen.length > 0)
      await settled()
      assert.deepEqual(seen, [`${name} ${body}`])
      assert.deepEqual([...told], [name])
      assert.equal(reads - before, 1)
    }
  })

  test('a POST to a queue with 1,000 followers is read once', async () => {
    for (let i = 0; i < 1000; i += 1) follow('jobs')
    await rested(['jobs'])
    for (const body of ['1', '2', '3']) {
      const before = reads
      seen = []
      await post('jobs', body)
      await until(() => seen.length === 1000)
      await settled()
      assert.deepEqual(new Set(seen), new Set([`jobs ${body}`]))
      assert.equal(reads - before, 1)
    }
  })
})

function keyOf(name: string): QueueKey {
  return { project: 'p', kind: 'queue', name }
}
