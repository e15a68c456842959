import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { makeBackup } from '../../src/backup/make-backup.ts'
import { restoreBackup } from '../../src/backup/restore-backup.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

/** What another process does that wants the file for itself. */
const TAKE = `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('BEGIN IMMEDIATE')`

test('no other process gets a store that another one is about to replace', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-restore-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  const store = join(dataDir, 'store')
  const backup = join(dataDir, 'backup')
  const take = () => execFileSync(process.execPath, ['-e', TAKE, store], { encoding: 'utf8', stdio: 'pipe' })
  await (await openSqlite({ path: store, clock: new ManualClock() })).close()
  await makeBackup({
    store,
    dataDir,
    target: backup,
    overwrite: false,
    bytesPerSecond: null,
    version: 'test',
    now: () => 'now',
    progress: () => undefined,
    signal: new AbortController().signal,
  })
  take()
  let looks = 0
  const progress = () => {
    looks++
    assert.throws(take, /database is locked/)
  }
  const { movedAside } = await restoreBackup({ backup, store, dataDir, force: true, suffix: '.aside', progress })
  assert.ok(looks > 0)
  assert.deepEqual(movedAside, [`${store}.aside`])
  take()
  assert.deepEqual(readdirSync(dataDir).sort(), ['backup', 'store', 'store-reserve', 'store.aside'])
})
