import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService, idsIn } from '../support/fresh-service.ts'
import { OTHER_CLIENT_ID } from '../support/test-client.ts'

const JOBS = '/v1.1/queues/jobs'
const MESSAGES = `${JOBS}/messages`

describe('a queue of v1.1', () => {
  const given = freshService({ OS_TRANSPORT__MAX_QUEUE_METADATA: '200' })

  test('is created with its metadata, once', async () => {
    const created = await given.client.put(JOBS, { owner: 'batch', _default_message_ttl: 600 })
    assert.equal(created.status, 201)
    assert.equal(created.headers['location'], JOBS)
    const again = await given.client.put(JOBS, { owner: 'somebody else' })
    assertNoContent(again)
    assert.equal(again.headers['location'], JOBS)
    assert.equal((await given.client.get(JOBS)).text, '{"owner": "batch", "_default_message_ttl": 600}')
  })

  test('is shown without the reserved attributes that were not set, and as empty when it is missing', async () => {
    for (let round = 0; round < 2; round++) {
      const answer = await given.client.get(JOBS)
      assert.equal(answer.status, 200)
      assert.equal(answer.text, '{}')
      await given.client.put(JOBS)
    }
  })

  test('has its reserved attributes checked', async () => {
    assertError(await given.client.put(JOBS, { _max_claim_count: 'x' }), 400, 'Invalid API request', '_max_claim_count')
    assertError(await given.client.put(JOBS, []), 400, 'Invalid request body')
    assertError(await given.client.put(JOBS, { text: 'x'.repeat(200) }), 400, 'Invalid API request', '200')
  })

  for (const method of ['HEAD', 'PATCH', 'POST']) {
    test(`knows no ${method}`, async () => {
      const answer = await given.client.send(method, JOBS)
      assert.equal(answer.status, 405)
      assert.equal(answer.headers['allow'], 'DELETE, GET, PUT, OPTIONS')
    })
  }

  test('has stats, all zero when it is missing', async () => {
    const answer = await given.client.get(`${JOBS}/stats`)
    assert.equal(answer.text, '{"messages": {"claimed": 0, "free": 0, "total": 0}}')
    assert.equal(answer.headers['content-location'], undefined)
    const [id] = await given.post('jobs', { body: 1 })
    assert.equal(json(await given.client.get(`${JOBS}/stats`)).messages.oldest.href, `${MESSAGES}/${id}`)
  })
})

describe('the list of queues of v1.1', () => {
  const given = freshService()

  test('is empty, not without content', async () => {
    const answer = await given.client.get('/v1.1/queues')
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '{"queues": [], "links": []}')
  })

  test('knows no filters, no count, and no defaults', async () => {
    await given.client.put('/v1.1/queues/a', { owner: 'batch' })
    await given.client.put('/v1.1/queues/b')
    const answer = await given.client.get('/v1.1/queues?name=b&with_count=maybe&owner=x&detailed=true&limit=5')
    assert.equal(
      answer.text,
      '{"queues": [{"name": "a", "metadata": {"owner": "batch"}, "href": "/v1.1/queues/a"}, ' +
        '{"name": "b", "metadata": {}, "href": "/v1.1/queues/b"}], ' +
        '"links": [{"rel": "next", "href": "/v1.1/queues?limit=5&detailed=true&marker=b"}]}',
    )
    assert.equal(answer.headers['content-location'], undefined)
  })
})

describe('messages of v1.1', () => {
  const given = freshService({ OS_DEFAULT__ENABLE_CHECKSUM: 'true' })

  test('are posted into a missing queue, which is created', async () => {
    const answer = await given.client.post(MESSAGES, { messages: [{ body: 1 }] })
    const [id] = idsIn(answer)
    assert.equal(answer.text, `{"resources": ["${MESSAGES}/${id}"]}`)
    assert.equal(answer.headers['location'], `${MESSAGES}?ids=${id}`)
    assert.equal((await given.client.get('/v1/queues/jobs')).status, 204)
  })

  test('that are refused create no queue', async () => {
    assertError(await given.client.post(MESSAGES, { messages: [{ ttl: 1, body: 1 }] }), 400, 'Invalid API request')
    assertError(await given.client.post(MESSAGES, [{ ttl: 60, body: 1 }]), 400, 'Invalid API request', 'No messages')
    assert.equal((await given.client.get('/v1/queues/jobs')).status, 404)
  })

  test('may say anything of a delay, and are shown with their checksum', async () => {
    await given.client.put(JOBS, { _default_message_delay: 30 })
    const [id] = idsIn(await given.client.post(MESSAGES, { messages: [{ body: 'now', delay: 'ignored' }] }))
    const { messages } = json(await given.client.get(`${MESSAGES}?echo=true`))
    const [{ checksum }] = messages
    assert.match(checksum, /^MD5:[0-9a-f]{32}$/)
    assert.deepEqual(messages, [{ id, href: `${MESSAGES}/${id}`, ttl: 3600, age: 0, body: 'now', checksum }])
  })

  test('are listed without delayed ones, whatever is asked, and so are the links', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 30 })
    await given.post('jobs', { body: 'later' }, { body: 'now', delay: 0 })
    const other = given.client.with({ 'Client-ID': OTHER_CLIENT_ID })
    const { messages, links } = json(await other.get(`${MESSAGES}?include_delayed=nonsense&limit=5`))
    assert.deepEqual(
      messages.map(({ body }: { body: string }) => body),
      ['now'],
    )
    assert.match(links[0].href, /^\/v1\.1\/queues\/jobs\/messages\?limit=5&marker=[^&]+$/)
  })

  test('are not there in a missing queue', async () => {
    const answer = await given.client.get(MESSAGES)
    assert.equal(answer.text, '{"messages": [], "links": []}')
    assertError(await given.client.get(`${MESSAGES}?ids=a`), 404, 'Not found', 'a', 'jobs', 'p1')
    assertError(await given.client.get(`${MESSAGES}/a`), 404, 'Not found', 'a', 'jobs', 'p1')
    assert.equal((await given.client.delete(`${MESSAGES}?pop=1`)).text, '{"messages": []}')
  })

  test('show the claim that holds them', async () => {
    const [id] = await given.post('jobs', { body: null })
    const { location = '' } = (await given.client.post(`${JOBS}/claims`)).headers
    const href = `${MESSAGES}/${id}?claim_id=${location.slice(`${JOBS}/claims/`.length)}`
    const document = `{"id": "${id}", "href": "${href}", "ttl": 3600, "age": 0, "body": null}`
    assert.equal((await given.client.get(`${MESSAGES}/${id}`)).text, document)
    assert.equal((await given.client.get(`${MESSAGES}?ids=${id}`)).text, `{"messages": [${document}]}`)
    assert.equal(
      (await given.client.get(location)).text,
      `{"age": 0, "ttl": 300, "messages": [${document}], "href": "${location}"}`,
    )
  })

  test('are popped, or deleted by ids, but not both', async () => {
    const [a] = await given.post('jobs', { body: 1 }, { body: 2 })
    assertNoContent(await given.client.delete(`${MESSAGES}?ids=${a}`))
    const popped = json(await given.client.delete(`${MESSAGES}?pop=5`)).messages
    assert.deepEqual(
      popped.map(({ body }: { body: number }) => body),
      [2],
    )
    assertError(await given.client.delete(MESSAGES), 400, 'Invalid API request')
    assertError(await given.client.delete(`${MESSAGES}?ids=a&pop=1`), 400, 'Invalid API request')
  })
})

describe('deleting messages by ids with v1.1, where claims are wanted', () => {
  const given = freshService({ OS_TRANSPORT__MESSAGE_DELETE_WITH_CLAIM_ID: 'true' })

  test('names them, which upstream gives no way to do', async () => {
    const [id] = await given.post('jobs', { body: 1 })
    assertError(await given.client.delete(`${MESSAGES}?ids=${id}`), 400, 'Invalid API request', 'claim_ids')
    const { location = '' } = (await given.client.post(`${JOBS}/claims`)).headers
    const claim = location.slice(`${JOBS}/claims/`.length)
    assertNoContent(await given.client.delete(`${MESSAGES}?ids=${id}&claim_ids=${claim}`))
    assert.equal((await given.client.get(`${MESSAGES}/${id}`)).status, 404)
  })
})

describe('claims of v1.1', () => {
  const given = freshService()

  test('need no terms', async () => {
    await given.post('jobs', { body: 1 })
    const { status, headers } = await given.client.post(`${JOBS}/claims`)
    assert.equal(status, 201)
    const { location = '' } = headers
    assert.equal(json(await given.client.get(location)).ttl, 300)
    assertNoContent(await given.client.patch(location, { ttl: 100 }))
    assert.equal(json(await given.client.get(location)).ttl, 100)
    assertNoContent(await given.client.patch(location, {}))
    assert.equal(json(await given.client.get(location)).ttl, 300)
    assertNoContent(await given.client.delete(location))
    assertError(await given.client.get(location), 404, 'Not found')
  })
})

describe('what v1.1 does not have', () => {
  const given = freshService()

  for (const path of [
    `${JOBS}/metadata`,
    `${JOBS}/share`,
    `${JOBS}/purge`,
    `${JOBS}/redrive`,
    `${JOBS}/subscriptions`,
    `${JOBS}/subscriptions/s`,
    `${JOBS}/subscriptions/s/confirm`,
    '/v1.1/topics',
    '/v1.1/topics/t',
    '/v1.1/topics/t/messages',
  ]) {
    test(`is ${path}`, async () => {
      assert.equal((await given.client.get(path)).text, '{"title": "404 Not Found"}')
      assert.equal((await given.client.get(path.replace('v1.1', 'v1').replace('metadata', 'nothing'))).status, 404)
    })
  }
})
