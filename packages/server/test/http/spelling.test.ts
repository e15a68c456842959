import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freshService } from '../support/fresh-service.ts'
import { JSON_PATCH } from '../support/test-client.ts'

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

  test('in metadata, which v1 and v1.1 show as it is stored', async () => {
    await service.client.put('/v2/queues/q', SENT)
    assert.equal((await service.client.get('/v1.1/queues/q')).text, SHOWN)
    assert.equal((await service.client.get('/v1/queues/q/metadata')).text, SHOWN)
    const withDefaults = `${SHOWN.slice(0, -1)}, "_max_messages_post_size": 262144, `
    const { text } = await service.client.get('/v2/queues/q')
    assert.ok(text.startsWith(withDefaults), text)
    const listed = await service.client.get('/v2/queues?detailed=true')
    assert.ok(listed.text.includes(`"metadata": ${withDefaults}`), listed.text)
  })

  test('in metadata that was patched', async () => {
    await service.client.put('/v2/queues/q', SENT)
    const patch =
      '[{"op": "add", "path": "/metadata/7", "value": {"y": 1, "2": 2}}, {"op": "remove", "path": "/metadata/9"}]'
    const { text } = await service.client.patch('/v2/queues/q', patch, { headers: { 'Content-Type': JSON_PATCH } })
    const shown = SHOWN.replace('"9": 2}', '"7": {"y": 1, "2": 2}, ')
    assert.ok(text.startsWith(shown), text)
  })

  test('in the options of a subscription', async () => {
    await service.client.post('/v2/queues/q/subscriptions', `{"subscriber": "http://a.example/", "options": ${SENT}}`)
    const { text } = await service.client.get('/v2/queues/q/subscriptions')
    assert.ok(text.includes(`"options": ${SHOWN}`), text)
  })
})
