import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { STALE } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

test('claims of a file from before holders were remembered live on, held by nobody who is known', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-migrations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'zaqar.db')
  const clock = new ManualClock()
  const now = clock.now()
  const before = await openSqlite({ path, clock })
  const { queue } = await before.queues.create({
    key: { project: 'p1', kind: 'queue', name: 'jobs' },
    metadata: '{}',
    now,
  })
  const messages = [{ body: '"a"', ttlSeconds: 60, delaySeconds: 0 }]
  await before.messages.append({ queue, clientId: 'c', messages, now })
  const terms = { limit: 1, ttlSeconds: 60, graceSeconds: 60, deadLetter: null }
  const claim = await before.claims.create({ queue, clientId: 'ann', ...terms, now })
  assert(claim !== STALE && claim !== null)
  await before.close()
  const file = new DatabaseSync(path)
  file.exec('ALTER TABLE claim DROP COLUMN client; PRAGMA user_version = 4')
  file.close()

  const after = await openSqlite({ path, clock })
  const { id, ttlSeconds, renewedAt } = claim
  assert.deepEqual(await after.claims.list({ queue, after: null, limit: 10, now }), {
    claims: [{ id, ttlSeconds, renewedAt, messages: 1, clientId: null }],
    marker: null,
  })
  await after.close()
})
