import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { NOTED_MS } from '../../../src/storage/contract.ts'
import { openPostgres } from '../../../src/storage/postgres/open-postgres.ts'
import { until } from '../../support/until.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from '../postgres-server.ts'

const key = { project: 'p', kind: 'queue', name: 'jobs' } as const

describe('triggers that note changes', { skip: (await missingPostgres()) ?? false }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  test('are at work while a queue leaves, and rest when its mover has died', async () => {
    const schema = newSchema()
    const clock = new ManualClock()
    const open = () => openPostgres({ uri: server.uri, schema, connections: 1, clock })
    const atWork = async () => {
      const [row] = await administer(
        server.uri,
        `SELECT count(*)::integer AS count FROM pg_trigger
         WHERE tgname = 'touched' AND tgenabled = 'O' AND tgrelid IN
           (SELECT oid FROM pg_class WHERE relnamespace = '"${schema}"'::regnamespace)`,
      )
      return row?.['count']
    }
    const mover = await open()
    await mover.queues.create({ key, metadata: '{}', now: clock.now() })
    await mover.moves?.begin({ key, now: clock.now() })
    assert.equal(await atWork(), 11)
    await mover.close()

    const other = await open()
    clock.advance(NOTED_MS)
    await until(async () => {
      clock.advance(30_000)
      return (await atWork()) === 0
    })
    assert.notEqual(await other.moves?.begin({ key, now: clock.now() }), null)
    assert.equal(await atWork(), 11)
    await other.close()
    await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
  })
})
