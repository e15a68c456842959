import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase, type SharedDatabase } from './database.ts'

const MAX = 100
const CONFIG = `[project_limits]\nmax_messages = ${MAX}\nmax_queues = 3\n`
/** As long as a node relies on what it knows, and a little more. */
const REMEMBERED_MS = 1_100

describe('quotas on two nodes', { skip: (await missingPostgres()) ?? false }, () => {
  let database: SharedDatabase
  let services: Service[]
  let clients: TestClient[]
  const sends: { close(): void }[] = []

  before(async () => {
    database = await createDatabase()
    const options = { config: CONFIG, args: ['--storage', database.uri] }
    services = await Promise.all([startService(options), startService(options)])
    clients = services.map(({ url }) => {
      const send = sendOverHttp(url)
      sends.push(send)
      return new TestClient(send)
    })
  })
  after(async () => {
    for (const send of sends) send.close()
    await Promise.all(services.map((service) => service.stop()))
    await database.drop()
  })

  /** How many of the messages were let in. */
  async function postSome(client: TestClient, queue: string, count: number): Promise<number> {
    const messages = Array.from({ length: count }, (_, i) => ({ body: i }))
    const { status, text } = await client.post(`/v2/queues/${queue}/messages`, { messages })
    assert.ok(status === 201 || status === 403, text)
    return status === 201 ? count : 0
  }

  test('are exceeded by no more than a second of the others, and hold on all from then on', async () => {
    const posts = clients.flatMap((client, node) =>
      Array.from({ length: 30 }, () => postSome(client, `of-node-${node}`, 5)),
    )
    const stored = (await Promise.all(posts)).reduce((sum, count) => sum + count, 0)
    assert.ok(stored >= MAX && stored <= 2 * MAX, String(stored))
    await sleep(REMEMBERED_MS)
    for (const client of clients) assert.equal(await postSome(client, 'of-node-0', 1), 0)
  })

  test('give room on one for what was removed on the other', async () => {
    const [here, there] = clients as [TestClient, TestClient]
    for (const queue of ['of-node-0', 'of-node-1']) {
      assert.equal((await here.post(`/v2/queues/${queue}/purge`, { resource_types: ['messages'] })).status, 204)
    }
    await until(async () => (await postSome(there, 'of-node-0', MAX)) === MAX)
  })

  test('count queues that others have made', async () => {
    const [here, there] = clients as [TestClient, TestClient]
    assert.equal((await here.put('/v2/queues/third')).status, 201)
    await sleep(REMEMBERED_MS)
    assert.equal((await there.put('/v2/queues/fourth')).status, 403)
    assert.equal((await there.put('/v2/queues/third')).status, 204)
  })
})
