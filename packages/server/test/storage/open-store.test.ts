import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { type StorageUri, storageUri } from '../../src/config/storage-uri.ts'
import { createProbeStore, describeStore, openStore } from '../../src/open-store.ts'
import { createSystemClock } from '../../src/platform/system-clock.ts'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

const missing = await missingPostgres()

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

describe('the trial of a store that is registered as a pool', () => {
  const clock = new ManualClock()
  const own = 'sqlite:/var/lib/own.db'
  const probeBeside = async (text: string, uri: string): Promise<string | null> => {
    const storage = await openSqlite({ path: ':memory:', clock })
    return createProbeStore({ storage, uri: read(uri) }, clock)(text).finally(() => storage.close())
  }

  test('succeeds for the own store, which nobody else can open', async () => {
    assert.equal(await probeBeside(own, own), null)
    assert.equal(await probeBeside('module:mine?x=1', 'module:mine?x=1'), null)
  })

  test('never loads a module', async () => {
    assert.match((await probeBeside('module:/tmp/evil.js', own)) ?? '', /in the configuration only/)
  })

  test('says why a server does not serve, without the password', async () => {
    const reason = (await probeBeside(NOWHERE, own)) ?? ''
    assert.match(reason, /^PostgreSQL does not serve: .*ECONNREFUSED/)
    assert.doesNotMatch(reason, /hunter2/)
  })

  describe('on PostgreSQL', { skip: missing ?? false }, () => {
    const database = newSchema()
    let server: PostgresServer
    before(async () => {
      server = await startPostgres()
      await administer(server.uri, `CREATE DATABASE ${database}`)
    })
    after(async () => {
      await administer(server.uri, `DROP DATABASE ${database}`)
      await server.stop()
    })

    test('succeeds, and leaves nothing there', async () => {
      const uri = new URL(server.uri)
      uri.pathname = database
      assert.equal(await probeBeside(uri.href, own), null)
      assert.deepEqual(await administer(uri.href, "SELECT FROM pg_namespace WHERE nspname = 'zaqar'"), [])
    })
  })
})
