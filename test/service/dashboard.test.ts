/** The dashboard asks a real Prometheus, which scrapes a service that works. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { createDatabase } from '../nodes/database.ts'
import { missingPeer } from '../support/peers.ts'
import { freePort } from '../support/proxy.ts'
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

// On PostgreSQL, since there are connections to look at.
test('every panel of the dashboard shows something of a service that works', { skip, timeout: 60_000 }, async (t) => {
  const dashboard = JSON.parse(
    readFileSync(new URL('../../deploy/grafana/zaqar.json', import.meta.url), 'utf8'),
  ) as Dashboard
  const database = await createDatabase()
  const receiver = await startReceiver(() => 200)
  const config = `[metrics]\nqueues = ${PROJECT}/jobs\n`
  const service = await startService({ args: ['--storage', database.uri], config })
  t.after(async () => {
    await service.kill()
    await receiver.close()
    await database.drop()
  })
  const prometheus = await startPrometheus(t, new URL(service.url).host)
  const send = sendOverHttp(service.url)
  t.after(() => send.close())
  const client = new TestClient(send)
  await client.post('/v2/queues/jobs/subscriptions', { subscriber: receiver.url })

  const wanted = new Map(
    dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [expr, title] as const)),
  )
  assert.ok(wanted.size > 40, 'the dashboard has no panels')
  const isAllShown = async () => {
    await client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }, { body: 2 }] })
    await client.post('/v2/queues/jobs/claims?limit=1', { ttl: 60, grace: 60 })
    await client.delete('/v2/queues/jobs/messages?pop=1')
    await client.with({ Origin: 'https://elsewhere.example' }).get('/v2/queues')
    for (const expression of wanted.keys()) if (await prometheus.hasData(expression)) wanted.delete(expression)
    return wanted.size === 0
  }
  await until(isAllShown).catch(() => undefined)
  assert.deepEqual([...wanted], [], 'some show nothing')
})

/** Resolves when it answers. */
async function startPrometheus(
  t: TestContext,
  target: string,
): Promise<{ hasData(expression: string): Promise<boolean> }> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-prometheus-'))
  const file = join(folder, 'prometheus.yml')
  const job = { job_name: 'zaqar', scrape_interval: '1s', static_configs: [{ targets: [target] }] }
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify({ scrape_configs: [job] }))
  const address = `127.0.0.1:${await freePort()}`
  const argv = [`--config.file=${file}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=${address}`]
  const child = spawn('/usr/bin/prometheus', argv, { stdio: 'ignore' })
  t.after(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
    rmSync(folder, { recursive: true })
  })
  await until(async () => {
    assert.equal(child.exitCode, null, 'Prometheus has ended')
    return (await fetch(`http://${address}/-/ready`).catch(() => null))?.status === 200
  })
  return {
    async hasData(expression) {
      const query = expression.replaceAll('$instance', '.*').replaceAll('$__rate_interval', RATE_INTERVAL)
      const answer = await fetch(`http://${address}/api/v1/query?${new URLSearchParams({ query })}`)
      const { status, data, error } = (await answer.json()) as {
        status: string
        data: { result: unknown[] }
        error?: string
      }
      assert.equal(status, 'success', `${query}: ${error}`)
      return data.result.length > 0
    },
  }
}
