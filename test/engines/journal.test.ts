import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Harness, runConformance } from 'zaqar-conformance'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { tries } from '../../packages/server/test/support/tries.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { abilities, openStorage } from './journal.ts'

const harness: Harness = {
  abilities,
  async open(clock) {
    const folder = await mkdtemp(join(tmpdir(), 'zaqar-journal-'))
    const open = () => openStorage({ uri: `module:journal?file=${folder}/journal`, clock })
    return { storage: await open(), reopen: open, drop: () => rm(folder, { recursive: true }) }
  },
}

runConformance('an engine of somebody else', harness, { sequences: tries(20, 100) })

const module = fileURLToPath(new URL('journal.ts', import.meta.url))

async function startOn(journal: string): Promise<{ service: Service; client: TestClient; stop(): Promise<void> }> {
  const service = await startService({ args: ['--storage', `module:${module}?file=${journal}`] })
  const send = sendOverHttp(service.url)
  return {
    service,
    client: new TestClient(send),
    async stop() {
      send.close()
      await service.stop()
    },
  }
}

test('the service keeps its messages in the engine that the configuration names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zaqar-journal-'))
  const journal = join(folder, 'journal')
  const first = await startOn(journal)
  const posted = await first.client.post('/v2/queues/jobs/messages', { messages: [{ body: 'kept', ttl: 300 }] })
  assert.equal(posted.status, 201, posted.text)
  await first.stop()

  // As a crash in the middle of a write leaves it.
  appendFileSync(journal, '["messages","purge",{"key"')
  const second = await startOn(journal)
  const { messages } = JSON.parse((await second.client.get('/v2/queues/jobs/messages?echo=true')).text)
  assert.equal(messages[0].body, 'kept')
  await second.stop()
  await rm(folder, { recursive: true })
})

test('a module that is no engine is named, and one that is not there', async () => {
  const start = (name: string) => startService({ args: ['--storage', `module:${name}`] })
  const noEngine = fileURLToPath(import.meta.resolve('zaqar/storage'))
  await assert.rejects(
    start(noEngine),
    /the service did not start: zaqar: .*contract\.ts exports no function openStorage\n$/,
  )
  await assert.rejects(start('./nowhere.js'), /the service did not start: zaqar: .*nowhere\.js/)
})
