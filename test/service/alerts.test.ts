/** The alerts of deploy/ in a real Prometheus, which scrapes a service that things happen to. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { missingPostgres, startPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { missingPeer } from '../support/peers.ts'
import { startPrometheus } from '../support/prometheus.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { startService } from '../support/service.ts'

const skip = (await missingPostgres({ isOwn: true })) ?? missingPeer('prometheus')

/** The rules as they are, in a hurry: minutes are seconds. */
const rules = readFileSync(new URL('../../deploy/prometheus/alerts.yml', import.meta.url), 'utf8')
const hurried = rules.replaceAll(/\b(\d+)m\b/g, (_, minutes) => `${Math.min(minutes, 5)}s`)

test('alerts fire when a pool or the service is away, and end with it', { skip, timeout: 120_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-alerts-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  const database = await startPostgres({ isOwn: true })
  t.after(() => database.stop())
  const config = '[DEFAULT]\npooling = true\n'
  let service = await startService({ config, dataDir })
  t.after(() => service.kill())
  const { port } = service
  const prometheus = await startPrometheus(`127.0.0.1:${port}`, hurried)
  t.after(() => prometheus.stop())
  const send = sendOverHttp(service.url)
  t.after(() => send.close())
  const client = new TestClient(send)

  const post = async () => (await client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })).status
  /** Goes on posting until these fire, or none does. */
  const untilFiring = async (wanted: readonly string[]) => {
    let seen: string[] = []
    await until(
      async () => {
        await post().catch(() => null)
        seen = await prometheus.firing()
        return wanted.length === 0 ? seen.length === 0 : wanted.every((name) => seen.includes(name))
      },
      `${wanted} do not fire`,
      40_000,
    ).catch((cause) => assert.fail(`wanted ${wanted}, there are ${seen}: ${cause}`))
  }

  const pool = { uri: database.uri, weight: 1 }
  assert.equal((await client.with({ 'X-Roles': 'admin' }).put('/v2/pools/far', pool)).status, 201)
  assert.equal(await post(), 201)
  await until(async () => (await prometheus.query('zaqar_pool_up == 1')).length === 1)
  await untilFiring([])

  await database.control?.killForGood()
  await untilFiring(['ZaqarPoolDown', 'ZaqarErrors'])
  await database.control?.start()
  await untilFiring([])

  await service.kill()
  await untilFiring(['ZaqarDown'])
  service = await startService({ config, dataDir, port })
  await untilFiring([])
})
