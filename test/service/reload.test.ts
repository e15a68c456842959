import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { json } from '../../packages/server/test/support/answers.ts'
import { SocketClient } from '../../packages/server/test/support/socket-client.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { createDatabase, type SharedDatabase } from '../nodes/database.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

const DONE = '"msg":"configuration read again"'
const REFUSED = 'the changed configuration cannot be used; the one before stays'
/** The same number stands for two settings, so that what is mixed shows. */
const bothAs = (value: number) => `[transport]\ndefault_message_ttl = ${value}\nmax_messages_post_size = ${value}\n`

const folder = mkdtempSync(join(tmpdir(), 'zaqar-reload-'))
const file = join(folder, 'zaqar.conf')
const configure = (text: string) => writeFileSync(file, text)
after(() => rmSync(folder, { recursive: true }))

/** SIGHUP, until the log says `word` once more for each of `times`. */
async function reload(service: Service, word = DONE, times = 1): Promise<void> {
  const count = () => service.log().split(word).length
  const before = count()
  process.kill(service.pid, 'SIGHUP')
  await until(() => count() === before + times)
}

async function settingsOf(client: TestClient): Promise<[ttl: number, size: number]> {
  const queue = json(await client.get('/v2/queues/a'))
  return [queue._default_message_ttl, queue._max_messages_post_size]
}

describe('a service that is told to read its configuration again', () => {
  let service: Service
  let client: TestClient
  let close: () => void

  before(async () => {
    configure(bothAs(1000))
    service = await startService({ args: ['--config-file', file] })
    const send = sendOverHttp(service.url)
    close = send.close
    client = new TestClient(send)
    await client.put('/v2/queues/a')
  })
  after(async () => {
    close()
    await service.stop()
  })

  test('shows each request either the old settings or the new ones', async () => {
    let isOver = false
    const seen = new Set<number>()
    const look = async () => {
      const send = sendOverHttp(service.url)
      while (!isOver) {
        const [ttl, size] = await settingsOf(new TestClient(send))
        assert.equal(ttl, size)
        seen.add(ttl)
      }
      send.close()
    }
    const looking = Promise.all(Array.from({ length: 4 }, look))
    for (const value of [2000, 3000, 4000]) {
      configure(bothAs(value))
      await reload(service)
      assert.deepEqual(await settingsOf(client), [value, value])
    }
    isOver = true
    await looking
    assert.ok(seen.has(4000))
  })

  test('keeps what connections have, and holds them to new limits', async () => {
    configure('[transport]\nmax_queues_per_page = 1\n[cors]\nallowed_origin = https://page.example\n')
    const socket = await SocketClient.open(service.port)
    const list = (limit: number) => socket.ask('queue_list', { limit })
    assert.equal((await list(20)).status, 200)
    await reload(service)
    assert.equal((await list(20)).status, 400)
    assert.equal((await list(1)).status, 200)
    const answer = await client.with({ Origin: 'https://page.example' }).get('/v2/queues/a')
    assert.equal(answer.headers['access-control-allow-origin'], 'https://page.example')
    socket.ws.close()
  })

  test('names what waits for a restart, and leaves it as it is', async () => {
    configure('[drivers:transport:wsgi]\nbind = 127.0.0.2\n[http]\nmax_connections = 3\n')
    await reload(service)
    assert.match(service.log(), /"options":\["\[drivers:transport:wsgi\] bind","\[http\] max_connections"\]/)
    assert.equal((await client.get('/v2/queues/a')).status, 200)
  })

  test('changes nothing for a file with an error, and says what is wrong', async () => {
    configure(bothAs(5000))
    await reload(service)
    configure(`${bothAs(6000)}max_claim_ttl = soon\n`)
    await reload(service, REFUSED)
    assert.match(service.log(), /zaqar\.conf:4: \[transport\] max_claim_ttl: \\"soon\\" was given/)
    configure(`${bothAs(6000)}[oslo_policy]\npolicy_file = nowhere.yaml\n`)
    await reload(service, REFUSED)
    assert.match(service.log(), /there is no nowhere\.yaml/)
    assert.deepEqual(await settingsOf(client), [5000, 5000])
  })

  test('takes other rules, and logs in detail', async () => {
    writeFileSync(join(folder, 'rules.yaml'), 'queues:get: "!"\n')
    configure('[DEFAULT]\ndebug = true\n[oslo_policy]\npolicy_file = rules.yaml\n')
    await reload(service)
    assert.equal((await client.get('/v2/queues/a')).status, 403)
    configure('')
    await reload(service)
    assert.equal((await client.get('/v2/queues/a')).status, 200)
  })
})

const missing = await missingPostgres()

describe('workers that are told to read their configuration again', { skip: missing ?? false }, () => {
  let database: SharedDatabase
  before(async () => {
    database = await createDatabase()
  })
  after(() => database.drop())

  test('all do, and one in the place of another has what is new', async () => {
    configure(bothAs(1000))
    const args = ['--config-file', file, '--storage', database.uri, '--workers', '2']
    const service = await startService({ args })
    const sends = Array.from({ length: 4 }, () => sendOverHttp(service.url))
    const all = () => Promise.all(sends.map((send) => settingsOf(new TestClient(send))))
    await new TestClient(sends[0] as (typeof sends)[number]).put('/v2/queues/a')
    assert.deepEqual(await all(), Array(4).fill([1000, 1000]))
    configure(bothAs(2000))
    await reload(service, DONE, 2)
    assert.deepEqual(await all(), Array(4).fill([2000, 2000]))
    configure('[transport]\nmax_claim_ttl = soon\n')
    await reload(service, REFUSED)
    assert.deepEqual(await all(), Array(4).fill([2000, 2000]))
    for (const send of sends) send.close()
    await service.stop()
  })
})
