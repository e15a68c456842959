import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { STALE, type Storage } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

const FIRST_STEP = new URL('../../src/storage/sqlite/migrations/0001-queues-messages-claims.sql', import.meta.url)

test('a file of the first schema gets the bytes of its queues', async (t) => {
  const { storage, clock } = await openFirst(t)
  const usage = () => storage.queues.usage({ project: 'p1', now: clock.now() })
  assert.deepEqual(await usage(), { queues: 1, messages: 2, bytes: 12 })
  const queue = await storage.queues.get({ key: { project: 'p1', kind: 'queue', name: 'old' }, now: clock.now() })
  assert(queue)
  await storage.messages.purge({ queue, now: clock.now() })
  assert.deepEqual(await usage(), { queues: 1, messages: 0, bytes: 0 })
})

test('dead letters that waited for a queue in a file of the first schema are seen', async (t) => {
  const { storage, clock } = await openFirst(t)
  const key = { project: 'p2', kind: 'queue', name: 'dead' } as const
  const queue = await storage.queues.get({ key, now: clock.now() })
  assert.equal(queue?.metadata, '{}')
  const stats = await storage.queues.stats({ queue, now: clock.now() })
  assert(stats !== STALE)
  assert.equal(stats.free, 1)
})

/** A file as the first version of the service left it: a queue with messages, and a dead letter in a queue that nobody had created. */
async function openFirst(t: TestContext): Promise<{ storage: Storage; clock: ManualClock }> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'zaqar.db')
  const db = new DatabaseSync(path)
  db.exec(readFileSync(FIRST_STEP, 'utf8'))
  db.exec(`
    PRAGMA user_version = 1;
    INSERT INTO buckets (owner) VALUES (1), (1), (1), (1);
    INSERT INTO queues (project, kind, name, revision, metadata, latent, bucket, subscription_bucket, free, claimed)
      VALUES ('p1', 'queue', 'old', 1, '{}', 0, 1, 2, 2, 0), ('p2', 'queue', 'dead', 1, '{}', 1, 3, 4, 1, 0);
    INSERT INTO messages (number, bucket, place, visible_at, delayed, expires_at, held, claim, claim_count, ttl, created_at, born, client, body)
      VALUES (1, 1, 1, 0, 0, 9000000000000, 0, NULL, 0, 60, 0, 1, 'c', '"four"'), (2, 1, 2, 0, 0, 9000000000000, 0, NULL, 0, 60, 0, 1, 'c', '"äö"'),
        (3, 3, 3, 0, 0, 9000000000000, 0, NULL, 0, 60, 0, 1, 'c', '"dead"');
  `)
  db.close()
  const clock = new ManualClock()
  const storage = await openSqlite({ path, clock })
  t.after(() => storage.close())
  return { storage, clock }
}
