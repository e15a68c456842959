import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { json } from '../../packages/server/test/support/answers.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

interface Told {
  readonly path: string
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

const QUICK = {
  _retry_policy: {
    retries_with_no_delay: 1,
    minimum_delay_retries: 0,
    minimum_delay: 0,
    maximum_delay: 10,
    maximum_delay_retries: 0,
    retry_backoff_function: 'linear',
  },
}
const CONFIG = `
[transport]
message_encryption_key = 32 bytes of a key, or some others
`

describe('a service, and a webhook that it tells', () => {
  let service: Service
  let receiver: Receiver
  let client: TestClient
  let told: Told[] = []
  let status = 200
  const send = { close: () => {} }

  before(async () => {
    receiver = await startReceiver((path, body, { headers }) => {
      told.push({ path, body, headers })
      return status
    })
    service = await startService({ config: CONFIG })
    const overHttp = sendOverHttp(service.url)
    send.close = overHttp.close
    client = new TestClient(overHttp)
  })
  after(async () => {
    send.close()
    await service.stop()
    await receiver.close()
  })
  beforeEach(() => {
    told = []
    status = 200
  })

  async function subscribe(queue: string, options: object = {}, collection = 'queues'): Promise<string> {
    const subscriber = `${receiver.url}/${queue}`
    const answer = await client.post(`/v2/${collection}/${queue}/subscriptions`, { subscriber, ttl: 3600, options })
    assert.equal(answer.status, 201, answer.text)
    return json(answer).subscription_id
  }

  async function post(queue: string, messages: object[], collection = 'queues'): Promise<void> {
    const answer = await client.post(`/v2/${collection}/${queue}/messages`, { messages })
    assert.equal(answer.status, 201, answer.text)
  }

  const toldOf = (queue: string) => told.filter(({ path }) => path === `/${queue}`)

  async function untilTold(queue: string, times: number): Promise<Told[]> {
    await until(() => toldOf(queue).length >= times, `${queue} was told ${toldOf(queue).length} times`)
    return toldOf(queue)
  }

  test('gets the document of the contract, byte for byte', async () => {
    await subscribe('plain')
    await post('plain', [{ ttl: 300, body: { n: 1, s: 'zürich' } }])
    const [first] = await untilTold('plain', 1)
    assert.equal(
      first?.body,
      '{"ttl": 300, "body": {"n": 1, "s": "z\\u00fcrich"}, "Message_Type": "Notification", "queue_name": "plain"}',
    )
    assert.equal(first?.headers['content-type'], 'application/json')
  })

  test('is told though a consumer claims and deletes at once', async () => {
    await client.put('/v2/queues/taken')
    await subscribe('taken')
    await post('taken', [{ ttl: 300, body: 1 }])
    const claim = json(await client.post('/v2/queues/taken/claims', { ttl: 60, grace: 60 }))
    await client.delete(`/v2/queues/taken/messages?ids=${claim.messages[0].id}`)
    await untilTold('taken', 1)
  })

  test('is told of a topic', async () => {
    await client.put('/v2/topics/news')
    await subscribe('news', {}, 'topics')
    await post('news', [{ ttl: 300, body: 'extra' }], 'topics')
    const [first] = await untilTold('news', 1)
    assert.match(first?.body ?? '', /"body": "extra", "Message_Type": "Notification", "queue_name": "news"/)
  })

  test('is told of encrypted messages in the clear', async () => {
    await client.put('/v2/queues/secret', { _enable_encrypt_messages: true })
    await subscribe('secret')
    await post('secret', [{ ttl: 300, body: 'plain text' }])
    const [first] = await untilTold('secret', 1)
    assert.match(first?.body ?? '', /"body": "plain text"/)
  })

  test('gets headers and a body of the subscription', async () => {
    await subscribe('dressed', {
      post_headers: { 'X-Team': 'billing', 'Content-Type': 'text/plain' },
      post_data: '{"all": "$zaqar_message$"}',
    })
    await post('dressed', [{ ttl: 300, body: 1 }])
    const [first] = await untilTold('dressed', 1)
    assert.equal(first?.headers['x-team'], 'billing')
    assert.equal(first?.headers['content-type'], 'text/plain')
    assert.match(first?.body ?? '', /^\{"all": \{"ttl": 300, "body": 1, .*\}\}$/)
  })

  test('verifies what is signed, also while one secret gives way to the next', async () => {
    const id = await subscribe('signed')
    const made = json(await client.post(`/v2/queues/signed/subscriptions/${id}/secret`))
    assert.match(made.secret, /^whsec_/)
    assert.equal(made.previous_until, null)
    await post('signed', [{ ttl: 300, body: 1 }])
    const [first] = await untilTold('signed', 1)
    verify(made.secret, first)
    const next = json(await client.post(`/v2/queues/signed/subscriptions/${id}/secret`))
    assert.notEqual(next.previous_until, null)
    await post('signed', [{ ttl: 300, body: 2 }])
    const second = (await untilTold('signed', 2))[1]
    verify(made.secret, second)
    verify(next.secret, second)
    assert.doesNotMatch((await client.get(`/v2/queues/signed/subscriptions/${id}`)).text, /secret|vault/)
    await client.delete(`/v2/queues/signed/subscriptions/${id}/secret`)
    await post('signed', [{ ttl: 300, body: 3 }])
    const third = (await untilTold('signed', 3))[2]
    assert.equal(third?.headers['webhook-signature'], undefined)
  })

  test('that fails leaves a record, and is told again on request', async () => {
    const id = await subscribe('failing', QUICK)
    const item = `/v2/queues/failing/subscriptions/${id}`
    status = 503
    await post('failing', [{ ttl: 300, body: { n: 1 } }])
    const failures = async () => json(await client.get(`${item}/failures`)).failures
    // The backoff of this policy: 0 and 5 seconds.
    await until(async () => (await failures()).length === 1)
    const [failure] = await failures()
    assert.deepEqual(failure.body, { n: 1 })
    assert.equal(failure.attempts, failure.latest_attempts.length)
    assert.equal(failure.latest_attempts[0].status, 503)
    const { delivery } = json(await client.get(item))
    assert.equal(delivery.failures, failure.attempts)
    status = 200
    const before = toldOf('failing').length
    const replayed = json(await client.post(`${item}/replay`, {}))
    assert.deepEqual(replayed, { replayed: [failure.id], done: true })
    await untilTold('failing', before + 1)
    await until(async () => json(await client.get(item)).delivery === undefined)
    assert.deepEqual(await failures(), [])
    const { deliveries } = json(await client.get(`${item}/deliveries`))
    assert.equal(deliveries[0].status, 200)
    assert.equal(deliveries[0].answer, null)
    assert.deepEqual(deliveries[0].message_ids, [failure.id])
  })

  test('at a forbidden address is never asked', async () => {
    const subscriber = 'http://169.254.169.254/latest/meta-data'
    const answer = await client.post('/v2/queues/forbidden/subscriptions', { subscriber, options: QUICK })
    const item = `/v2/queues/forbidden/subscriptions/${json(answer).subscription_id}`
    await post('forbidden', [{ ttl: 300, body: 1 }])
    await until(async () => json(await client.get(`${item}/deliveries`)).deliveries.length > 0)
    const [first] = json(await client.get(`${item}/deliveries`)).deliveries
    assert.equal(first.status, null)
    assert.match(first.reason, /metadata|link-local/)
  })

  test('gets events as CloudEvents, and several in one request, where it wants that', async () => {
    await subscribe('events', { _format: 'cloudevents', _batch: { messages: 2, seconds: 60 } })
    await post('events', [
      { ttl: 300, body: 1 },
      { ttl: 300, body: 2 },
    ])
    const [first] = await untilTold('events', 1)
    assert.match(first?.headers['content-type'] ?? '', /^application\/cloudevents-batch\+json/)
    const events = JSON.parse(first?.body ?? '')
    assert.deepEqual(
      events.map((event: { data: unknown; specversion: string }) => [event.specversion, event.data]),
      [
        ['1.0', 1],
        ['1.0', 2],
      ],
    )
  })

  test('is asked to confirm nothing while that is not required', async () => {
    await subscribe('unasked')
    await post('unasked', [{ ttl: 300, body: 1 }])
    const all = await untilTold('unasked', 1)
    assert.equal(all.length, 1)
  })
})

function verify(secret: string, notification: Told | undefined): void {
  assert.ok(notification)
  const headers = notification.headers as Record<string, string>
  assert.ok(new Webhook(secret).verify(notification.body, headers))
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${notification.body}`
  const signature = createHmac('sha256', key).update(signed).digest('base64')
  assert.ok(headers['webhook-signature']?.split(' ').includes(`v1,${signature}`))
}

/** Whether nobody takes connections there any more. */
async function isDeaf(url: string): Promise<boolean> {
  return fetch(url, { headers: { connection: 'close' } }).then(
    () => false,
    () => true,
  )
}

test('a service that ends lets a delivery under way come to its end, and another goes on', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<number>()
  const bodies: number[] = []
  const receiver = await startReceiver((_path, body) => {
    bodies.push(JSON.parse(body).body)
    arrived.resolve()
    return bodies.length === 1 ? answered.promise : 200
  })
  t.after(() => receiver.close())
  // Stays when the test fails.
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-notifications-'))
  const first = await startService({ dataDir })
  t.after(() => first.kill())
  const send = sendOverHttp(first.url)
  const client = new TestClient(send)
  await client.post('/v2/queues/q/subscriptions', { subscriber: receiver.url, ttl: 3600 })
  await client.post('/v2/queues/q/messages', { messages: [{ body: 1 }, { body: 2 }] })
  await arrived.promise
  send.close()
  const stopping = first.stop()
  await until(() => isDeaf(first.url))
  answered.resolve(200)
  await stopping
  assert.deepEqual(bodies, [1])
  const second = await startService({ dataDir })
  t.after(() => second.kill())
  await until(() => bodies.length === 2)
  assert.deepEqual(bodies, [1, 2])
  await second.stop()
  rmSync(dataDir, { recursive: true })
})
