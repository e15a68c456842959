import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { until } from '../../packages/server/test/support/until.ts'
import { ended, zaqar } from '../support/command.ts'
import { type Service, startService } from '../support/service.ts'
import { runHere } from './run-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-bench-'))
let service: Service

before(async () => {
  service = await startService()
})

after(async () => {
  await service.stop()
  rmSync(folder, { recursive: true })
})

async function queues(): Promise<string[]> {
  const { stdout } = await runHere(['queue', 'list', '--json'], { env: { ZAQAR_URL: service.url } })
  return JSON.parse(stdout).map(({ name }: { name: string }) => name)
}

test('a bench says of each workload how much was done and how long it took, and leaves nothing behind', async () => {
  const argv = ['bench', '--seconds', '1', '--clients', '2', '--json']
  const { code, stdout } = await runHere(argv, { env: { ZAQAR_URL: service.url } })
  assert.equal(code, 0)
  const measured: Record<string, number>[] = JSON.parse(stdout)
  assert.deepEqual(
    measured.map(({ workload, operation }) => `${workload} ${operation}`),
    ['post post', 'work post', 'work claim', 'work delete', 'list list', 'push push'],
  )
  for (const { answered = 0, perSecond = 0, p50 = 0, p99 = 0, max = 0, errors } of measured) {
    assert.ok(answered > 0 && perSecond > 0 && p50 > 0 && p50 <= p99 && p99 <= max, stdout)
    assert.deepEqual(errors, {})
  }
  assert.deepEqual(await queues(), [])
})

test('a bench that is interrupted removes its queue', async () => {
  const child = zaqar(['bench', '--seconds', '600', '--clients', '1', '--url', service.url], folder)
  const ending = ended(child)
  await until(async () => (await queues()).length === 1)
  child.kill('SIGINT')
  const stderr = 'zaqar: interrupted; its queue is removed\n'
  assert.deepEqual(await ending, { code: 1, signal: null, stdout: '', stderr })
  assert.deepEqual(await queues(), [])
})

test('another machine is loaded only by whoever says so', async () => {
  const { code, stderr } = await runHere(['bench', '--url', 'http://192.0.2.1:8888'])
  assert.deepEqual(
    [code, stderr],
    [2, 'zaqar: http://192.0.2.1:8888 is another machine: --yes loads it all the same\n'],
  )
})

test('a service that does not answer is told of, and one without sockets is measured without', async () => {
  const { code } = await runHere(['bench', '--url', 'http://127.0.0.1:1'])
  assert.equal(code, 75)
  const deaf = await startService({ config: '[drivers:transport:websocket]\nenabled = false\n' })
  const argv = ['bench', '--workload', 'push', '--clients', '1', '--json', '--url', deaf.url]
  assert.deepEqual(await runHere(argv), {
    code: 0,
    stdout: '[]\n',
    stderr: 'zaqar: push: the service tells nobody by WebSocket at this address\n',
  })
  await deaf.stop()
})
