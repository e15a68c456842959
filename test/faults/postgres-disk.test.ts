import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  missingPostgres,
  type PostgresServer,
  startOwnPostgres,
} from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { mountDisk, type SmallDisk } from '../support/small-disk.ts'
import { expectRefusal } from './under-load.ts'

const CONFIG = '[transport]\nmax_messages_per_page = 1000\nmax_messages_post_size = 1000000\n'
/** What is left on it when the service begins to write. */
const LEFT_BYTES = 4_000_000
const MESSAGE_BYTES = 100_000
const MESSAGES = '/v2/queues/jobs/messages'

const mounted = (await missingPostgres({ isOwn: true })) ?? mountDisk('160m')

describe('a full disk under PostgreSQL', { skip: typeof mounted === 'string' && mounted }, () => {
  const disk = mounted as SmallDisk
  let server: PostgresServer
  let service: Service
  let client: TestClient
  let close: () => void

  before(async () => {
    server = await startOwnPostgres({ parent: disk.folder })
    service = await startService({ config: CONFIG, args: ['--storage', server.uri] })
    const send = sendOverHttp(service.url)
    close = send.close
    client = new TestClient(send)
  })
  after(async () => {
    close()
    await service.kill()
    await server.stop()
    disk.unmount()
  })

  // Random, or PostgreSQL would make little of it.
  const post = (number: number) =>
    client.post(MESSAGES, {
      messages: [{ body: [number, randomBytes(MESSAGE_BYTES).toString('latin1')] }, { body: [number] }],
    })

  test('is said to clients as 503, loses nothing that was acknowledged, and is got over when there is space', async () => {
    disk.fill(LEFT_BYTES)
    const acknowledged: number[] = []
    let refused = 0
    for (let number = 0; refused < 3; number++) {
      assert.ok(number < 200, 'the disk does not fill')
      const answer = await post(number)
      if (answer.status === 201) acknowledged.push(number)
      else {
        expectRefusal(answer)
        refused += 1
      }
    }
    disk.clear()
    // Without space for its log PostgreSQL gives up altogether, and somebody has to start it again.
    await server.control?.start().catch(() => undefined)
    const isServed = async () => (await client.get('/v2/ping')).status === 204
    await until(isServed, 'the service does not serve again by itself')
    const last = await post(1_000)
    assert.equal(last.status, 201, last.text)
    const { messages } = JSON.parse((await client.get(`${MESSAGES}?echo=true&limit=1000`)).text)
    const numbers = messages.map(({ body }: { body: [number] }) => body[0])
    // What was refused may be there all the same if PostgreSQL fell before it could answer, but whole.
    assert.deepEqual(
      numbers.filter((number: number) => acknowledged.includes(number)),
      acknowledged.flatMap((number) => [number, number]),
    )
  })
})
