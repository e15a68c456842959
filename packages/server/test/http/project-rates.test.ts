import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const messages = (count: number) => ({ messages: Array.from({ length: count }, (_, i) => ({ body: i })) })
const QUEUE = '/v2/queues/q'
const POST = `${QUEUE}/messages`

describe('requests in a second', () => {
  const service = freshService({ OS_PROJECT_LIMITS__MAX_REQUESTS_PER_SECOND: '2' })

  test('beyond the limit of the project are refused with 503, and say when to come again', async () => {
    assert.equal((await service.client.get('/v2/queues')).status, 200)
    assert.equal((await service.client.get('/v2/queues')).status, 200)
    const refused = await service.client.get('/v2/queues')
    assertError(refused, 503, 'Too many requests', 'Project p1 may send 2 requests per second', 'in 1 seconds')
    assert.equal(refused.headers['retry-after'], '1')
    service.pass(1)
    assert.equal((await service.client.get('/v2/queues')).status, 200)
  })

  test('of one project leave the others alone', async () => {
    const other = service.client.with({ 'X-Project-Id': 'p2' })
    for (let i = 0; i < 5; i++) await service.client.get('/v2/queues')
    assert.equal((await other.get('/v2/queues')).status, 200)
    assert.equal((await service.client.get('/v2/queues')).status, 503)
  })

  test('count in every version of the API together', async () => {
    assert.equal((await service.client.get('/v1/queues')).status, 204)
    assert.equal((await service.client.get('/v1.1/queues')).status, 200)
    for (const version of ['v1', 'v1.1', 'v2']) {
      const { status, headers } = await service.client.get(`/${version}/queues`)
      assert.equal(status, 503)
      assert.equal(headers['retry-after'], '1')
    }
  })

  test('that carry signed URLs count for the project that the URL belongs to', async () => {
    const { headers } = await signedFor('GET')
    const guest = service.client.with({ 'X-Project-Id': 'p1', ...headers })
    service.pass(1)
    assert.equal((await guest.get(POST)).status, 200)
    assert.equal((await service.client.get('/v2/queues')).status, 200)
    assert.equal((await guest.get(POST)).status, 503)
    assert.equal((await service.client.get('/v2/queues')).status, 503)
  })

  async function signedFor(method: string): Promise<{ headers: Record<string, string> }> {
    const share = json(await service.client.post(`${QUEUE}/share`, { paths: ['messages'], methods: [method] }))
    return {
      headers: {
        'URL-Signature': share.signature,
        'URL-Expires': share.expires,
        'URL-Methods': share.methods.join(','),
        'URL-Paths': share.paths.join(','),
      },
    }
  }
})

describe('messages in a second', () => {
  const service = freshService({ OS_PROJECT_LIMITS__MAX_MESSAGES_PER_SECOND: '10' })

  test('beyond the limit of the project are refused and not stored', async () => {
    assert.equal((await service.client.post(POST, messages(10))).status, 201)
    const refused = await service.client.post('/v2/queues/other/messages', messages(1))
    assertError(refused, 503, 'Too many messages', 'Project p1 may post 10 messages per second')
    assert.equal(refused.headers['retry-after'], '1')
    assert.deepEqual(
      json(await service.client.get('/v2/queues')).queues.map(({ name }: { name: string }) => name),
      ['q'],
    )
    service.pass(1)
    assert.equal((await service.client.post(POST, messages(1))).status, 201)
  })

  test('may come as a large batch, after which the project waits', async () => {
    assert.equal((await service.client.post(POST, messages(45))).status, 201)
    const { status, headers } = await service.client.post(POST, messages(1))
    assert.equal(status, 503)
    assert.equal(headers['retry-after'], '4')
    service.pass(Number(headers['retry-after']))
    assert.equal((await service.client.post(POST, messages(1))).status, 201)
  })

  test('do not stand in the way of other requests', async () => {
    await service.client.post(POST, messages(45))
    assert.equal((await service.client.get(POST)).status, 200)
    assert.equal((await service.client.post(`${QUEUE}/claims`, {})).status, 201)
  })
})
