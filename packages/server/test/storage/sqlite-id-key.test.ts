import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { STALE } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

test('a file that is opened with the key of the service understands the ids that its other stores gave out', async () => {
  const clock = new ManualClock()
  const now = clock.now()
  const key = { project: 'p1', kind: 'queue', name: 'jobs' } as const
  const service = await openSqlite({ path: ':memory:', clock })
  const pool = await openSqlite({ path: ':memory:', clock, idKey: service.idKey })
  assert.deepEqual(pool.idKey, service.idKey)
  const { queue } = await service.queues.create({ key, metadata: '{}', now })
  const messages = [{ body: '"a"', ttlSeconds: 60, delaySeconds: 0 }]
  await service.messages.append({ queue, clientId: 'c', messages, now })
  const page = await service.messages.export({ queue, after: null, limit: 10, now })
  assert(page !== STALE)
  const { queue: moved } = await pool.queues.create({ key, metadata: '{}', now })
  await pool.messages.import({ queue: moved, ...page, now })
  const ids = page.messages.map(({ id }) => id)
  const found = await pool.messages.get({ queue: moved, ids, now })
  assert(found !== STALE)
  assert.deepEqual(
    found.map(({ id }) => id),
    ids,
  )
  await service.close()
  await pool.close()
})
