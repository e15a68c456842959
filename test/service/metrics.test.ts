import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { startReceiver } from '../support/receiver.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const isThere = spawnSync('promtool', ['--version']).status === 0
const skip = isThere ? false : 'promtool is missing (Debian: prometheus)'

/** Only with several connections to a server is there one. */
const OF_POSTGRES = 'zaqar_engine_lanes'

interface Shown {
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

/** What the text of Prometheus shows, by name. */
function familiesIn(text: string): Map<string, Shown> {
  const families = new Map<string, Shown>()
  for (const [, name = '', help = '', type = '', samples = ''] of text.matchAll(
    /^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n((?:[^#\n].*\n)*)/gm,
  )) {
    const labels = [...samples.matchAll(/[{,]([a-z_]+)="/g)].map(([, label = '']) => label)
    families.set(name, { type, help, labels: [...new Set(labels)].filter((label) => label !== 'le') })
  }
  return families
}

/** The table in docs/watching.md. */
function documentedFamilies(): Map<string, Shown> {
  const rows = readFileSync(root('docs/watching.md'), 'utf8').matchAll(
    /^\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \| ([a-z, ]*) \| (.*) \|$/gm,
  )
  return new Map(
    Array.from(rows, ([, name = '', type = '', labels = '', help = '']) => [
      name,
      { type, help, labels: labels.split(', ').filter((label) => label.trim() !== '') },
    ]),
  )
}

/** Names of metrics in a text of queries, without what a histogram puts behind them. */
function metricsIn(text: string): Set<string> {
  const names = Array.from(text.matchAll(/\b(?:zaqar|process)_[a-z0-9_]+/g), ([name]) => name)
  return new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, '')))
}

function promtool(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
  return `${stdout}${stderr}`
}

describe('what a service tells those who watch it', () => {
  let service: Service
  let text: string

  before(async () => {
    const receiver = await startReceiver(() => 200)
    service = await startService({
      config: '[DEFAULT]\nadmin_mode = true\npooling = true\n[metrics]\nqueues = p1/q\n',
      args: ['--debug'],
    })
    const send = sendOverHttp(service.url)
    const client = new TestClient(send)
    const pool = { uri: `sqlite:${join(service.dataDir, 'pool.db')}`, weight: 1 }
    assert.equal((await client.with({ 'X-Roles': 'admin' }).put('/v2/pools/near', pool)).status, 201)
    await client.post('/v2/queues/q/subscriptions', { subscriber: receiver.url })
    await client.post('/v2/queues/q/messages', { messages: [{ body: 1 }] })
    text = (await client.get('/metrics')).text
    send.close()
    await receiver.close()
  })
  after(() => service.stop())

  test('is in the table of docs/watching.md, and the other way round', () => {
    const documented = documentedFamilies()
    const told = familiesIn(text)
    assert.deepEqual(
      [...documented.keys()].filter((name) => !told.has(name)),
      [OF_POSTGRES],
    )
    documented.delete(OF_POSTGRES)
    const sorted = (families: Map<string, Shown>) =>
      Object.fromEntries([...families].sort(([a], [b]) => (a < b ? -1 : 1)))
    assert.deepEqual(sorted(told), sorted(documented))
  })

  test('is what Prometheus takes', { skip }, () => {
    assert.equal(promtool(['check', 'metrics'], text), '')
  })

  test('is all that the dashboard and the alerts look at', () => {
    const told = new Set([...familiesIn(text).keys(), OF_POSTGRES])
    for (const path of [
      'deploy/grafana/zaqar.json',
      'deploy/prometheus/alerts.yml',
      'deploy/prometheus/alerts.test.yml',
    ]) {
      const asked = metricsIn(readFileSync(root(path), 'utf8'))
      assert.ok(asked.size >= 8, path)
      assert.deepEqual(
        [...asked].filter((name) => !told.has(name)),
        [],
        path,
      )
    }
    const dashboard = metricsIn(readFileSync(root('deploy/grafana/zaqar.json'), 'utf8'))
    const unseen = ['process_start_time_seconds', 'zaqar_census_age_seconds', 'zaqar_gc_runs_total']
    assert.deepEqual([...told].filter((name) => !dashboard.has(name)).sort(), unseen.sort())
  })

  test('is in the log for each request, where it is detailed', () => {
    assert.match(
      service.log(),
      /"level":20,.*"requestId":"req-[-0-9a-f]{36}","operation":"messages\.post","door":"v2","status":201,"seconds":[\d.e-]+,"msg":"request served"/,
    )
  })
})

describe('the alerts', { skip }, () => {
  test('are rules of Prometheus, and each fires when it should', () => {
    const alerts = root('deploy/prometheus/alerts.yml')
    promtool(['check', 'rules', alerts])
    promtool(['test', 'rules', root('deploy/prometheus/alerts.test.yml')])
    const names = (path: string) =>
      new Set(Array.from(readFileSync(path, 'utf8').matchAll(/\bZaqar[A-Z]\w+/g), ([name]) => name))
    assert.deepEqual(names(root('deploy/prometheus/alerts.test.yml')), names(alerts))
  })

  test('go with a job that Prometheus takes', () => {
    promtool(['check', 'config', '--syntax-only', root('deploy/prometheus/scrape.yml')])
  })
})
