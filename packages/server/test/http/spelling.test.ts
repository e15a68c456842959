import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freshService } from '../support/fresh-service.ts'

/** Keys that look like integers behind others, among them one that is spelt with an escape, and a number to be kept. */
const SENT = '{"b":1.0,"10":{"z":0,"1":[],"0":null},"\\u0039":2}'
const SHOWN = '{"b": 1.0, "10": {"z": 0, "1": [], "0": null}, "9": 2}'

describe('keys that look like integers keep their order', () => {
  const service = freshService()

  test('in the bodies of messages', async () => {
    await service.client.post('/v2/queues/q/messages', `{"messages": [{"body": ${SENT}}]}`)
    const { text } = await service.client.get('/v2/queues/q/messages?echo=true')
    assert.ok(text.includes(`"body": ${SHOWN}`), text)
  })

  test('in the options of a subscription', async () => {
    await service.client.post('/v2/queues/q/subscriptions', `{"subscriber": "http://a.example/", "options": ${SENT}}`)
    const { text } = await service.client.get('/v2/queues/q/subscriptions')
    assert.ok(text.includes(`"options": ${SHOWN}`), text)
  })
})
