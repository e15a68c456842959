import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { JSON_PATCH } from '../support/test-client.ts'

describe('changing metadata', () => {
  const given = freshService()
  const change = (...changes: readonly unknown[]) => given.client.patch('/v2/queues/jobs', changes)
  const own = async () => {
    const shown = json(await given.client.get('/v2/queues/jobs'))
    return Object.fromEntries(Object.entries(shown).filter(([key]) => !key.startsWith('_')))
  }

  test('answers 200 with all of it, defaults included', async () => {
    await given.client.put('/v2/queues/jobs', { old: 1 })
    const answer = await change(
      { op: 'add', path: '/metadata/owner', value: 'ops' },
      { op: 'replace', path: '/metadata/_default_message_ttl', value: 900 },
      { op: 'remove', path: '/metadata/old' },
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'application/json')
    assert.equal(
      answer.text,
      '{"owner": "ops", "_default_message_ttl": 900, "_max_messages_post_size": 262144, "_default_message_delay": 0, ' +
        '"_dead_letter_queue": null, "_dead_letter_queue_messages_ttl": null, "_max_claim_count": null, ' +
        '"_enable_encrypt_messages": false}',
    )
    assert.equal((await given.client.get('/v2/queues/jobs')).text, answer.text)
  })

  test('with no change at all is fine', async () => {
    await given.client.put('/v2/queues/jobs')
    assert.equal((await change()).status, 200)
  })

  test('wants a queue that is there', async () => {
    assertError(await change({ op: 'add', path: '/metadata/a', value: 1 }), 404, 'Not found', 'jobs', 'p1')
    assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
  })

  test('wants its own content type, in any case and with any parameters', async () => {
    await given.client.put('/v2/queues/jobs')
    for (const type of [JSON_PATCH.toUpperCase(), `${JSON_PATCH}; charset=utf-8`]) {
      const answer = await given.client.patch('/v2/queues/jobs', [], { headers: { 'Content-Type': type } })
      assert.equal(answer.status, 200, String(type))
    }
    for (const type of [undefined, 'application/json', 'application/json-patch+json']) {
      const answer = await given.client.patch('/v2/queues/jobs', [], { headers: { 'Content-Type': type } })
      assertError(answer, 415, '415 Unsupported Media Type', JSON_PATCH)
    }
  })

  test('is checked in order: size, type, body, syntax, queue', async () => {
    const big = `[${' '.repeat(65_536)}]`
    assertError(await given.client.patch('/v2/queues/jobs', big), 400, 'Invalid request body', '65536')
    assert.equal((await given.client.patch('/v2/queues/jobs', '[')).status, 415)
    const typed = { headers: { 'Content-Type': JSON_PATCH } }
    for (const body of [
      undefined,
      '',
      '[',
      '1',
      'null',
      '{}',
      '{"op": "add"}',
      '[{"op": "add", "value": 9223372036854775808}]',
    ]) {
      assertError(await given.client.patch('/v2/queues/jobs', body, typed), 400, 'Invalid request body')
    }
    assertError(await change({ op: 'add', path: '/metadata/a' }), 400, 'Invalid request body')
    assertError(await change({ op: 'add', path: '/metadata/a', value: 1 }), 404, 'Not found')
  })

  const malformed: readonly unknown[] = [
    null,
    5,
    'add',
    [],
    {},
    { path: '/metadata/a', value: 1 },
    { op: null, path: '/metadata/a', value: 1 },
    { op: 'ADD', path: '/metadata/a', value: 1 },
    { op: 'move', path: '/metadata/a', from: '/metadata/b' },
    { op: 'copy', path: '/metadata/a', from: '/metadata/b' },
    { op: 'test', path: '/metadata/a', value: 1 },
    { op: ['add'], path: '/metadata/a', value: 1 },
    { op: 'toString', path: '/metadata/a', value: 1 },
    { op: 'add', value: 1 },
    { op: 'add', path: null, value: 1 },
    { op: 'add', path: 5, value: 1 },
    { op: 'add', path: '', value: 1 },
    { op: 'add', path: '/', value: 1 },
    { op: 'add', path: 'metadata/a', value: 1 },
    { op: 'add', path: '/metadata', value: 1 },
    { op: 'add', path: '/metadata/', value: 1 },
    { op: 'add', path: '/metadata//a', value: 1 },
    { op: 'add', path: '/metadata/a/b', value: 1 },
    { op: 'add', path: '/metadata/a~', value: 1 },
    { op: 'add', path: '/metadata/a~2', value: 1 },
    { op: 'add', path: '/other/a', value: 1 },
    { op: 'remove', path: '/other/a' },
    { op: 'add', path: '/metadata/a' },
    { op: 'replace', path: '/metadata/a' },
  ]
  for (const operation of malformed) {
    test(`does not take ${JSON.stringify(operation)}`, async () => {
      await given.client.put('/v2/queues/jobs', { a: 0 })
      assertError(await change({ op: 'add', path: '/metadata/b', value: 1 }, operation), 400, 'Invalid request body')
      assert.deepEqual(await own(), { a: 0 })
    })
  }

  test('names the operations that there are', async () => {
    await given.client.put('/v2/queues/jobs')
    assertError(await change({ op: 'move' }), 400, 'Invalid request body', 'add', 'remove', 'replace')
  })

  test('reads JSON pointers: escapes, blanks around, the first token in any case', async () => {
    await given.client.put('/v2/queues/jobs')
    await change(
      { op: 'add', path: '/metadata/a~1b', value: 1 },
      { op: 'add', path: '/metadata/c~0d', value: 2 },
      { op: 'add', path: '/metadata/~01', value: 3 },
      { op: 'add', path: '/ METAdata / e ', value: 4, more: 'ignored' },
      { op: 'add', path: '/metadata/__proto__', value: 5 },
    )
    const shown = (await given.client.get('/v2/queues/jobs')).text
    assert.ok(
      shown.startsWith('{"a/b": 1, "c~d": 2, "~1": 3, "e": 4, "__proto__": 5, "_max_messages_post_size": '),
      shown,
    )
  })

  test('takes any value, null too', async () => {
    await given.client.put('/v2/queues/jobs')
    await change(
      { op: 'add', path: '/metadata/a', value: null },
      { op: 'add', path: '/metadata/b', value: { c: [1.5, '😀'] } },
    )
    assert.deepEqual(await own(), { a: null, b: { c: [1.5, '😀'] } })
  })

  test('add sets and overwrites, replace wants a key, remove wants a key', async () => {
    await given.client.put('/v2/queues/jobs', { a: 1 })
    assert.equal((await change({ op: 'add', path: '/metadata/a', value: 2 })).status, 200)
    assert.equal((await change({ op: 'replace', path: '/metadata/a', value: 3 })).status, 200)
    assertError(await change({ op: 'replace', path: '/metadata/b', value: 3 }), 409, 'Resource conflict', 'b')
    assertError(await change({ op: 'remove', path: '/metadata/b' }), 409, 'Resource conflict', 'b')
    assertError(
      await change({ op: 'replace', path: '/metadata/toString', value: 3 }),
      409,
      'Resource conflict',
      'toString',
    )
    assert.equal((await change({ op: 'remove', path: '/metadata/a' })).status, 200)
    assert.deepEqual(await own(), {})
  })

  test('counts the seven that are always shown as there, and no others', async () => {
    await given.client.put('/v2/queues/jobs')
    assert.equal((await change({ op: 'replace', path: '/metadata/_max_claim_count', value: 3 })).status, 200)
    assert.equal((await change({ op: 'remove', path: '/metadata/_dead_letter_queue' })).status, 200)
    for (const key of ['_flavor', '_retry_policy']) {
      assertError(await change({ op: 'replace', path: `/metadata/${key}`, value: null }), 409, 'Resource conflict', key)
      assertError(await change({ op: 'remove', path: `/metadata/${key}` }), 409, 'Resource conflict', key)
    }
  })

  test('a reserved attribute that is removed has its default again', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_ttl: 600 })
    const answer = await change({ op: 'remove', path: '/metadata/_default_message_ttl' })
    assert.equal(json(answer)._default_message_ttl, 3600)
  })

  test('is all or nothing, one after the other', async () => {
    await given.client.put('/v2/queues/jobs')
    assertError(
      await change({ op: 'add', path: '/metadata/a', value: 1 }, { op: 'remove', path: '/metadata/b' }),
      409,
      'Resource conflict',
    )
    assertError(
      await change(
        { op: 'add', path: '/metadata/a', value: 1 },
        { op: 'add', path: '/metadata/_max_claim_count', value: 'x' },
      ),
      400,
      'Invalid request body',
    )
    assert.deepEqual(await own(), {})
    assert.equal(
      (await change({ op: 'add', path: '/metadata/a', value: 1 }, { op: 'replace', path: '/metadata/a', value: 2 }))
        .status,
      200,
    )
    assert.deepEqual(await own(), { a: 2 })
  })

  test('judges the result, not the steps', async () => {
    await given.client.put('/v2/queues/jobs')
    const answer = await change(
      { op: 'add', path: '/metadata/_default_message_ttl', value: 1 },
      { op: 'replace', path: '/metadata/_default_message_ttl', value: 60 },
    )
    assert.equal(answer.status, 200)
  })

  test('takes effect on the next message at once', async () => {
    await given.client.put('/v2/queues/jobs')
    await given.post('jobs', { body: 1 })
    await change({ op: 'replace', path: '/metadata/_default_message_ttl', value: 60 })
    await given.post('jobs', { body: 2 })
    const { messages } = json(await given.client.get('/v2/queues/jobs/messages?echo=true'))
    assert.deepEqual(
      messages.map((message: { ttl: number }) => message.ttl),
      [3600, 60],
    )
  })

  test('builds on the change before', async () => {
    await given.client.put('/v2/queues/jobs')
    assert.equal((await change({ op: 'add', path: '/metadata/a', value: 1 })).status, 200)
    assert.equal((await change({ op: 'replace', path: '/metadata/a', value: 2 })).status, 200)
    assert.equal((await change({ op: 'remove', path: '/metadata/a' })).status, 200)
    assertError(await change({ op: 'remove', path: '/metadata/a' }), 409, 'Resource conflict')
    assert.deepEqual(await own(), {})
  })

  test('of a limit counts for the next POST, up and down', async () => {
    const post = async () => {
      const message = { body: 'x'.repeat(100), delay: 5 }
      return (await given.client.post('/v2/queues/jobs/messages', { messages: [message] })).status
    }
    await given.client.put('/v2/queues/jobs', { _max_messages_post_size: 40 })
    assert.equal(await post(), 400)
    await change({ op: 'replace', path: '/metadata/_max_messages_post_size', value: 200 })
    assert.equal(await post(), 201)
    await change({ op: 'replace', path: '/metadata/_max_messages_post_size', value: 40 })
    assert.equal(await post(), 400)
  })

  test('follows what python-zaqarclient sends for new metadata', async () => {
    await given.client.put('/v2/queues/jobs', { a: 1 })
    const answer = await change(
      { op: 'replace', path: '/metadata/_default_message_ttl', value: 600 },
      { op: 'add', path: '/metadata/_max_claim_count', value: 2 },
      { op: 'add', path: '/metadata/b', value: 3 },
      { op: 'remove', path: '/metadata/a' },
      { op: 'remove', path: '/metadata/_max_messages_post_size' },
      { op: 'remove', path: '/metadata/_default_message_delay' },
      { op: 'remove', path: '/metadata/_dead_letter_queue' },
      { op: 'remove', path: '/metadata/_dead_letter_queue_messages_ttl' },
      { op: 'remove', path: '/metadata/_max_claim_count' },
      { op: 'remove', path: '/metadata/_enable_encrypt_messages' },
    )
    assert.equal(answer.status, 200)
    assert.deepEqual(await own(), { b: 3 })
    assert.equal(json(answer)._max_claim_count, null)
    assert.equal(json(answer)._default_message_ttl, 600)
  })
})
