import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { json } from '../../packages/server/test/support/answers.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

let folder: string
let service: Service | null = null

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zaqar-access-'))
})

afterEach(async () => {
  await service?.stop()
  service = null
  rmSync(folder, { recursive: true })
})

async function start(config: string): Promise<{ client: TestClient; close(): void }> {
  service = await startService({ dataDir: join(folder, 'data'), config })
  const send = sendOverHttp(service.url)
  return { client: new TestClient(send), close: () => send.close() }
}

test('without any key of an operator a signed URL works, also after a restart', async () => {
  const first = await start('')
  const shared = json(await first.client.post('/v2/queues/jobs/share', { methods: ['POST'] }))
  first.close()
  await service?.stop()
  assert.equal(statSync(join(folder, 'data', 'signed-url.key')).mode & 0o777, 0o600)

  const { client, close } = await start('')
  const guest = client.with({
    'X-Project-Id': shared.project,
    'URL-Methods': shared.methods.join(','),
    'URL-Paths': shared.paths.join(','),
    'URL-Expires': shared.expires,
    'URL-Signature': shared.signature,
  })
  assert.equal((await guest.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })).status, 201)
  assert.equal((await guest.get('/v2/queues/jobs/messages')).status, 404)
  close()
})

test('rules follow their file while the service runs', async () => {
  const file = join(folder, 'rules.yaml')
  writeFileSync(file, 'queues:create: "role:maker"\n')
  const { client, close } = await start(`[oslo_policy]\npolicy_file = ${file}\n`)
  assert.equal((await client.put('/v2/queues/a')).status, 403)
  assert.equal((await client.with({ 'X-Roles': 'maker' }).put('/v2/queues/a')).status, 201)
  writeFileSync(file, 'queues:create: ""\n')
  // The service looks once a second.
  await until(async () => (await client.put('/v2/queues/b')).status !== 403)
  assert.equal((await client.put('/v2/queues/b')).status, 204)
  close()
})
