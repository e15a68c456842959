import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askPostgres, type PostgresFacts } from '../../../src/cli/doctor/ask-postgres.ts'
import { storageUri } from '../../../src/config/storage-uri.ts'
import { openStore } from '../../../src/open-store.ts'
import { createSystemClock } from '../../../src/platform/system-clock.ts'
import { administer, missingPostgres, type PostgresServer, startOwnPostgres } from '../../storage/postgres-server.ts'
import { unwatchedEngine } from '../../support/unwatched.ts'

describe('what PostgreSQL says of itself', { skip: (await missingPostgres({ isOwn: true })) ?? false }, () => {
  let server: PostgresServer
  const clock = createSystemClock()

  before(async () => {
    server = await startOwnPostgres({
      settings: { full_page_writes: 'off', archive_mode: 'on', archive_command: 'true', max_connections: '30' },
    })
  })
  after(() => server?.stop())

  async function ask(uri = server.uri): Promise<PostgresFacts> {
    const answers = await askPostgres(uri, false, clock)
    assert.ok(!('objection' in answers), JSON.stringify(answers))
    return answers
  }

  function as(role: string): string {
    return server.uri.replace('postgres@', `${role}@`)
  }

  test('before the first start there is no schema; then it is up to date, and each session tells its version', async () => {
    assert.equal((await ask()).schema.state, null)
    const { value: uri } = storageUri.parse(server.uri) as { value: never }
    const store = await openStore(
      { uri, listenUri: null, connections: 1 },
      { local: clock, figures: unwatchedEngine(), version: '1.2.3' },
    )
    try {
      await store.storage.ping()
      const { schema, nodes, connections, isReadOnly, lacksWayToListen, isBare, clockAheadMs } = await ask()
      assert.deepEqual(schema, { state: schema.newest, newest: schema.newest, missingRight: null })
      assert.deepEqual(
        nodes.map(({ address, application }) => [address, application]),
        [['127.0.0.1', `zaqar/1.2.3 node/${process.versions.node}`]],
      )
      assert.ok(connections.open >= 2)
      assert.equal(connections.most, 27)
      assert.deepEqual(
        { isReadOnly, lacksWayToListen, isBare },
        { isReadOnly: false, lacksWayToListen: false, isBare: false },
      )
      assert.ok(Math.abs(clockAheadMs) < 1000)
    } finally {
      await store.close()
    }
  })

  test('settings are those of the server', async () => {
    const { settings } = await ask()
    assert.deepEqual(
      ['fsync', 'full_page_writes', 'archive_mode'].map((name) => settings.get(name)),
      ['on', 'off', 'on'],
    )
  })

  test('a base backup is seen by who may list the log, and by nobody else', async () => {
    assert.equal((await ask()).backups.baseBackup, null)
    const label = "SELECT pg_backup_start('test', true); SELECT labelfile FROM pg_backup_stop(false)"
    await administer(server.uri, label)
    const { baseBackup } = (await ask()).backups
    assert.ok(typeof baseBackup === 'number' && baseBackup >= 0 && baseBackup < 60, String(baseBackup))
    await administer(server.uri, 'CREATE ROLE stranger LOGIN CONNECTION LIMIT 5')
    const { backups, connections } = await ask(as('stranger')).catch(() => assert.fail('he may look'))
    assert.equal(backups.baseBackup, 'hidden')
    assert.equal(connections.most, 5)
  })

  test('of a role with fewer rights those are named that are missing', async () => {
    await administer(server.uri, 'CREATE ROLE api LOGIN')
    const missing = async () => (await ask(as('api'))).schema.missingRight
    assert.equal(await missing(), 'USAGE on the schema zaqar')
    await administer(
      server.uri,
      'GRANT USAGE ON SCHEMA zaqar TO api; GRANT SELECT ON ALL TABLES IN SCHEMA zaqar TO api',
    )
    assert.match((await missing()) ?? '', /^SELECT, INSERT, UPDATE and DELETE on .*\bmessage\b.*, service/)
    await administer(server.uri, 'GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA zaqar TO api')
    assert.equal(await missing(), null)
  })

  test('a server that is not there, or refuses, is told of without the password', async () => {
    for (const uri of ['postgres://zaqar:hunter2@127.0.0.1:9/zaqar', as('nobody:hunter2')]) {
      const answers = await askPostgres(uri, false, clock)
      assert.ok('objection' in answers)
      assert.match(answers.objection, /^PostgreSQL does not serve: /)
      assert.doesNotMatch(answers.objection, /hunter2/)
    }
  })
})
