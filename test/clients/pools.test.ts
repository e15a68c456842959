import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { requirePeer } from '../support/peers.ts'
import { type PooledService, startOnPostgres, startOnSqlite } from '../support/pooled-service.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { runPython } from './run-python.ts'

/** So many pools does a test of zaqarclient_pools.py have at most. */
const POOLS = 5

const missing = (await missingPostgres()) ?? false
for (const { engine, start, skip } of [
  { engine: 'SQLite', start: startOnSqlite, skip: false },
  { engine: 'PostgreSQL', start: startOnPostgres, skip: missing },
] as const) {
  describe(`with pools on ${engine}`, { skip }, () => {
    let service: PooledService

    before(async () => {
      service = await start(POOLS)
    })

    after(() => service.stop())

    test('python-zaqarclient works with pools and flavors', async (t) => {
      if (!requirePeer(t, 'python-zaqarclient')) return
      await runPython('zaqarclient_pools.py', service.url, { ZAQAR_POOL_URIS: service.uris.join(' ') })
    })

    describe('clients that know nothing of them work as ever:', () => {
      before(async () => {
        const send = sendOverHttp(service.url)
        const operator = new TestClient(send, { 'X-Roles': 'admin' })
        for (const [i, uri] of service.uris.slice(0, 2).entries()) {
          assert.equal((await operator.put(`/v2/pools/pool-${i}`, { uri, weight: 1 })).status, 201)
        }
        send.close()
      })

      test('python-zaqarclient', async (t) => {
        if (!requirePeer(t, 'python-zaqarclient')) return
        await runPython('zaqarclient_v2.py', service.url)
        await runPython('zaqarclient_subscriptions.py', service.url)
      })

      test('openstacksdk', async (t) => {
        if (requirePeer(t, 'openstacksdk')) await runPython('openstacksdk_message.py', service.url)
      })
    })
  })
}
