/** The dashboard asks a real Prometheus, which scrapes a service that works. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { createDatabase } from '../nodes/database.ts'
import { missingPeer } from '../support/peers.ts'
import { startPrometheus } from '../support/prometheus.ts'
import { startReceiver } from '../support/receiver.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { startService } from '../support/service.ts'

/** Prometheus looks each second, so two looks are within it. */
const RATE_INTERVAL = '5s'

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
}

const skip = (await missingPostgres()) ?? missingPeer('prometheus')

// On PostgreSQL, since there are connections to look at; with a pool beside it.
test('every panel of the dashboard shows something of a service that works', { skip, timeout: 60_000 }, async (t) => {
  const dashboard = JSON.parse(
    readFileSync(new URL('../../deploy/grafana/zaqar.json', import.meta.url), 'utf8'),
  ) as Dashboard
  const database = await createDatabase()
  const receiver = await startReceiver(() => 200)
  const pooling = '[DEFAULT]\npooling = true\n[pooling:catalog]\nenable_virtual_pool = true\n'
  const config = `${pooling}[metrics]\nqueues = ${PROJECT}/jobs\n`
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-dashboard-'))
  const service = await startService({ args: ['--storage', database.uri], config, dataDir })
  t.after(async () => {
    await service.kill()
    rmSync(dataDir, { recursive: true })
    await receiver.close()
    await database.drop()
  })
  const prometheus = await startPrometheus(new URL(service.url).host)
  t.after(() => prometheus.stop())
  const send = sendOverHttp(service.url)
  t.after(() => send.close())
  const client = new TestClient(send)
  const pool = { uri: `sqlite:${join(dataDir, 'pool.db')}`, weight: 1 }
  assert.equal((await client.with({ 'X-Roles': 'admin' }).put('/v2/pools/near', pool)).status, 201)
  await client.post('/v2/queues/jobs/subscriptions', { subscriber: receiver.url })

  const hasData = async (expression: string) => {
    const query = expression.replaceAll('$instance', '.*').replaceAll('$__rate_interval', RATE_INTERVAL)
    return (await prometheus.query(query)).length > 0
  }
  const wanted = new Map(
    dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [expr, title] as const)),
  )
  assert.ok(wanted.size > 40, 'the dashboard has no panels')
  const isAllShown = async () => {
    await client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }, { body: 2 }] })
    await client.post('/v2/queues/jobs/claims?limit=1', { ttl: 60, grace: 60 })
    await client.delete('/v2/queues/jobs/messages?pop=1')
    await client.with({ Origin: 'https://elsewhere.example' }).get('/v2/queues')
    for (const expression of wanted.keys()) if (await hasData(expression)) wanted.delete(expression)
    return wanted.size === 0
  }
  await until(isAllShown).catch(() => undefined)
  assert.deepEqual([...wanted], [], 'some show nothing')
})
