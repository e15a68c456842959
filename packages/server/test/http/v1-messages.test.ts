import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService, idsIn } from '../support/fresh-service.ts'

const JOBS = '/v1/queues/jobs'
const MESSAGES = `${JOBS}/messages`

describe('posting messages with v1', () => {
  const given = freshService({ OS_TRANSPORT__MAX_MESSAGES_POST_SIZE: '200' })

  test('takes an array and says that it was not done in part', async () => {
    await given.client.put(JOBS)
    const answer = await given.client.post(MESSAGES, [
      { ttl: 300, body: { task: 7 } },
      { ttl: 60, body: null, delay: 'x', id: 1 },
    ])
    const [a, b] = idsIn(answer)
    assert.equal(answer.text, `{"resources": ["${MESSAGES}/${a}", "${MESSAGES}/${b}"], "partial": false}`)
    assert.equal(answer.headers['location'], `${MESSAGES}?ids=${a},${b}`)
  })

  test('needs the queue, and says so only of what could have been posted', async () => {
    assertError(await given.client.post(MESSAGES, [{ ttl: 1, body: 1 }]), 400, 'Invalid API request')
    assertError(await given.client.post(MESSAGES, [{ ttl: 60, body: 1 }]), 404, 'Not found', 'jobs', 'p1')
    assert.equal((await given.client.get(JOBS)).status, 404)
  })

  for (const [what, body, title, mention] of [
    ['no body', undefined, 'Invalid request body', 'can not be empty'],
    ['no JSON', '[', 'Invalid request body', 'could not be parsed'],
    ['an object', { messages: [{ ttl: 60, body: 1 }] }, 'Invalid request body', 'not supported'],
    ['no message', [], 'Invalid API request', 'No messages'],
    ['a message without ttl', [{ body: 1 }], 'Invalid request body', '"ttl"'],
    ['a message without body', [{ ttl: 60 }], 'Invalid request body', '"body"'],
    ['a ttl of another type', [{ ttl: '60', body: 1 }], 'Invalid request body', '"ttl"'],
    ['a message that is no object', [1], 'Invalid request body', 'object'],
    ['a ttl that is too short', [{ ttl: 59, body: 1 }], 'Invalid API request', '60'],
    ['too much', [{ ttl: 60, body: 'x'.repeat(200) }], 'Invalid API request', '200'],
  ] as const) {
    test(`refuses ${what}`, async () => {
      await given.client.put(JOBS)
      assertError(await given.client.post(MESSAGES, body), 400, title, mention)
    })
  }
})

describe('listing messages with v1', () => {
  const given = freshService({ OS_DEFAULT__ENABLE_CHECKSUM: 'true' })

  test('shows them without ids, checksums and claims', async () => {
    const [a] = await given.post('jobs', { body: { task: 7 }, ttl: 300 }, { body: 'x', ttl: 300 })
    await given.client.post('/v2/queues/jobs/claims?limit=1')
    given.pass(4)
    const answer = await given.client.get(`${MESSAGES}?limit=1&echo=true&include_claimed=true`)
    const { links } = json(answer)
    assert.equal(links.length, 1)
    const [{ rel, href }] = links
    assert.equal(rel, 'next')
    assert.match(href, /^\/v1\/queues\/jobs\/messages\?limit=1&echo=true&include_claimed=true&marker=[^&=,]+$/)
    assert.equal(
      answer.text,
      `{"messages": [{"href": "${MESSAGES}/${a}", "ttl": 300, "age": 4, "body": {"task": 7}}], ` +
        `"links": [{"rel": "next", "href": "${href}"}]}`,
    )
    assert.equal(answer.headers['content-location'], `${MESSAGES}?limit=1&echo=true&include_claimed=true`)
    const next = await given.client.get(href)
    assert.equal(json(next).messages[0].body, 'x')
    assertNoContent(await given.client.get(json(next).links[0].href))
  })

  test('has no content when there is nothing, or no queue, but names where that is', async () => {
    for (let round = 0; round < 2; round++) {
      const answer = await given.client.get(MESSAGES)
      assertNoContent(answer)
      assert.equal(answer.headers['content-location'], MESSAGES)
      await given.client.put(JOBS)
    }
  })

  test('names where it is in its errors too', async () => {
    const refused = await given.client.get(`${MESSAGES}?limit=21`)
    assertError(refused, 400, 'Invalid API request', '20')
    assert.equal(refused.headers['content-location'], `${MESSAGES}?limit=21`)
    const unreadable = await given.client.get(`${MESSAGES}?echo=maybe`)
    assertError(unreadable, 400, 'Invalid parameter', 'echo')
    assert.equal(unreadable.headers['content-location'], `${MESSAGES}?echo=maybe`)
    const unknown = await given.client.get(`${MESSAGES}?ids=,`)
    assertError(unknown, 400, 'Invalid API request')
    assert.equal(unknown.headers['content-location'], `${MESSAGES}?ids=,`)
  })

  test('hides delayed ones, whatever is asked', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 30 })
    await given.post('jobs', { body: 'later' })
    assertNoContent(await given.client.get(`${MESSAGES}?echo=true&include_delayed=true`))
  })

  test('by ids is a bare array of those that exist', async () => {
    const [a, b] = await given.post('jobs', { body: 1 }, { body: 2 })
    const answer = await given.client.get(`${MESSAGES}?ids=${b},nothing,${a}`)
    const document = (id: string | undefined, body: number) =>
      `{"href": "${MESSAGES}/${id}", "ttl": 3600, "age": 0, "body": ${body}}`
    assert.equal(answer.status, 200)
    assert.equal(answer.text, `[${document(b, 2)}, ${document(a, 1)}]`)
    assert.equal(answer.headers['content-location'], `${MESSAGES}?ids=${b},nothing,${a}`)
  })

  test('by ids of which none exists has no content', async () => {
    assertNoContent(await given.client.get(`${MESSAGES}?ids=a`))
    await given.client.put(JOBS)
    assertNoContent(await given.client.get(`${MESSAGES}?ids=a,b`))
  })
})

describe('one message of v1', () => {
  const given = freshService()

  test('names where it is', async () => {
    const [id] = await given.post('jobs', { body: [] })
    const answer = await given.client.get(`${MESSAGES}/${id}?claim_id=x`)
    assert.equal(answer.text, `{"href": "${MESSAGES}/${id}", "ttl": 3600, "age": 0, "body": []}`)
    assert.equal(answer.headers['content-location'], `${MESSAGES}/${id}?claim_id=x`)
  })

  test('that does not exist is not found', async () => {
    await given.client.put(JOBS)
    assertError(await given.client.get(`${MESSAGES}/nothing`), 404, 'Not found', 'nothing', 'jobs', 'p1')
  })

  test('that is claimed is deleted by the href that the claim shows', async () => {
    const [held] = await given.post('jobs', { body: 1 })
    const [{ href }] = json(await given.client.post(`${JOBS}/claims`, { ttl: 60, grace: 60 }))
    assertNoContent(await given.client.delete(href))
    assert.equal((await given.client.get(`${MESSAGES}/${held}`)).status, 404)
  })
})

describe('deleting messages with v1', () => {
  const given = freshService({ OS_TRANSPORT__MESSAGE_DELETE_WITH_CLAIM_ID: 'true' })

  test('goes by ids alone, whatever claims them', async () => {
    const [a, b, c] = await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    await given.client.post(`${JOBS}/claims?limit=1`, { ttl: 60, grace: 60 })
    assertNoContent(await given.client.delete(`${MESSAGES}?ids=${a},${b}&pop=1`))
    assert.deepEqual(
      json(await given.client.get(`${MESSAGES}?ids=${a},${b},${c}`)).map(({ body }: { body: number }) => body),
      [3],
    )
  })

  test('needs ids', async () => {
    for (const query of ['', '?ids=', '?pop=1']) {
      assertError(await given.client.delete(`${MESSAGES}${query}`), 400, 'Missing parameter', 'ids')
    }
    assertError(await given.client.delete(`${MESSAGES}?ids=,`), 400, 'Invalid API request')
  })
})

describe('claims of v1', () => {
  const given = freshService({ OS_DEFAULT__ENABLE_CHECKSUM: 'true' })

  test('are made as a bare array of documents that can be deleted as they are', async () => {
    const [id] = await given.post('jobs', { body: 1, ttl: 300 })
    const answer = await given.client.post(`${JOBS}/claims?limit=5`, { ttl: 60, grace: 60, limit: 'x' })
    const location = answer.headers['location'] ?? ''
    const claim = location.slice(`${JOBS}/claims/`.length)
    assert.equal(answer.status, 201)
    assert.equal(answer.text, `[{"href": "${MESSAGES}/${id}?claim_id=${claim}", "ttl": 300, "age": 0, "body": 1}]`)
    given.pass(10)
    const shown = await given.client.get(location)
    assert.equal(
      shown.text,
      '{"age": 10, "ttl": 60, "messages": ' +
        `[{"href": "${MESSAGES}/${id}?claim_id=${claim}", "ttl": 300, "age": 10, "body": 1}], "href": "${location}"}`,
    )
    assert.equal(shown.headers['content-location'], location)
  })

  for (const [what, body, title, mention] of [
    ['no body', undefined, 'Invalid request body', 'can not be empty'],
    ['an empty body', '', 'Invalid request body', 'could not be parsed'],
    ['no ttl', { grace: 60 }, 'Invalid request body', '"ttl"'],
    ['no grace', { ttl: 60 }, 'Invalid request body', '"grace"'],
  ] as const) {
    test(`are not made with ${what}`, async () => {
      assertError(await given.client.post(`${JOBS}/claims`, body), 400, title, mention)
    })
  }

  test('are renewed with a ttl and no grace but what is given', async () => {
    await given.post('jobs', { body: 1, ttl: 60 })
    const { location = '' } = (await given.client.post(`${JOBS}/claims`, { ttl: 60, grace: 60 })).headers
    assertNoContent(await given.client.patch(location, { ttl: 200 }))
    assert.equal(json(await given.client.get(location)).messages[0].ttl, 200, 'a grace of 0')
    assertNoContent(await given.client.patch(location, { ttl: 300, grace: 60 }))
    assert.equal(json(await given.client.get(location)).messages[0].ttl, 360)
    assertError(await given.client.patch(location, {}), 400, 'Invalid request body', '"ttl"')
    assertError(await given.client.patch(location, { grace: 60 }), 400, 'Invalid request body', '"ttl"')
    assertError(await given.client.patch(location), 400, 'Invalid request body', 'can not be empty')
  })
})
