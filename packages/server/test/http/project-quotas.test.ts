import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const messages = (count: number, more: object = {}) => ({
  messages: Array.from({ length: count }, (_, i) => ({ body: i, ...more })),
})
const POST = '/v2/queues/q/messages'

describe('a quota on queues', () => {
  const service = freshService({ OS_PROJECT_LIMITS__MAX_QUEUES: '2' })

  test('refuses one more with 403, whatever would make it, and leaves existing ones alone', async () => {
    assert.equal((await service.client.put('/v2/queues/a')).status, 201)
    assert.equal((await service.client.put('/v2/topics/b')).status, 201)
    const subscription = { subscriber: 'http://example.org/', ttl: 3600, options: {} }
    for (const refused of [
      await service.client.put('/v2/queues/c'),
      await service.client.put('/v2/topics/c'),
      await service.client.put('/v1.1/queues/c'),
      await service.client.post('/v2/queues/c/messages', messages(1)),
      await service.client.post('/v2/queues/c/subscriptions', subscription),
    ]) {
      assertError(refused, 403, 'Too many queues', 'Project p1 may have 2 queues and topics, and has 2')
    }
    assert.equal((await service.client.put('/v2/queues/a')).status, 204)
    assert.equal((await service.client.post('/v2/queues/a/messages', messages(1))).status, 201)
    assert.equal((await service.client.get('/v2/queues/c')).status, 200, 'it shows what a new queue would be')
    assert.equal(json(await service.client.get('/v2/queues')).queues.length, 1)
  })

  test('counts a queue that comes into being with a dead letter, but does not refuse it', async () => {
    await service.client.put('/v2/queues/a', { _max_claim_count: 0, _dead_letter_queue: 'dead' })
    await service.client.put('/v2/queues/b')
    await service.client.post('/v2/queues/a/messages', messages(1))
    assert.equal((await service.client.post('/v2/queues/a/claims')).status, 204)
    assert.equal(json(await service.client.get('/v2/queues/dead/stats')).messages.free, 1)
    await service.client.delete('/v2/queues/b')
    service.pass(1)
    assertError(await service.client.put('/v2/queues/c'), 403, 'Too many queues', 'has 2')
  })

  test('gives room within a second when a queue is deleted', async () => {
    await service.client.put('/v2/queues/a')
    await service.client.put('/v2/queues/b')
    assert.equal((await service.client.put('/v2/queues/c')).status, 403)
    await service.client.delete('/v2/queues/a')
    service.pass(1)
    assert.equal((await service.client.put('/v2/queues/c')).status, 201)
  })

  test('holds when many are made at one time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => service.client.put(`/v2/queues/q${i}`)))
    assert.equal(answers.filter(({ status }) => status === 201).length, 2)
    assert.equal(answers.filter(({ status }) => status === 403).length, 18)
  })

  test('counts a queue once that many want at one time', async () => {
    const posts = Array.from({ length: 20 }, () => service.client.post('/v2/queues/a/messages', messages(1)))
    const puts = Array.from({ length: 20 }, () => service.client.put('/v2/queues/b'))
    assert.deepEqual(new Set((await Promise.all(posts)).map(({ status }) => status)), new Set([201]))
    const statuses = (await Promise.all(puts)).map(({ status }) => status)
    assert.deepEqual(statuses.sort(), [201, ...Array(19).fill(204)])
  })

  test('is one for each project', async () => {
    await service.client.put('/v2/queues/a')
    await service.client.put('/v2/queues/b')
    const other = service.client.with({ 'X-Project-Id': 'p2' })
    assert.equal((await other.put('/v2/queues/a')).status, 201)
  })
})

describe('a quota on messages', () => {
  const service = freshService({ OS_PROJECT_LIMITS__MAX_MESSAGES: '10' })

  test('refuses a POST that would go beyond it as a whole, and makes no queue for it', async () => {
    assert.equal((await service.client.post(POST, messages(8))).status, 201)
    const refused = await service.client.post('/v2/queues/other/messages', messages(3))
    const words = 'Project p1 may keep 10 messages, and keeps 8; 3 more were not stored'
    assertError(refused, 403, 'Too many stored messages', words)
    assert.equal(refused.headers['retry-after'], undefined)
    assert.equal(json(await service.client.get('/v2/queues')).queues.length, 1)
    assert.equal((await service.client.post('/v2/queues/other/messages', messages(2))).status, 201)
    assert.equal((await service.client.post(POST, messages(1))).status, 403)
  })

  test('counts claimed messages, and gives room within a second when they are deleted', async () => {
    await service.client.post(POST, messages(10))
    const claim = json(await service.client.post('/v2/queues/q/claims?limit=4', {}))
    service.pass(1)
    assert.equal((await service.client.post(POST, messages(1))).status, 403)
    for (const { href } of claim.messages) assert.equal((await service.client.delete(href)).status, 204)
    service.pass(1)
    assert.equal((await service.client.post(POST, messages(4))).status, 201)
    assert.equal((await service.client.post(POST, messages(1))).status, 403)
  })

  test('forgets messages that have expired', async () => {
    await service.client.post(POST, messages(10, { ttl: 60 }))
    service.pass(60)
    for (let round = 0; (await service.client.post(POST, messages(10))).status !== 201; round++) {
      assert.ok(round < 100, 'they still count')
      service.pass(1)
    }
  })

  test('holds when many post at one time, in many queues', async () => {
    const posts = Array.from({ length: 30 }, (_, i) =>
      service.client.post(`/v2/queues/q${i % 3}/messages`, messages(3)),
    )
    const stored = (await Promise.all(posts)).filter(({ status }) => status === 201)
    assert.equal(stored.length, 3)
    const usage = await service.storage.queues.usage({ project: 'p1', now: service.clock.now() })
    assert.equal(usage.messages, 9)
  })

  test('counts nothing for a POST that was refused for another reason', async () => {
    for (let i = 0; i < 20; i++) assert.equal((await service.client.post(POST, messages(5, { ttl: 1 }))).status, 400)
    assert.equal((await service.client.post(POST, messages(10))).status, 201)
  })
})

describe('a quota on bytes', () => {
  const service = freshService({ OS_PROJECT_LIMITS__MAX_MESSAGE_BYTES: '1000' })
  const post = (characters: number, character = 'x') =>
    service.client.post(POST, { messages: [{ body: character.repeat(characters) }] })

  test('refuses a POST whose bodies would go beyond it', async () => {
    // With its quotes each is of 500 bytes.
    assert.equal((await post(498)).status, 201)
    const words = 'Project p1 may keep 1000 bytes, and keeps 500; 501 more were not stored'
    assertError(await post(499), 403, 'Too many stored bytes', words)
    assert.equal((await post(249, '\u00e4')).status, 201)
    assertError(await post(0), 403, 'Too many stored bytes')
  })

  test('gives room within a second when messages are removed', async () => {
    await post(998)
    await service.client.delete(`${POST}?pop=1`)
    service.pass(1)
    assert.equal((await post(998)).status, 201)
  })

  test('counts metadata, however they come, and lets them shrink', async () => {
    const filled = (key: string, characters: number) => ({ [key]: 'x'.repeat(characters) })
    // Key, value, and what is around them: ten bytes more than the value.
    assert.equal((await service.client.put('/v2/queues/a', filled('kkkk', 490))).status, 201)
    assertError(
      await service.client.put('/v2/topics/b', filled('kkkk', 491)),
      403,
      'Too many stored bytes',
      'keeps 500; 501 more',
    )
    assert.equal((await service.client.put('/v2/topics/b', filled('kkkk', 490))).status, 201)
    assertError(await post(0), 403, 'Too many stored bytes')
    const change = (op: string, value?: string) =>
      service.client.patch('/v2/queues/a', [{ op, path: '/metadata/kkkk', value }])
    assertError(await change('replace', 'y'.repeat(491)), 403, 'Too many stored bytes', 'keeps 1000; 1 more')
    assertError(await service.client.put('/v1/queues/a/metadata', filled('kkkk', 491)), 403, 'Too many stored bytes')
    assert.equal((await change('replace', 'y'.repeat(490))).status, 200)
    assert.equal((await change('replace', 'y'.repeat(90))).status, 200)
    service.pass(1)
    assert.equal((await post(398)).status, 201)
  })

  test('counts subscriptions, each once', async () => {
    const SUBSCRIPTIONS = '/v2/queues/q/subscriptions'
    const subscribe = (subscriber: string, characters: number) =>
      service.client.post(SUBSCRIPTIONS, { subscriber, options: { kkkk: 'x'.repeat(characters) } })
    const first = await subscribe('http://a.example/', 473)
    assert.equal(first.status, 201)
    assertError(await subscribe('http://b.example/', 474), 403, 'Too many stored bytes', 'keeps 500; 501 more')
    assert.equal((await subscribe('http://a.example/', 473)).status, 201, 'the same again')
    assert.equal((await subscribe('http://b.example/', 473)).status, 201)
    const path = `${SUBSCRIPTIONS}/${json(first).subscription_id}`
    assert.equal((await service.client.patch(path, { ttl: 600 })).status, 204)
    assertError(await service.client.patch(path, { options: { kkkk: 'y'.repeat(474) } }), 403, 'Too many stored bytes')
    assert.equal((await service.client.patch(path, { options: {} })).status, 204)
    service.pass(1)
    assert.equal((await post(481)).status, 201)
    assert.equal((await post(0)).status, 403)
  })

  test('counts what is remembered of a POST that may be repeated', async () => {
    const repeatable = (key: string) =>
      service.client.post(POST, { messages: [{ body: 1 }] }, { headers: { 'Idempotency-Key': key } })
    for (let n = 0; n < 3; n++) assert.equal((await repeatable(`${n}`.repeat(250))).status, 201)
    assertError(await repeatable('3'.repeat(250)), 403, 'Too many stored bytes')
    await service.client.delete(`${POST}?pop=3`)
    service.pass(1)
    assertError(await repeatable('3'.repeat(250)), 403, 'Too many stored bytes')
    assert.equal((await service.client.post('/v2/queues/q/purge')).status, 204)
    service.pass(1)
    assert.equal((await repeatable('3'.repeat(250))).status, 201)
  })
})
