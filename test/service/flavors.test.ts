import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { administer, missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { SocketClient } from '../../packages/server/test/support/socket-client.ts'
import { CLIENT_ID, PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { type PooledService, startOnPostgres, startOnSqlite } from '../support/pooled-service.ts'
import { sendOverHttp } from '../support/send-over-http.ts'

const DURABLE = ['FIFO', 'CLAIMS', 'DURABILITY', 'AOD', 'HIGH_THROUGHPUT']
const WEAKER = ['FIFO', 'CLAIMS', 'AOD', 'HIGH_THROUGHPUT']
const ADMIN = { 'X-Roles': 'admin' }

/** What flavors of a service say of themselves, by every wire. */
class Flavors {
  readonly service: PooledService
  readonly #send: ReturnType<typeof sendOverHttp>
  readonly #http: TestClient
  readonly #socket: SocketClient

  static async of(service: PooledService): Promise<Flavors> {
    const headers = { 'Client-ID': CLIENT_ID, 'X-Project-ID': PROJECT, ...ADMIN }
    return new Flavors(service, await SocketClient.open(service.url.replace('http', 'ws'), { headers }))
  }

  constructor(service: PooledService, socket: SocketClient) {
    this.service = service
    this.#send = sendOverHttp(service.url)
    this.#http = new TestClient(this.#send, ADMIN)
    this.#socket = socket
  }

  async putPool(name: string, uri: string): Promise<void> {
    const answer = await this.#http.put(`/v2/pools/${name}`, { uri, weight: 1 })
    assert.equal(answer.status, 201, answer.text)
  }

  /** The capabilities that are shown of a flavor with these pools. */
  async capabilitiesOf(...pools: readonly string[]): Promise<unknown> {
    const answer = await this.#http.put('/v2/flavors/gold', { pool_list: pools })
    assert.equal(answer.status, 201, answer.text)
    const changed = await this.#http.patch('/v2/flavors/gold', { pool_list: pools })
    const shown = [
      JSON.parse(changed.text).capabilities,
      ...(await Promise.all(['/v2', '/v1.1'].map((version) => this.#shownBy(version)))).flat(),
      (await this.#socket.ask('flavor_get', { flavor_name: 'gold' })).body.capabilities,
    ]
    for (const capabilities of shown) assert.deepEqual(capabilities, shown[0])
    return shown[0]
  }

  async #shownBy(version: string): Promise<unknown[]> {
    const one = await this.#http.get(`${version}/flavors/gold`)
    const all = await this.#http.get(`${version}/flavors?detailed=true`)
    return [JSON.parse(one.text).capabilities, JSON.parse(all.text).flavors[0].capabilities]
  }

  async stop(): Promise<void> {
    this.#socket.ws.terminate()
    this.#send.close()
    await this.service.stop()
  }
}

describe('a flavor of pools on SQLite', () => {
  let flavors: Flavors
  before(async () => {
    flavors = await Flavors.of(await startOnSqlite(2))
  })
  after(() => flavors.stop())

  test('is durable', async () => {
    for (const [i, uri] of flavors.service.uris.entries()) await flavors.putPool(`p${i}`, uri)
    assert.deepEqual(await flavors.capabilitiesOf('p0', 'p1'), DURABLE)
  })
})

describe('a flavor of pools on PostgreSQL', { skip: (await missingPostgres()) ?? false }, () => {
  let flavors: Flavors
  before(async () => {
    flavors = await Flavors.of(await startOnPostgres(2))
    const [firm, slack] = flavors.service.uris as [string, string]
    await administer(slack, `ALTER DATABASE ${new URL(slack).pathname.slice(1)} SET synchronous_commit = off`)
    await flavors.putPool('firm', firm)
    await flavors.putPool('slack', slack)
  })
  after(() => flavors.stop())

  test('is durable if all of them are', async () => {
    assert.deepEqual(await flavors.capabilitiesOf('firm'), DURABLE)
    assert.deepEqual(await flavors.capabilitiesOf('slack'), WEAKER)
    assert.deepEqual(await flavors.capabilitiesOf('firm', 'slack'), WEAKER)
  })
})
