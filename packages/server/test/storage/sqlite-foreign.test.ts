import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

describe('a SQLite file', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zaqar-sqlite-'))
    path = join(folder, 'some.db')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const open = () => openSqlite({ path, clock: new ManualClock() })

  for (const [what, sql] of [
    ['with tables of its own', 'CREATE TABLE users (name TEXT)'],
    ['with the mark of its program', 'PRAGMA application_id = 252006675; CREATE TABLE users (name TEXT)'],
    ['with tables that are named as ours', 'CREATE TABLE store (a); CREATE TABLE queues (b); PRAGMA user_version = 2'],
  ] as const) {
    test(`of another program, ${what}, is refused and left as it is, byte by byte`, async () => {
      const db = new DatabaseSync(path)
      db.exec(sql)
      db.close()
      const before = readFileSync(path)
      await assert.rejects(open(), {
        name: 'StorageUnavailable',
        message: `The SQLite file belongs to another program: ${path}`,
      })
      assert.deepEqual(readFileSync(path), before)
    })
  }

  test('that is empty becomes ours, and is opened again', async () => {
    writeFileSync(path, '')
    await (await open()).close()
    const storage = await open()
    await storage.ping()
    await storage.close()
  })
})
