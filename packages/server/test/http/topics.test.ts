import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService, idsIn } from '../support/fresh-service.ts'
import { JSON_PATCH } from '../support/test-client.ts'

const NEWS = '/v2/topics/news'
const DEFAULTS = '"_max_messages_post_size": 262144, "_default_message_ttl": 3600, "_default_message_delay": 0'

describe('a topic', () => {
  const given = freshService()

  test('is created once and keeps its metadata', async () => {
    const created = await given.client.put(NEWS, { owner: 'press' })
    assert.equal(created.status, 201)
    assert.equal(created.text, '')
    assert.equal(created.headers['location'], NEWS)
    const again = await given.client.put(NEWS, { owner: 'other' })
    assertNoContent(again)
    assert.equal(again.headers['location'], NEWS)
    assert.equal((await given.client.get(NEWS)).text, `{"owner": "press", ${DEFAULTS}}`)
  })

  test('shows the three defaults that are about posting, even when it is missing', async () => {
    assert.equal((await given.client.get(NEWS)).text, `{${DEFAULTS}}`)
    assert.deepEqual(json(await given.client.get('/v2/topics')).topics, [])
  })

  test('is checked for all reserved attributes', async () => {
    for (const [key, value] of [
      ['_default_message_ttl', 1],
      ['_max_claim_count', 'often'],
      ['_enable_encrypt_messages', 1],
      ['_retry_policy', 'often'],
    ] as const) {
      assertError(await given.client.put(NEWS, { [key]: value }), 400, 'Invalid API request')
    }
    assertError(await given.client.put(NEWS, '['), 400, 'Invalid request body')
    assertError(await given.client.put(NEWS, { big: 'x'.repeat(65536) }), 400, 'Invalid API request', '65536')
  })

  test('is deleted with all that is in it, whether it was there or not', async () => {
    await given.client.post(`${NEWS}/messages`, { messages: [{ body: 1 }] })
    await given.client.post(`${NEWS}/subscriptions`, { subscriber: 'http://h/' })
    assertNoContent(await given.client.delete(NEWS))
    assertNoContent(await given.client.delete(NEWS))
    await given.client.put(NEWS)
    assert.deepEqual(json(await given.client.get(`${NEWS}/messages`)).messages, [])
    assert.deepEqual(json(await given.client.get(`${NEWS}/subscriptions`)).subscriptions, [])
  })

  test('has a name of letters, digits, dots, hyphens and underscores', async () => {
    assert.equal((await given.client.put('/v2/topics/a.B-1_')).status, 201)
    for (const name of ['a%20b', 'a%0A', `${'x'.repeat(65)}`, '']) {
      for (const rest of ['', '/stats', '/messages', '/messages/m', '/subscriptions', '/subscriptions/s']) {
        assertError(await given.client.get(`/v2/topics/${name}${rest}`), 400, 'Invalid topic identification', 'topic')
      }
    }
    assertError(
      await given.client.with({ 'X-Project-Id': 'p'.repeat(257) }).get(NEWS),
      400,
      'Invalid topic identification',
    )
  })
})

describe('changing the metadata of a topic', () => {
  const given = freshService()

  test('answers all of it', async () => {
    await given.client.put(NEWS, { owner: 'press', old: 1 })
    const answer = await given.client.patch(NEWS, [
      { op: 'replace', path: '/metadata/owner', value: 'ops' },
      { op: 'replace', path: '/metadata/_default_message_ttl', value: 900 },
      { op: 'remove', path: '/metadata/old' },
      { op: 'remove', path: '/metadata/_default_message_delay' },
    ])
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      '{"owner": "ops", "_default_message_ttl": 900, "_max_messages_post_size": 262144, "_default_message_delay": 0}',
    )
  })

  test('a reserved attribute that topics do not show is as any other', async () => {
    await given.client.put(NEWS)
    for (const change of [
      { op: 'remove', path: '/metadata/_max_claim_count' },
      { op: 'replace', path: '/metadata/_dead_letter_queue', value: 'dead' },
    ]) {
      assertError(await given.client.patch(NEWS, [change]), 409, 'Resource conflict', change.path.slice(10))
    }
  })

  test('is refused as that of a queue is', async () => {
    assertError(await given.client.patch(NEWS, []), 404, 'Not found', 'Topic news', 'p1')
    await given.client.put(NEWS)
    assertError(
      await given.client.patch(NEWS, '{}', { headers: { 'Content-Type': JSON_PATCH } }),
      400,
      'Invalid request body',
    )
    assertError(
      await given.client.patch(NEWS, [{ op: 'add', path: '/metadata/_default_message_ttl', value: 1 }]),
      400,
      'Invalid request body',
    )
    assert.equal((await given.client.patch(NEWS, '[]', { headers: { 'Content-Type': 'text/plain' } })).status, 415)
  })
})

describe('the list of topics', () => {
  const given = freshService()

  test('shows names, and metadata when asked', async () => {
    await given.client.put(NEWS, { owner: 'press' })
    assert.equal(
      (await given.client.get('/v2/topics')).text,
      '{"topics": [{"name": "news", "href": "/v2/topics/news"}], ' +
        '"links": [{"rel": "next", "href": "/v2/topics?marker=news"}]}',
    )
    assert.equal(
      (await given.client.get('/v2/topics?detailed=true&limit=5')).text,
      `{"topics": [{"name": "news", "metadata": {"owner": "press", ${DEFAULTS}}, "href": "/v2/topics/news"}], ` +
        '"links": [{"rel": "next", "href": "/v2/topics?limit=5&detailed=true&marker=news"}]}',
    )
  })

  test('takes with_count for the name of a metadata key', async () => {
    await given.client.put('/v2/topics/plain')
    await given.client.put('/v2/topics/own', { with_count: 'true' })
    const answer = json(await given.client.get('/v2/topics?with_count=true'))
    assert.deepEqual(Object.keys(answer), ['topics', 'links'])
    assert.deepEqual(
      answer.topics.map(({ name }: { name: string }) => name),
      ['own'],
    )
    assert.equal(answer.links[0].href, '/v2/topics?with_count=true&marker=own')
  })

  test('goes by pages and by name', async () => {
    for (const name of ['a1', 'b', 'a2', 'a10']) await given.client.put(`/v2/topics/${name}`)
    const names = async (target: string) =>
      json(await given.client.get(target)).topics.map(({ name }: { name: string }) => name)
    assert.deepEqual(await names('/v2/topics?limit=2'), ['a1', 'a10'])
    assert.deepEqual(await names('/v2/topics?marker=a10'), ['a2', 'b'])
    assert.deepEqual(await names('/v2/topics?name=a'), ['a1', 'a10', 'a2'])
    assert.equal((await given.client.get('/v2/topics?marker=b')).text, '{"topics": [], "links": []}')
    assertError(await given.client.get('/v2/topics?limit=21'), 400, 'Invalid API request', '20')
    assertError(await given.client.get('/v2/topics?limit=x'), 400, 'Invalid parameter')
  })
})

describe('messages of a topic', () => {
  const given = freshService()
  const post = async (...messages: object[]) => idsIn(await given.client.post(`${NEWS}/messages`, { messages }))
  const readers = () => given.client.with({ 'Client-ID': '30387f00-39a0-11e2-b8e6-001f29e8e8b1' })

  test('are posted to it, which creates it', async () => {
    const answer = await given.client.post(`${NEWS}/messages`, {
      messages: [{ body: 'a' }, { body: { n: 1 }, ttl: 300 }],
    })
    assert.equal(answer.status, 201)
    const { resources } = json(answer)
    assert.equal(resources.length, 2)
    for (const href of resources) assert.match(href, /^\/v2\/topics\/news\/messages\/[\w-]+$/)
    const ids = resources.map((href: string) => href.slice(href.lastIndexOf('/') + 1))
    assert.equal(answer.headers['location'], `${NEWS}/messages?ids=${ids.join(',')}`)
    assert.deepEqual(json(await given.client.get('/v2/topics')).topics.length, 1)
  })

  test('are listed, read by id and deleted', async () => {
    const [first, second] = await post({ body: 'a' }, { body: 'b' })
    const document = (id: string | undefined, body: string) =>
      `{"id": "${id}", "href": "${NEWS}/messages/${id}", "ttl": 3600, "age": 0, "body": "${body}"}`
    const list = await readers().get(`${NEWS}/messages?limit=1`)
    assert.ok(list.text.startsWith(`{"messages": [${document(first, 'a')}], "links": [{"rel": "next", `), list.text)
    const next: string = json(list).links[0].href
    assert.ok(next.startsWith(`${NEWS}/messages?limit=1&`), next)
    assert.equal(json(await readers().get(next)).messages[0].id, second)
    assert.deepEqual(json(await given.client.get(`${NEWS}/messages`)).messages, [], 'the poster sees others alone')
    assert.equal((await readers().get(`${NEWS}/messages/${first}`)).text, document(first, 'a'))
    assert.equal(
      (await readers().get(`${NEWS}/messages?ids=${second}`)).text,
      `{"messages": [${document(second, 'b')}]}`,
    )
    assertNoContent(await given.client.delete(`${NEWS}/messages/${first}`))
    assertError(await given.client.get(`${NEWS}/messages/${first}`), 404, 'Not found', `${first}`)
    assertNoContent(await given.client.delete(`${NEWS}/messages?ids=${second}`))
    assertError(await given.client.get(`${NEWS}/messages?ids=${second}`), 404, 'Not found')
  })

  test('are popped, whatever the topic says of dead letters', async () => {
    await given.client.put(NEWS, { _dead_letter_queue: 'dead', _max_claim_count: 0 })
    await post({ body: 'a' })
    assert.equal(json(await given.client.delete(`${NEWS}/messages?pop=5`)).messages[0].body, 'a')
  })

  test('follow the rules of those of a queue', async () => {
    for (const [body, title] of [
      [{ messages: [] }, 'Invalid API request'],
      [{}, 'Invalid API request'],
      [{ messages: [{ ttl: 60 }] }, 'Invalid request body'],
      [{ messages: [{ body: 1, ttl: 59 }] }, 'Invalid API request'],
      ['{', 'Invalid request body'],
    ] as const) {
      assertError(await given.client.post(`${NEWS}/messages`, body), 400, title)
    }
    assertError(await given.client.get(`${NEWS}/messages?limit=0`), 400, 'Invalid API request')
    assertError(await given.client.delete(`${NEWS}/messages`), 400, 'Invalid API request')
    assert.equal(json(await given.client.get(`${NEWS}/messages`)).messages.length, 0)
    assertError(await given.client.get(`${NEWS}/messages/m`), 404, 'Not found')
  })

  test('are counted as a total once the topic is there', async () => {
    assert.equal((await given.client.get(`${NEWS}/stats`)).text, '{"messages": {"claimed": 0, "free": 0, "total": 0}}')
    await given.client.put(NEWS)
    assert.equal((await given.client.get(`${NEWS}/stats`)).text, '{"messages": {"total": 0}}')
    const [first, second] = [...(await post({ body: 1 })), ...(await post({ body: 2 }))]
    given.pass(4)
    const edge = (id: string | undefined) =>
      `{"age": 4, "created": "2026-03-01T10:00:00Z", "href": "${NEWS}/messages/${id}"}`
    assert.equal(
      (await given.client.get(`${NEWS}/stats`)).text,
      `{"messages": {"total": 2, "newest": ${edge(second)}, "oldest": ${edge(first)}}}`,
    )
  })

  test('cannot be claimed, and a topic cannot be shared', async () => {
    await post({ body: 1 })
    for (const path of ['claims', 'claims/c', 'share', 'redrive']) {
      const answer = await given.client.post(`${NEWS}/${path}`, {})
      assert.equal(answer.status, 404)
      assert.equal(json(answer).title, '404 Not Found')
    }
  })
})

describe('subscriptions of a topic', () => {
  const given = freshService()

  test('name the topic as their source', async () => {
    const created = await given.client.post(`${NEWS}/subscriptions`, { subscriber: 'http://h/' })
    assert.equal(created.status, 201)
    assert.equal(created.headers['location'], `${NEWS}/subscriptions`)
    const id = json(created).subscription_id
    const confirmed = await given.client.put(`${NEWS}/subscriptions/${id}/confirm`, { confirmed: true })
    assertNoContent(confirmed)
    assert.equal(confirmed.headers['location'], `${NEWS}/subscriptions/${id}/confirm`)
    assertNoContent(await given.client.patch(`${NEWS}/subscriptions/${id}`, { ttl: 100 }))
    const document =
      `{"id": "${id}", "source": "news", "subscriber": "http://h/", "ttl": 100, "age": 0, ` +
      '"options": {}, "confirmed": true}'
    assert.equal((await given.client.get(`${NEWS}/subscriptions/${id}`)).text, document)
    assert.equal(
      (await given.client.get(`${NEWS}/subscriptions`)).text,
      `{"subscriptions": [${document}], "links": [{"rel": "next", "href": "${NEWS}/subscriptions?marker=${id}"}]}`,
    )
    assertNoContent(await given.client.delete(`${NEWS}/subscriptions/${id}`))
    assertError(await given.client.get(`${NEWS}/subscriptions/${id}`), 404, 'Not found', id)
    assert.equal(json(await given.client.get('/v2/topics')).topics.length, 1, 'it was created')
  })
})

describe('topics, queues and projects', () => {
  const given = freshService()

  test('a topic and a queue of the same name have nothing in common', async () => {
    await given.client.put('/v2/queues/news', { kind: 'queue' })
    await given.client.put(NEWS, { kind: 'topic' })
    const [id] = await given.post('news', { body: 'in the queue' })
    await given.client.post(`${NEWS}/messages`, { messages: [{ body: 'in the topic' }] })
    await given.client.post('/v2/queues/news/subscriptions', { subscriber: 'http://queue/' })
    await given.client.post(`${NEWS}/subscriptions`, { subscriber: 'http://topic/' })
    assertError(await given.client.get(`${NEWS}/messages/${id}`), 404, 'Not found')
    assertNoContent(await given.client.delete(`${NEWS}/messages?ids=${id}`))

    assertNoContent(await given.client.post(`${NEWS}/purge`))
    assert.deepEqual(json(await given.client.get(`${NEWS}/messages?echo=true`)).messages, [])
    assert.deepEqual(json(await given.client.get(`${NEWS}/subscriptions`)).subscriptions, [])
    assertNoContent(await given.client.delete(NEWS))

    assert.equal(json(await given.client.get('/v2/queues/news/messages?echo=true')).messages[0].body, 'in the queue')
    assert.equal(json(await given.client.get('/v2/queues/news/subscriptions')).subscriptions.length, 1)
    assert.equal(json(await given.client.get('/v2/queues/news')).kind, 'queue')
    assert.deepEqual(json(await given.client.get('/v2/topics')).topics, [])
  })

  test('a purge can be of messages or subscriptions alone', async () => {
    await given.client.post(`${NEWS}/messages`, { messages: [{ body: 1 }] })
    await given.client.post(`${NEWS}/subscriptions`, { subscriber: 'http://topic/' })
    assertNoContent(await given.client.post(`${NEWS}/purge`, { resource_types: [] }))
    assertNoContent(await given.client.post(`${NEWS}/purge`, { resource_types: ['messages'] }))
    assert.equal(json(await given.client.get(`${NEWS}/stats`)).messages.total, 0)
    assert.equal(json(await given.client.get(`${NEWS}/subscriptions`)).subscriptions.length, 1)
    assertError(await given.client.post(`${NEWS}/purge`, { resource_types: ['claims'] }), 400, 'Invalid API request')
    assertError(await given.client.post(`${NEWS}/purge`, '{'), 400, 'Invalid request body')
  })

  test('a topic belongs to its project', async () => {
    const [id] = idsIn(await given.client.post(`${NEWS}/messages`, { messages: [{ body: 1 }] }))
    const stranger = given.client.with({ 'X-Project-Id': 'p2' })
    assert.deepEqual(json(await stranger.get('/v2/topics')).topics, [])
    await stranger.put(NEWS)
    assertError(await stranger.get(`${NEWS}/messages/${id}`), 404, 'Not found')
    await stranger.post(`${NEWS}/purge`)
    await stranger.delete(NEWS)
    assert.equal(json(await given.client.get(`${NEWS}/messages/${id}`)).body, 1)
  })
})

describe('the routes of topics', () => {
  const given = freshService()

  for (const [path, allow] of [
    ['/v2/topics', 'GET'],
    [NEWS, 'DELETE, GET, PATCH, PUT'],
    [`${NEWS}/stats`, 'GET'],
    [`${NEWS}/purge`, 'POST'],
    [`${NEWS}/messages`, 'DELETE, GET, POST'],
    [`${NEWS}/messages/m`, 'DELETE, GET'],
    [`${NEWS}/subscriptions`, 'GET, POST'],
    [`${NEWS}/subscriptions/s`, 'DELETE, GET, PATCH'],
    [`${NEWS}/subscriptions/s/confirm`, 'PUT'],
  ] as const) {
    test(`${path} takes ${allow} alone`, async () => {
      const answer = await given.client.send('HEAD', path)
      assert.equal(answer.status, 405)
      assert.equal(answer.headers['allow'], `${allow}, OPTIONS`)
    })
  }
})
