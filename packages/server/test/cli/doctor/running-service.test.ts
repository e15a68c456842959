import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMetrics, type ServiceAnswers } from '../../../src/cli/doctor/ask-service.ts'
import { checkFileLimits } from '../../../src/cli/doctor/file-limits.ts'
import { checkNodes, checkVersions } from '../../../src/cli/doctor/versions.ts'
import { load } from '../../config/memory.ts'
import { found } from './found.ts'

const { config } = load({})

const METRICS = `# TYPE zaqar_build_info gauge
zaqar_build_info{version="0.1.0",engine="postgres",node="26.10.0"} 1
process_max_fds{worker="0"} 65536
process_max_fds{worker="1"} 1024
`

function served(text: string): Promise<ServiceAnswers> {
  return Promise.resolve({ who: 'service', objection: null, metrics: readMetrics(text) })
}

test('the process with the fewest files decides', async () => {
  const lines = await found((findings) => checkFileLimits(findings, { config, service: served(METRICS) }))
  assert.match(lines[0] ?? '', /^warning: a process of the service may have 1024 files and sockets open, fewer than/)
  const enough = METRICS.replace(' 1024', ' 65536')
  const more = await found((findings) => checkFileLimits(findings, { config, service: served(enough) }))
  assert.match(more[0] ?? '', /^ok: a process of the service may have 65536 files and sockets open, enough/)
})

test('a service of another version, or on an old Node, is told of', async () => {
  const look = (text: string, version: string) =>
    found((findings) => checkVersions(findings, { version, service: served(text), postgres: null }))
  assert.deepEqual((await look(METRICS, '0.1.0')).slice(1), [
    'ok: the service runs on Node 26.10.0',
    'ok: the service is of version 0.1.0, as this command is',
  ])
  const [, node, version] = await look(METRICS.replace('26.10.0', '22.1.0'), '0.2.0')
  assert.equal(node, 'error: the service runs on Node 22.1.0 -> Node 24 or newer is needed')
  assert.match(version ?? '', /^warning: the service is of version 0\.1\.0, and this command of 0\.2\.0 -> restart/)
})

test('nodes of several versions are told of, whatever Node they run on', async () => {
  const look = (...applications: readonly string[]) => {
    const nodes = applications.map((application, n) => ({ address: `10.0.0.${n + 1}`, application, sessions: 9 }))
    return found((findings) => checkNodes(findings, nodes, '0.1.0'))
  }
  assert.deepEqual(await look('zaqar/0.1.0 node/26.10.0', 'zaqar/0.1.0 node/24.1.0'), [
    'ok: all nodes at the store are of one version: 10.0.0.1 (zaqar/0.1.0 node/26.10.0), 10.0.0.2 (zaqar/0.1.0 node/24.1.0)',
  ])
  const [several] = await look('zaqar/0.1.0 node/26.10.0', 'zaqar/0.2.0 node/26.10.0')
  assert.match(
    several ?? '',
    /^warning: nodes of several versions are at the store: 10\.0\.0\.1 .* -> update the others/,
  )
  assert.match((await look())[0] ?? '', /^ok: no session at the store tells a version/)
})

test('a service that shows no metrics tells no version', async () => {
  const service: Promise<ServiceAnswers> = Promise.resolve({ who: 'service', objection: null, metrics: null })
  const lines = await found((findings) => checkVersions(findings, { version: '0.1.0', service, postgres: null }))
  assert.match(lines[1] ?? '', /^ok: .*\[metrics\] scrape_token/)
})
