import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StorageUri, storageUri } from '../../src/config/storage-uri.ts'
import { describeStore, openStore } from '../../src/open-store.ts'
import { createSystemClock } from '../../src/platform/system-clock.ts'
import { StorageUnavailable } from '../../src/storage/contract.ts'

/** Nothing listens there. */
const NOWHERE = 'postgres://zaqar:hunter2@127.0.0.1:1/zaqar'

function read(text: string): StorageUri {
  const parsed = storageUri.parse(text)
  assert.ok('value' in parsed)
  return parsed.value
}

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
  const opening = openStore({ uri: read(NOWHERE), listenUri: null, connections: 1 }, createSystemClock())
  await assert.rejects(opening, (error) => error instanceof StorageUnavailable && !error.message.includes('hunter2'))
})
