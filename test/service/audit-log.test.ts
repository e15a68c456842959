import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

let folder: string
let path: string
let service: Service | null = null
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zaqar-audit-'))
  path = join(folder, 'audit.log')
})
afterEach(async () => {
  await service?.kill()
  service = null
  rmSync(folder, { recursive: true })
})

interface Line {
  readonly clientAddress: string
  readonly requestId: string
  readonly queue?: string
}

function linesIn(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

async function start(file = path): Promise<{ service: Service; client: TestClient }> {
  service = await startService({ config: `[audit]\nfile = ${file}\n` })
  const send = sendOverHttp(service.url)
  return { service, client: new TestClient(send) }
}

describe('a service with an audit log', () => {
  test('has written a line for every operation when it ends', async () => {
    const { service, client } = await start()
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => client.post(`/v2/queues/q${i}/messages`, { messages: [{ body: i }] })),
    )
    await service.stop()
    const lines = linesIn(path)
    assert.deepEqual(new Set(lines.map(({ queue }) => queue)), new Set(answers.map((_, i) => `q${i}`)))
    const ids = answers.map(({ headers }) => headers['x-openstack-request-id'])
    assert.deepEqual(new Set(lines.map(({ requestId }) => requestId)), new Set(ids))
    assert.deepEqual(new Set(lines.map(({ clientAddress }) => clientAddress)), new Set(['127.0.0.1']))
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('loses no line when the file is rotated', async () => {
    const { service, client } = await start()
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 20 }, () => client.get('/v2/queues')))
      // Lines may be written a moment after their answers.
      await until(() => existsSync(path))
      if (round < 4) renameSync(path, `${path}.${round}`)
    }
    await service.stop()
    const counts = ['.0', '.1', '.2', '.3', ''].map((end) => linesIn(`${path}${end}`).length)
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      100,
    )
  })

  test('goes on serving where the log cannot be written any more, and says so', async () => {
    const { service, client } = await start()
    // In place of the file there is a folder.
    rmSync(path, { force: true })
    renameSync(mkdtempSync(join(folder, 'folder-')), path)
    for (let i = 0; i < 3; i++) assert.equal((await client.get('/v2/queues')).status, 200)
    await service.stop()
    assert.match(service.log(), /audit log cannot be written/)
    assert.match(service.log(), /"lines":3,.*missing in the audit log/)
  })

  test('does not start without it', async () => {
    await assert.rejects(
      start(join(folder, 'missing', 'audit.log')),
      /zaqar: .*audit\.log: there is no such file or folder/,
    )
    writeFileSync(path, '')
    await assert.rejects(start(join(path, 'audit.log')), /zaqar: .*audit\.log: a part of this path is no folder/)
  })

  test('may write it to standard output', async () => {
    const { service, client } = await start('-')
    const { headers } = await client.get('/v2/queues')
    await service.stop()
    assert.match(service.output(), new RegExp(`^\\{.*"requestId":"${headers['x-openstack-request-id']}".*\\}$`, 'm'))
  })
})
