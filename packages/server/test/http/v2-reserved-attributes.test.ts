import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '../../src/model/model.ts'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { PROJECT } from '../support/test-client.ts'

const accepted: Record<string, readonly unknown[]> = {
  _max_messages_post_size: [1, 262_144, null, true],
  _default_message_ttl: [60, 1_209_600, null],
  _default_message_delay: [0, 900, null, false],
  _dead_letter_queue: ['dead', 'Dead_letters-2.old', 'x'.repeat(64), null],
  _dead_letter_queue_messages_ttl: [60, 1_209_600, null],
  _max_claim_count: [5, 0, -1, null, true],
  _enable_encrypt_messages: [false, null],
  _flavor: ['gold', 1, null],
  _other: ['anything', [1]],
  _retry_policy: [
    null,
    {},
    '',
    0,
    { retries_with_no_delay: 5, minimum_delay_retries: 2, maximum_delay_retries: 2, unknown: [] },
    { minimum_delay: 20, maximum_delay: 30 },
    { retries_with_no_delay: -1 },
    { retry_backoff_function: 'geometric', ignore_subscription_override: true },
  ],
}

const refused: Record<string, readonly unknown[]> = {
  _max_messages_post_size: [0, 262_145, '5', 1.5, '', [], {}, -1],
  _default_message_ttl: [59, 1_209_601, '60', '', [], {}, 0, true, false],
  _default_message_delay: [-1, 901, '1', '', [], {}],
  _dead_letter_queue: ['', 'no name', 'x'.repeat(65), 'dead\n', 'dead\0', 'dead\ud800', 'd\u00e9ad', 5, false, [], {}],
  _dead_letter_queue_messages_ttl: [59, 1_209_601, 'x', '', []],
  _max_claim_count: ['5', 1.5, '', []],
  _enable_encrypt_messages: ['true', 1, 0, '', []],
  _retry_policy: [
    'often',
    5,
    [1],
    { minimum_delay: '5' },
    { minimum_delay: null, maximum_delay: 30 },
    { minimum_delay: 30, maximum_delay: 20 },
    { minimum_delay: 20, maximum_delay: 29 },
    { retries_with_no_delay: 1.5 },
    { retry_backoff_function: 'random' },
    { retry_backoff_function: 5 },
    { ignore_subscription_override: 'yes' },
  ],
}

describe('reserved attributes', () => {
  const given = freshService()

  for (const [key, values] of Object.entries(accepted)) {
    for (const value of values) {
      test(`${key} may be ${JSON.stringify(value)}, on PUT and on PATCH`, async () => {
        assert.equal((await given.client.put('/v2/queues/put', { [key]: value })).status, 201)
        await given.client.put('/v2/queues/patch')
        const changed = await given.client.patch('/v2/queues/patch', [{ op: 'add', path: `/metadata/${key}`, value }])
        assert.equal(changed.status, 200, changed.text)
        const shown = json(await given.client.get('/v2/queues/patch'))
        if (value) assert.deepEqual(shown[key], value)
        assert.deepEqual(json(await given.client.get('/v2/queues/put')), shown)
      })
    }
  }

  for (const [key, values] of Object.entries(refused)) {
    for (const value of values) {
      test(`${key} may not be ${JSON.stringify(value)}, on PUT and on PATCH`, async () => {
        assertError(await given.client.put('/v2/queues/put', { [key]: value }), 400, 'Invalid API request')
        await given.client.put('/v2/queues/patch')
        const changed = await given.client.patch('/v2/queues/patch', [{ op: 'add', path: `/metadata/${key}`, value }])
        assertError(changed, 400, 'Invalid request body')
        assert.deepEqual(
          json(await given.client.get('/v2/queues')).queues.map((queue: { name: string }) => queue.name),
          ['patch'],
        )
      })
    }
  }

  test('are integers as they are spelt: 60.0 and 6e1 are none', async () => {
    for (const number of ['60.0', '6e1']) {
      assertError(
        await given.client.put('/v2/queues/jobs', `{"_default_message_ttl": ${number}}`),
        400,
        'Invalid API request',
      )
    }
  })

  test('the description begins with the key', async () => {
    const answer = await given.client.put('/v2/queues/jobs', { _default_message_ttl: 'x' })
    assert.match(json(answer).description, /^_default_message_ttl .*integer/)
  })
})

describe('limits of reserved attributes', () => {
  const given = freshService({
    OS_TRANSPORT__MAX_MESSAGE_TTL: '7200',
    OS_TRANSPORT__MAX_MESSAGE_DELAY: '10',
    OS_TRANSPORT__MAX_MESSAGES_POST_SIZE: '500',
  })

  test('follow the configuration', async () => {
    const fits = { _default_message_ttl: 7200, _default_message_delay: 10, _max_messages_post_size: 500 }
    assert.equal((await given.client.put('/v2/queues/jobs', fits)).status, 201)
    for (const key of Object.keys(fits) as (keyof typeof fits)[]) {
      assertError(await given.client.put('/v2/queues/jobs', { [key]: fits[key] + 1 }), 400, 'Invalid API request')
    }
  })
})

describe('limits that are lowered later', () => {
  const given = freshService({
    OS_TRANSPORT__MAX_MESSAGE_TTL: '100',
    OS_TRANSPORT__MAX_MESSAGE_DELAY: '10',
    OS_TRANSPORT__MAX_CLAIM_TTL: '80',
  })
  const MESSAGES = '/v2/queues/jobs/messages?echo=true'

  /** As it was stored before. */
  const queueWith = (metadata: JsonObject) =>
    given.storage.queues.create({
      key: { kind: 'queue', project: PROJECT, name: 'jobs' },
      metadata: JSON.stringify(metadata),
      now: given.clock.now(),
    })

  test('hold for what a queue and the house say of messages', async () => {
    await queueWith({ _default_message_ttl: 7200 })
    await given.post('jobs', { body: 1 })
    await given.post('other', { body: 1 })
    assert.equal(json(await given.client.get(MESSAGES)).messages[0].ttl, 100)
    assert.equal(json(await given.client.get('/v2/queues/other/messages?echo=true')).messages[0].ttl, 100)
    assert.equal(json(await given.client.get('/v2/queues/other'))._default_message_ttl, 100)
  })

  test('hold for the delays that a queue asks for', async () => {
    await queueWith({ _default_message_delay: 50 })
    await given.post('jobs', { body: 1 })
    given.pass(9)
    assert.equal(json(await given.client.get(MESSAGES)).messages.length, 0)
    given.pass(1)
    assert.equal(json(await given.client.get(MESSAGES)).messages.length, 1)
  })

  test('hold for dead letters', async () => {
    await queueWith({ _max_claim_count: 0, _dead_letter_queue: 'dead', _dead_letter_queue_messages_ttl: 7200 })
    await given.client.put('/v2/queues/dead')
    await given.post('jobs', { body: 1 })
    await given.client.post('/v2/queues/jobs/claims')
    await given.client.post('/v2/queues/jobs/claims')
    given.pass(99)
    assert.equal(json(await given.client.get('/v2/queues/dead/messages?echo=true')).messages.length, 1)
    given.pass(1)
    assert.equal(json(await given.client.get('/v2/queues/dead/messages?echo=true')).messages.length, 0)
  })

  test('hold for claims', async () => {
    await given.post('jobs', { body: 1 })
    const claim = await given.client.post('/v2/queues/jobs/claims')
    assert.equal(claim.status, 201)
    assert.equal(json(await given.client.get(claim.headers['location'] as string)).ttl, 80)
  })
})
