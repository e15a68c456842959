import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type StorageUri, storageUri } from '../../src/config/storage-uri.ts'
import { describeStore, openStore } from '../../src/open-store.ts'
import { createSystemClock } from '../../src/platform/system-clock.ts'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { unwatchedEngine } from '../support/unwatched.ts'

/** Nothing listens there. */
const NOWHERE = 'postgres://zaqar:hunter2@127.0.0.1:1/zaqar'

function read(text: string): StorageUri {
  const parsed = storageUri.parse(text)
  assert.ok('value' in parsed)
  return parsed.value
}

const parts = { local: createSystemClock(), figures: unwatchedEngine(), version: '1.2.3' }

test('a store is described without its password', () => {
  assert.equal(describeStore(read('sqlite:/var/lib/z.db')), '/var/lib/z.db')
  assert.equal(
    describeStore(read('postgresql://zaqar:hunter2@db:5433/my%20zaqar?sslmode=require')),
    'PostgreSQL at db:5433, database my zaqar',
  )
  assert.equal(
    describeStore(read('postgres:///zaqar?host=/run/postgresql')),
    'PostgreSQL at /run/postgresql, database zaqar',
  )
  assert.equal(describeStore(read('module:@example/engine?password=hunter2')), 'kept by the engine of @example/engine')
})

test('a server that cannot be reached is unavailable, and the reason holds no password', async () => {
  const opening = openStore({ uri: read(NOWHERE), listenUri: null, connections: 1 }, parts)
  await assert.rejects(opening, (error) => error instanceof StorageUnavailable && !error.message.includes('hunter2'))
})

test('what a new SQLite store keeps on the disk is for its user alone; a file that is there keeps its mode', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-modes-'))
  const umask = process.umask(0)
  t.after(() => {
    process.umask(umask)
    rmSync(folder, { recursive: true })
  })
  writeFileSync(join(folder, 'shared.db'), '', { mode: 0o640 })
  for (const [name, mode] of [
    ['new', 0o600],
    ['shared', 0o640],
  ] as const) {
    const file = join(folder, `${name}.db`)
    const opened = await openStore({ uri: read(`sqlite:${file}`), listenUri: null, connections: 1 }, parts)
    await opened.storage.queues.create({ key: { project: 'p', kind: 'queue', name: 'q' }, metadata: '{}', now: 0 })
    for (const [suffix, expected] of [
      ['', mode],
      ['-wal', mode],
      ['-reserve', 0o600],
    ] as const) {
      assert.equal((statSync(file + suffix).mode & 0o777).toString(8), expected.toString(8), file + suffix)
    }
    await opened.close()
  }
})
