import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { checkSqlite } from '../../../src/cli/doctor/sqlite.ts'
import { openSqlite } from '../../../src/storage/sqlite/open-sqlite.ts'
import { troubles } from './found.ts'

test('a file that is damaged behind its head is called so', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-doctor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'zaqar.db')
  await (await openSqlite({ path, clock: new ManualClock() })).close()
  const look = () =>
    troubles((findings) => checkSqlite(findings, { service: Promise.resolve({ who: 'nobody' }) }, path))
  const about = async () => (await look()).filter((line) => line.includes(path))
  assert.deepEqual(await about(), [])

  const file = openSync(path, 'r+')
  const { size } = statSync(path)
  writeSync(file, Buffer.alloc(size - 4_096, 0xa5), 0, size - 4_096, 4_096)
  closeSync(file)
  const [line = '', ...more] = await about()
  assert.match(line, /^error: .*(damaged|malformed).* -> .*zaqar restore makes one of a backup$/)
  assert.deepEqual(more, [])
})
