import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { startReceiver } from '../support/receiver.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { startService } from '../support/service.ts'

const SUBSCRIPTIONS = 1000
const SILENT = 100
/** Subscribed at the same time. */
const AT_ONCE = 20

test('900 subscriptions are told while 100 more never answer', async (t) => {
  const told = new Map<string, number>()
  const begun = { at: 0 }
  const well = await startReceiver((path) => {
    told.set(path, performance.now() - begun.at)
    return 200
  })
  let silenced = 0
  const silent = await startReceiver(() => {
    silenced += 1
    return new Promise(() => {})
  })
  // None of the silent ones may have been given up by then.
  const service = await startService({ config: '[notification]\nheaders_timeout = 250\nrequest_timeout = 300\n' })
  t.after(async () => {
    await service.kill()
    await Promise.all([well.close(), silent.close()])
  })
  const send = sendOverHttp(service.url)
  const client = new TestClient(send)
  const subscribe = async (i: number) => {
    const receiver = i % (SUBSCRIPTIONS / SILENT) === 0 ? silent : well
    const subscriber = `${receiver.url}/${i}`
    const answer = await client.post('/v2/queues/q/subscriptions', { subscriber, ttl: 3600 })
    assert.equal(answer.status, 201, answer.text)
  }
  for (let i = 0; i < SUBSCRIPTIONS; i += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, j) => subscribe(i + j)))
  }
  begun.at = performance.now()
  await client.post('/v2/queues/q/messages', { messages: [{ body: 1 }] })
  await until(() => told.size === SUBSCRIPTIONS - SILENT)
  assert.ok(silenced > 0, 'the silent ones were never tried')
  send.close()
  const waits = [...told.values()].sort((a, b) => a - b)
  t.diagnostic(`99 % within ${Math.round(waits[Math.floor(waits.length * 0.99)] ?? 0)} ms of the POST`)
})
