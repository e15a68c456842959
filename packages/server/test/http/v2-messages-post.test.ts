import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService, idsIn } from '../support/fresh-service.ts'

const MESSAGES = '/v2/queues/jobs/messages'

describe('posting messages', () => {
  const given = freshService()
  const bodies = async () =>
    json(await given.client.get(`${MESSAGES}?echo=true&limit=20`)).messages.map((one: { body: unknown }) => one.body)

  test('answers 201 with the hrefs in order, and a place that lists them', async () => {
    const answer = await given.client.post(MESSAGES, { messages: [{ ttl: 300, body: { task: 7 } }, { body: 'x' }] })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['content-type'], 'application/json')
    const [first, second] = idsIn(answer)
    assert.equal(answer.text, `{"resources": ["${MESSAGES}/${first}", "${MESSAGES}/${second}"]}`)
    assert.equal(answer.headers['location'], `${MESSAGES}?ids=${first},${second}`)
    const placed = json(await given.client.get(answer.headers['location'] ?? ''))
    assert.deepEqual(
      placed.messages.map((one: { body: unknown }) => one.body),
      [{ task: 7 }, 'x'],
    )
  })

  test('gives ids that are safe in a path, without comma and equals sign', async () => {
    for (const id of await given.post('jobs', { body: 1 }, { body: 2 })) assert.match(id, /^[A-Za-z0-9_-]+$/)
  })

  test('creates the queue', async () => {
    await given.post('jobs', { body: 1 })
    assert.equal((await given.client.put('/v2/queues/jobs')).status, 204)
  })

  test('keeps bodies as they are', async () => {
    const texts = [
      'null',
      'true',
      '0',
      '-0.0',
      '1.0',
      '1e400',
      '12345678901234567890.5',
      '9223372036854775807',
      '-9223372036854775808',
      '""',
      '"\\u0000"',
      '"\\ud800"',
      '"Grüße 😀"',
      '"\\\\u00e9"',
      '[]',
      '{}',
      '[[], {"a": []}]',
      '{"b": 1, "a": 2, "1": 3}',
      '{"__proto__": {"polluted": true}}',
      '{"constructor": {"prototype": 1}}',
      '{"rawJSON": "1"}',
      '"\u2028"',
      '"\\u007f\u007f"',
    ]
    await given.client.post(MESSAGES, `{"messages": [${texts.map((text) => `{"body": ${text}}`).join(',')}]}`)
    for (const [i, text] of texts.entries()) {
      const popped = await given.client.delete(`${MESSAGES}?pop=1`)
      const body = /"body": (.*), "claim_id"/s.exec(popped.text)?.[1] ?? ''
      if (text.startsWith('{"b"')) assert.deepEqual(JSON.parse(body), { b: 1, a: 2, 1: 3 })
      else if (text.startsWith('"\\u007f')) assert.equal(JSON.parse(body), '\u007f\u007f')
      else assert.equal(body, text, `body ${i}`)
    }
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  })

  test('drops fields that it does not know', async () => {
    await given.post('jobs', { body: 1, id: 'mine', href: 'x', claim_id: 5, __proto__x: 1 })
    const { messages } = json(await given.client.get(`${MESSAGES}?echo=true`))
    assert.deepEqual(Object.keys(messages[0]), ['id', 'href', 'ttl', 'age', 'body'])
    assert.notEqual(messages[0].id, 'mine')
  })

  test('gives the ttl of the message, of the queue, of the house, in this order', async () => {
    await given.post('jobs', { body: 1 }, { body: 2, ttl: 60 })
    await given.client.put('/v2/queues/brief', { _default_message_ttl: 90 })
    await given.post('brief', { body: 1 }, { body: 2, ttl: 1_209_600 }, { body: 3, ttl: 61 })
    const ttls = async (queue: string) =>
      json(await given.client.get(`/v2/queues/${queue}/messages?echo=true`)).messages.map(
        (one: { ttl: number }) => one.ttl,
      )
    assert.deepEqual(await ttls('jobs'), [3600, 60])
    assert.deepEqual(await ttls('brief'), [90, 1_209_600, 61])
  })

  const malformed: readonly (readonly [unknown, string, string])[] = [
    [undefined, 'Invalid request body', 'Request body can not be empty'],
    ['', 'Invalid request body', 'Request body could not be parsed.'],
    ['{"messages": [', 'Invalid request body', 'Request body could not be parsed.'],
    ['5', 'Invalid request body', 'Request body could not be parsed.'],
    [
      '{"messages": [{"body": 9223372036854775808}]}',
      'Invalid request body',
      'JSON contains integer that is too large.',
    ],
    [[{ body: 1 }], 'Invalid API request', ''],
    [{}, 'Invalid API request', ''],
    [{ message: [] }, 'Invalid API request', ''],
    [{ messages: { body: 1 } }, 'Invalid request body', 'Document type not supported.'],
    [{ messages: 'text' }, 'Invalid request body', 'Document type not supported.'],
    [{ messages: null }, 'Invalid request body', 'Document type not supported.'],
    [{ messages: [] }, 'Invalid API request', ''],
    [{ messages: [{}] }, 'Invalid request body', 'Missing "body" field.'],
    [{ messages: [{ ttl: 60 }] }, 'Invalid request body', 'Missing "body" field.'],
    [{ messages: ['text'] }, 'Invalid request body', ''],
    [{ messages: [null] }, 'Invalid request body', ''],
    [{ messages: [[]] }, 'Invalid request body', ''],
    ['{"messages": [1.5]}', 'Invalid request body', ''],
    [{ messages: [{ body: 1, ttl: '60' }] }, 'Invalid request body', 'ttl'],
    [{ messages: [{ body: 1, ttl: null }] }, 'Invalid request body', 'ttl'],
    [{ messages: [{ body: 1, ttl: [60] }] }, 'Invalid request body', 'int'],
    ['{"messages": [{"body": 1, "ttl": 60.0}]}', 'Invalid request body', 'int'],
    ['{"messages": [{"body": 1, "ttl": 9007199254740993}]}', 'Invalid API request', '1209600'],
    [{ messages: [{ body: 1, ttl: 59 }] }, 'Invalid API request', '1209600'],
    [{ messages: [{ body: 1, ttl: 1_209_601 }] }, 'Invalid API request', '60'],
    [{ messages: [{ body: 1, ttl: true }] }, 'Invalid API request', '60'],
    [{ messages: [{ body: 1 }, { body: 2, ttl: -1 }] }, 'Invalid API request', ''],
  ]
  for (const [body, title, description] of malformed) {
    test(`does not take ${typeof body === 'string' ? body : JSON.stringify(body)}`, async () => {
      assertError(await given.client.post(MESSAGES, body), 400, title, description)
      assert.deepEqual(await bodies(), [])
    })
  }

  test('takes null for the body of a message', async () => {
    await given.post('jobs', { body: null })
    assert.deepEqual(await bodies(), [null])
  })

  test('takes 262144 bytes and no more, which it sees before it looks inside', async () => {
    const document = (bytes: number) => `{"messages": [{"body": "${'x'.repeat(bytes - 28)}"}]}`
    assert.equal(Buffer.byteLength(document(262_144)), 262_144)
    assert.equal((await given.client.post(MESSAGES, document(262_144))).status, 201)
    assertError(await given.client.post(MESSAGES, document(262_145)), 400, 'Invalid API request', '262144')
    assertError(await given.client.post(MESSAGES, 'x'.repeat(262_145)), 400, 'Invalid API request', '262144')
  })

  test('takes as many bytes as the queue allows', async () => {
    await given.client.put('/v2/queues/jobs', { _max_messages_post_size: 40 })
    const document = (bytes: number) => `{"messages": [{"body": "${'x'.repeat(bytes - 28)}"}]}`
    assert.equal((await given.client.post(MESSAGES, document(40))).status, 201)
    assertError(await given.client.post(MESSAGES, document(41)), 400, 'Invalid API request', '40', '262144')
  })

  test('has no limit on their number', async () => {
    const ids = await given.post('jobs', ...Array.from({ length: 2000 }, (_, body) => ({ body })))
    assert.equal(new Set(ids).size, 2000)
    assert.equal(json(await given.client.get('/v2/queues/jobs/stats')).messages.total, 2000)
  })
})

describe('posting into a queue that delays', () => {
  const given = freshService()
  const claimed = async () => {
    const answer = await given.client.post('/v2/queues/jobs/claims?limit=20')
    return answer.status === 204 ? [] : json(answer).messages.map((one: { body: unknown }) => one.body)
  }

  test('gives the delay of the message, else of the queue', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    await given.post(
      'jobs',
      { body: 'queue' },
      { body: 'none', delay: 0 },
      { body: 'long', delay: 900 },
      { body: 'five', delay: 5 },
    )
    assert.deepEqual(await claimed(), ['none'])
    given.pass(5)
    assert.deepEqual(await claimed(), ['five'])
    given.pass(5)
    assert.deepEqual(await claimed(), ['queue'])
    given.pass(889.999)
    assert.deepEqual(await claimed(), ['none', 'five', 'queue'])
    given.pass(0.001)
    assert.deepEqual(await claimed(), ['long'])
  })

  for (const [delay, title] of [
    ['5', 'Invalid request body'],
    [null, 'Invalid request body'],
    [[], 'Invalid request body'],
    [1.5, 'Invalid request body'],
    [-1, 'Invalid API request'],
    [901, 'Invalid API request'],
  ] as const) {
    test(`does not take a delay of ${JSON.stringify(delay)}`, async () => {
      await given.client.put('/v2/queues/jobs', { _default_message_delay: 1 })
      assertError(await given.client.post(MESSAGES, { messages: [{ body: 1, delay }] }), 400, title)
    })

    test(`does not look at a delay of ${JSON.stringify(delay)} where the queue does not delay`, async () => {
      await given.post('jobs', { body: 1, delay })
      assert.deepEqual(await claimed(), [1])
    })
  }

  test('does not take a delay that is not shorter than the ttl, and stores nothing then', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 1 })
    for (const delay of [60, 900]) {
      const messages = [{ body: 'good' }, { body: 'lost', ttl: 60, delay }]
      const answer = await given.client.post(MESSAGES, { messages })
      assertError(answer, 400, 'Invalid API request', `delay of ${delay}`, 'TTL of 60')
    }
    assert.equal(json(await given.client.get('/v2/queues/jobs/stats')).messages.total, 0)
    await given.post('jobs', { body: 1, ttl: 60, delay: 59 })
  })

  test('says so where the queue gives a delay or a ttl, and takes messages that have their own', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 300, _default_message_ttl: 200 })
    for (const message of [{ body: 1 }, { body: 1, ttl: 300 }, { body: 1, delay: 200 }]) {
      assertError(
        await given.client.post(MESSAGES, { messages: [message] }),
        400,
        'Invalid API request',
        'never be seen',
      )
    }
    await given.post('jobs', { body: 1, ttl: 301 }, { body: 2, delay: 199 }, { body: 3, delay: 0 })
    assert.equal((await given.client.post('/v1.1/queues/jobs/messages', { messages: [{ body: 4 }] })).status, 201)
  })

  test('names both bounds', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 1 })
    assertError(
      await given.client.post(MESSAGES, { messages: [{ body: 1, delay: 901 }] }),
      400,
      'Invalid API request',
      '0',
      '900',
    )
  })
})

describe('limits of messages', () => {
  const given = freshService({
    OS_TRANSPORT__MAX_MESSAGE_TTL: '100',
    OS_TRANSPORT__DEFAULT_MESSAGE_TTL: '70',
    OS_TRANSPORT__MAX_MESSAGES_POST_SIZE: '60',
  })

  test('follow the configuration', async () => {
    await given.post('jobs', { body: 1, ttl: 100 })
    assertError(
      await given.client.post(MESSAGES, { messages: [{ body: 1, ttl: 101 }] }),
      400,
      'Invalid API request',
      '100',
    )
    assertError(
      await given.client.post(MESSAGES, { messages: [{ body: 'x'.repeat(60) }] }),
      400,
      'Invalid API request',
      '60',
    )
    await given.post('jobs', { body: 2 })
    assert.equal(json(await given.client.get(`${MESSAGES}?echo=true`)).messages[1].ttl, 70)
  })
})

describe('checksums', () => {
  const given = freshService({ OS_DEFAULT__ENABLE_CHECKSUM: 'true' })
  /** Bodies and their digests as Python has them: hashlib.md5(json.dumps(body).encode()).hexdigest() */
  const digests = {
    '"str"': '767e2d7912ebefdfe18495ed53635fc8',
    '{"b":1}': 'd58e48889e29ab6a963ac6ade67f431e',
    '{"b":1,"a":[1,2]}': '82e1fc76b0e8735307065f91ef291ba2',
    '"Grüße 😀"': '7ee872540321ee0aea8ddc85b81c2aab',
    '"\u007f\u2028\\ud800"': '6739f72a896414456afecc76235289e6',
    '"a/b\\"\\\\\\n"': 'd9098280a907721a73f3750dc75e9633',
    '""': '9d4568c009d203ab10e33ea9953a0264',
    '[]': 'd751713988987e9331980363e24189ce',
    true: 'b326b5062b2f0e69046810717534cb09',
    '5': 'e4da3b7fbbce2345d7772b0674a318d5',
  }
  for (const [body, digest] of Object.entries(digests)) {
    test(`of ${body} is ${digest}`, async () => {
      await given.client.post(MESSAGES, `{"messages": [{"body": ${body}}]}`)
      assert.equal(json(await given.client.get(`${MESSAGES}?echo=true`)).messages[0].checksum, `MD5:${digest}`)
    })
  }

  test('end every document of a message', async () => {
    const [id] = await given.post('jobs', { body: 'str' }, { body: null })
    const documents = [
      json(await given.client.get(`${MESSAGES}?echo=true`)).messages[0],
      json(await given.client.get(`${MESSAGES}?ids=${id}`)).messages[0],
      json(await given.client.get(`${MESSAGES}/${id}`)),
    ]
    const claim = await given.client.post('/v2/queues/jobs/claims')
    documents.push(json(claim).messages[0], json(await given.client.get(claim.headers['location'] ?? '')).messages[0])
    await given.client.delete(claim.headers['location'] ?? '')
    const popped = json(await given.client.delete(`${MESSAGES}?pop=2`)).messages
    documents.push(popped[0])
    for (const document of documents) {
      assert.equal(Object.keys(document).at(-1), 'checksum')
      assert.match(document.checksum, /^MD5:[0-9a-f]{32}$/)
    }
    assert.equal('checksum' in popped[1], false)
  })
})
