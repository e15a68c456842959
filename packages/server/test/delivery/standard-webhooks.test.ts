import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { signatureHeaders } from '../../src/delivery/standard-webhooks.ts'
import { systemIds } from '../../src/platform/system-ids.ts'

const body = '{"ttl": 300, "body": "é", "Message_Type": "Notification", "queue_name": "q"}'
const signed = (secrets: readonly string[]) => {
  const timestamp = Math.floor(Date.now() / 1000)
  return signatureHeaders({ id: 'msg_1', timestamp, body, secrets })
}

test('a receiver verifies a webhook with the key that it was shown', () => {
  const key = systemIds.randomKey()
  assert.deepEqual(new Webhook(`whsec_${key}`).verify(body, signed([key])), JSON.parse(body))
})

test('while a key is being replaced, the old one and the new one are good', () => {
  const keys = [systemIds.randomKey(), systemIds.randomKey()]
  for (const key of keys) new Webhook(key).verify(body, signed(keys))
})

test('a key of another, another body, another id or another time is not good', () => {
  const key = systemIds.randomKey()
  const headers = signed([key])
  const receiver = new Webhook(key)
  assert.throws(() => new Webhook(systemIds.randomKey()).verify(body, headers))
  assert.throws(() => receiver.verify(`${body} `, headers))
  assert.throws(() => receiver.verify(body, { ...headers, 'webhook-id': 'msg_2' }))
  const timestamp = String(Number(headers['webhook-timestamp']) - 1)
  assert.throws(() => receiver.verify(body, { ...headers, 'webhook-timestamp': timestamp }))
})

test('the signature is that of the specification', () => {
  // The example of standardwebhooks.com.
  const headers = signatureHeaders({
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1614265330,
    body: '{"test": 2432232314}',
    secrets: ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  })
  assert.deepEqual(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('without a key there are no headers', () => {
  assert.deepEqual(signed([]), {})
})
