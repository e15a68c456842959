import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const given = freshService()
const MESSAGES = '/v2/queues/jobs/messages'
const BODY = { messages: [{ body: 1 }, { body: 2 }] }

function post(key: string, body: unknown = BODY) {
  return given.client.post(MESSAGES, body, { headers: { 'Idempotency-Key': key } })
}

async function stored(): Promise<unknown[]> {
  return json(await given.client.get(`${MESSAGES}?echo=true`)).messages.map(
    (message: { body: unknown }) => message.body,
  )
}

describe('a POST with an Idempotency-Key', () => {
  test('answers the first answer when it is repeated, and stores nothing', async () => {
    const first = await post('a')
    const second = await post('a')
    assert.equal(first.status, 201)
    assert.equal(second.text, first.text)
    assert.equal(second.headers['location'], first.headers['location'])
    assert.deepEqual(await stored(), [1, 2])
  })

  test('is stored once when its repetitions come at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('a')))
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
    assert.deepEqual(await stored(), [1, 2])
  })

  test('is refused with other messages', async () => {
    await post('a')
    assertError(await post('a', { messages: [{ body: 3 }] }), 409, 'Resource conflict', 'a')
    assert.deepEqual(await stored(), [1, 2])
  })

  test('is a new one after five minutes', async () => {
    await post('a')
    given.pass(299)
    await post('a')
    given.pass(1)
    await post('a')
    assert.deepEqual(await stored(), [1, 2, 1, 2])
  })

  test('is known in its queue alone, and other keys are others', async () => {
    await post('a')
    await post('b')
    const elsewhere = await given.client.post('/v2/queues/other/messages', BODY, {
      headers: { 'Idempotency-Key': 'a' },
    })
    assert.equal(elsewhere.status, 201)
    assert.deepEqual(await stored(), [1, 2, 1, 2])
  })

  test('needs a key of a sane length', async () => {
    for (const key of ['', 'k'.repeat(256)]) assertError(await post(key), 400, 'Invalid API request', '255')
  })
})
