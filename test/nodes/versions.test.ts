import assert from 'node:assert/strict'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { administer, missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { underLoad } from '../faults/under-load.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase, type SharedDatabase } from './database.ts'

const NODES_AT_ONCE = 10
const CONFIG = '[transport]\nmax_messages_per_page = 1000\n'

const repository = fileURLToPath(new URL('../../', import.meta.url))

/** What the next version may do to a database that nodes of this one are using. */
const NEXT_STEP = `
ALTER TABLE queue ADD COLUMN next_version text;
CREATE INDEX queue_next_version ON queue (next_version) WHERE next_version IS NOT NULL;
`

describe('migrations and moves', { skip: (await missingPostgres()) ?? false }, () => {
  let database: SharedDatabase
  let folder: string
  const started: Service[] = []

  before(async () => {
    database = await createDatabase()
    folder = mkdtempSync(join(tmpdir(), 'zaqar-next-version-'))
  })
  after(async () => {
    await Promise.all(started.map((service) => service.kill()))
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  async function start(program?: string): Promise<Service> {
    const of = program === undefined ? {} : { command: [process.execPath, program] }
    const service = await startService({ config: CONFIG, args: ['--storage', database.uri], ...of })
    started.push(service)
    return service
  }

  /** A copy of the service with one step more, and with moves in which a function answers by another type. */
  function nextVersion(): string {
    const server = join(folder, 'packages/server')
    const postgres = join(server, 'src/storage/postgres')
    cpSync(join(repository, 'packages/server/src'), join(server, 'src'), { recursive: true })
    cpSync(join(repository, 'packages/server/package.json'), join(server, 'package.json'))
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(postgres, 'migrations/9999-next.sql'), NEXT_STEP)
    const moves = readFileSync(join(postgres, 'moves/standing.sql'), 'utf8')
    const changed = moves.replace('FUNCTION never() RETURNS bigint', 'FUNCTION never() RETURNS numeric')
    assert.notEqual(changed, moves)
    writeFileSync(join(postgres, 'moves/standing.sql'), changed)
    appendFileSync(join(postgres, 'moves/versions.txt'), 'next\n')
    return join(server, 'src/cli/main.ts')
  }

  const state = () =>
    administer(
      database.uri,
      `SELECT count(*)::integer AS steps, max(name) AS last, (SELECT moves::integer FROM zaqar.service) AS moves,
              pg_typeof(zaqar.never())::text AS changed
       FROM zaqar.migration`,
    )

  test('are done once by ten nodes that start at once on an empty database', async () => {
    const nodes = await Promise.all(Array.from({ length: NODES_AT_ONCE }, () => start()))
    for (const { url } of nodes) {
      const send = sendOverHttp(url)
      const posted = await new TestClient(send).post('/v2/queues/jobs/messages', { messages: [{ body: 'x' }] })
      send.close()
      assert.equal(posted.status, 201, posted.text)
    }
    assert.deepEqual(await administer(database.uri, 'SELECT count(*)::integer AS services FROM zaqar.service'), [
      { services: 1 },
    ])
    await Promise.all(started.slice(1).map((node) => node.stop()))
  })

  test('of the next version are done beside nodes of this one, which go on, and may start again', async () => {
    const [old] = started as [Service]
    const [before] = await state()
    const program = nextVersion()
    const { refused } = await underLoad([old.url], async () => void (await start(program)))
    assert.equal(refused, 0)
    const next = started.at(-1) as Service
    await underLoad([next.url, old.url], async () => (await start()).stop(), ['third', 'fourth'])
    const { steps, moves } = before as { steps: number; moves: number }
    assert.deepEqual(await state(), [{ steps: steps + 1, last: '9999-next.sql', moves: moves + 1, changed: 'numeric' }])
    await next.stop()
    await old.stop()
  })
})
