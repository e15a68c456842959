import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../../packages/server/test/support/answers.ts'
import { freshService } from '../../packages/server/test/support/fresh-service.ts'

const accepted: Record<string, readonly unknown[]> = {
  _max_messages_post_size: [1, 262_144, null, true],
  _default_message_ttl: [60, 1_209_600, null],
  _default_message_delay: [0, 900, null, false],
  _dead_letter_queue: ['dead', null, 5, { any: 'thing' }],
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
