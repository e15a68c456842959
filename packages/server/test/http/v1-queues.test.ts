import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const JOBS = '/v1/queues/jobs'

describe('a queue of v1', () => {
  const given = freshService()

  test('is created once, whatever the body says', async () => {
    const created = await given.client.put(JOBS, '{"_default_message_ttl": 1, nonsense')
    assert.equal(created.status, 201)
    assert.equal(created.text, '')
    assert.equal(created.headers['location'], JOBS)
    const again = await given.client.put(JOBS)
    assertNoContent(again)
    assert.equal(again.headers['location'], JOBS)
    assert.equal((await given.client.get(`${JOBS}/metadata`)).text, '{}')
  })

  for (const method of ['GET', 'HEAD']) {
    test(`answers ${method} with whether it exists`, async () => {
      const missing = await given.client.send(method, `${JOBS}?x=1`)
      assert.equal(missing.status, 404)
      assert.equal(missing.text, '')
      assert.equal(missing.headers['content-type'], 'application/json')
      assert.equal(missing.headers['content-location'], `${JOBS}?x=1`)
      await given.client.put(JOBS)
      const found = await given.client.send(method, JOBS)
      assertNoContent(found)
      assert.equal(found.headers['content-location'], JOBS)
    })
  }

  test('cannot be patched', async () => {
    const answer = await given.client.patch(JOBS, [])
    assert.equal(answer.status, 405)
    assert.equal(answer.headers['allow'], 'DELETE, GET, HEAD, PUT, OPTIONS')
  })
})

describe('the metadata of a queue of v1', () => {
  const given = freshService({ OS_TRANSPORT__MAX_QUEUE_METADATA: '40' })

  test('is replaced as a whole and shown as it was stored', async () => {
    await given.client.put(JOBS)
    const answer = await given.client.put(`${JOBS}/metadata`, { owner: 'batch', tags: [1, null] })
    assertNoContent(answer)
    assert.equal(answer.headers['location'], `${JOBS}/metadata`)
    await given.client.put(`${JOBS}/metadata`, { size: 1.5 })
    const shown = await given.client.get(`${JOBS}/metadata`)
    assert.equal(shown.status, 200)
    assert.equal(shown.text, '{"size": 1.5}')
    assert.equal(shown.headers['content-location'], `${JOBS}/metadata`)
  })

  test('shows reserved attributes that were set elsewhere, and loses them when it is replaced', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_ttl: 600 })
    assert.equal((await given.client.get(`${JOBS}/metadata`)).text, '{"_default_message_ttl": 600}')
    await given.client.put(`${JOBS}/metadata`, {})
    assert.equal(json(await given.client.get('/v2/queues/jobs'))._default_message_ttl, 3600)
  })

  test('of a missing queue is missing', async () => {
    assertError(await given.client.get(`${JOBS}/metadata`), 404, 'Not found', 'jobs', 'p1')
    assertError(await given.client.put(`${JOBS}/metadata`, {}), 404, 'Not found', 'jobs', 'p1')
    assert.equal((await given.client.get(JOBS)).status, 404, 'and that created no queue')
  })

  for (const [what, body, title, mention] of [
    ['no body', undefined, 'Invalid request body', 'can not be empty'],
    ['an empty body', '', 'Invalid request body', 'could not be parsed'],
    ['no JSON', '{', 'Invalid request body', 'could not be parsed'],
    ['an array', [], 'Invalid request body', 'not supported'],
    ['a reserved attribute', { _flavor: null }, 'Invalid API request', 'v1'],
    ['an own key that looks like a reserved one', { _mine: 1 }, 'Invalid API request', 'v1'],
    ['more than the largest document', { text: 'x'.repeat(30) }, 'Invalid API request', '40'],
  ] as const) {
    test(`cannot be ${what}, whether there is a queue or not`, async () => {
      assertError(await given.client.put(`${JOBS}/metadata`, body), 400, title, mention)
      await given.client.put(JOBS)
      assertError(await given.client.put(`${JOBS}/metadata`, body), 400, title, mention)
    })
  }

  test('may be as large as the largest document', async () => {
    await given.client.put(JOBS)
    assertNoContent(await given.client.put(`${JOBS}/metadata`, { text: 'x'.repeat(29) }))
  })
})

describe('the stats of a queue of v1', () => {
  const given = freshService()

  test('name where they are', async () => {
    await given.client.put(JOBS)
    const [id] = await given.post('jobs', { body: 1 })
    const answer = await given.client.get(`${JOBS}/stats`)
    assert.equal(answer.headers['content-location'], `${JOBS}/stats`)
    const edge = `{"age": 0, "created": "2026-03-01T10:00:00Z", "href": "${JOBS}/messages/${id}"}`
    assert.equal(
      answer.text,
      `{"messages": {"claimed": 0, "free": 1, "total": 1, "newest": ${edge}, "oldest": ${edge}}}`,
    )
  })

  test('of a missing queue are missing', async () => {
    assertError(await given.client.get(`${JOBS}/stats`), 404, 'Not found', 'jobs', 'p1')
  })
})

describe('the list of queues of v1', () => {
  const given = freshService()

  test('of nothing has no content', async () => {
    const answer = await given.client.get('/v1/queues')
    assertNoContent(answer)
    assert.deepEqual(answer.headers, {})
  })

  test('is paged, shows metadata as it was stored, and names where it is', async () => {
    await given.client.put('/v1/queues/a')
    await given.client.put('/v1/queues/a/metadata', { owner: 'batch' })
    await given.client.put('/v1/queues/b')
    const page = await given.client.get('/v1/queues?limit=1&detailed=true')
    assert.equal(
      page.text,
      '{"queues": [{"name": "a", "metadata": {"owner": "batch"}, "href": "/v1/queues/a"}], ' +
        '"links": [{"rel": "next", "href": "/v1/queues?limit=1&detailed=true&marker=a"}]}',
    )
    assert.equal(page.headers['content-location'], '/v1/queues?limit=1&detailed=true')
    const next = await given.client.get('/v1/queues?marker=a')
    assert.equal(
      next.text,
      '{"queues": [{"name": "b", "href": "/v1/queues/b"}], "links": [{"rel": "next", "href": "/v1/queues?marker=b"}]}',
    )
    assertNoContent(await given.client.get('/v1/queues?marker=b'))
  })

  test('has limits', async () => {
    assertError(await given.client.get('/v1/queues?limit=21'), 400, 'Invalid API request', '20')
    assertError(await given.client.get('/v1/queues?limit=x'), 400, 'Invalid parameter', 'limit')
  })
})
