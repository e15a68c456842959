import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

const FIRST_STEP = new URL('../../src/storage/sqlite/migrations/0001-queues-messages-claims.sql', import.meta.url)

test('a file of the first schema gets the bytes of its queues', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'zaqar.db')
  const db = new DatabaseSync(path)
  db.exec(readFileSync(FIRST_STEP, 'utf8'))
  db.exec(`
    PRAGMA user_version = 1;
    INSERT INTO buckets (owner) VALUES (1), (1);
    INSERT INTO queues (project, kind, name, revision, metadata, latent, bucket, subscription_bucket, free, claimed)
      VALUES ('p1', 'queue', 'old', 1, '{}', 0, 1, 2, 2, 0);
    INSERT INTO messages (number, bucket, place, visible_at, delayed, expires_at, held, claim, claim_count, ttl, created_at, born, client, body)
      VALUES (1, 1, 1, 0, 0, 9000000000000, 0, NULL, 0, 60, 0, 1, 'c', '"four"'), (2, 1, 2, 0, 0, 9000000000000, 0, NULL, 0, 60, 0, 1, 'c', '"äö"');
  `)
  db.close()
  const clock = new ManualClock()
  const storage = await openSqlite({ path, clock })
  t.after(() => storage.close())
  const usage = () => storage.queues.usage({ project: 'p1', now: clock.now() })
  assert.deepEqual(await usage(), { queues: 1, messages: 2, bytes: 12 })
  await storage.messages.purge({ key: { project: 'p1', kind: 'queue', name: 'old' }, now: clock.now() })
  assert.deepEqual(await usage(), { queues: 1, messages: 0, bytes: 0 })
})
