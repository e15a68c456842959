import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const MESSAGES = '/v2/queues/jobs/messages'

interface Listed {
  readonly id: string
  readonly body: unknown
}

describe('listing messages', () => {
  const given = freshService()
  const list = async (query = 'echo=true') => json(await given.client.get(`${MESSAGES}?${query}`))
  const bodies = async (query?: string) => (await list(query)).messages.map((one: Listed) => one.body)
  const next = async (query: string): Promise<string> => (await list(query)).links[0].href
  const numbers = (count: number) => Array.from({ length: count }, (_, body) => ({ body }))

  test('gives an empty list for an empty queue and a missing one, which it does not create', async () => {
    for (const query of ['', '?echo=true&limit=5&include_claimed=true&include_delayed=true', '?marker=x']) {
      const answer = await given.client.get(`${MESSAGES}${query}`)
      assert.equal(answer.status, 200)
      assert.equal(answer.text, '{"messages": [], "links": []}')
    }
    assert.equal((await given.client.put('/v2/queues/jobs')).status, 201)
    assert.equal((await given.client.get(MESSAGES)).text, '{"messages": [], "links": []}')
  })

  test('gives documents of exactly these keys in this order, and a link even on the last page', async () => {
    const [id] = await given.post('jobs', { ttl: 300, body: { task: 7 } })
    given.pass(4.999)
    const answer = await given.client.get(`${MESSAGES}?limit=5&echo=true`)
    const { links } = json(answer)
    assert.equal(
      answer.text,
      `{"messages": [{"id": "${id}", "href": "${MESSAGES}/${id}", "ttl": 300, "age": 4, "body": {"task": 7}}], ` +
        `"links": [{"rel": "next", "href": "${links[0].href}"}]}`,
    )
  })

  test('takes an unknown marker for none', async () => {
    await given.post('jobs', ...numbers(2))
    for (const marker of ['x', '%00', '%F0%9F%98%80', '0'.repeat(32), 'f'.repeat(5000), "'", '']) {
      assert.deepEqual(await bodies(`echo=true&marker=${marker}`), [0, 1], marker)
    }
  })

  test('links carry the parameters as they were understood, in the order of the route', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 1 })
    await given.post('jobs', { body: 1, delay: 0 }, { body: 2, delay: 0 })
    const without = (href: string) => href.replace(/marker=[^&]+/, 'marker=M')
    assert.equal(
      without(await next('include_delayed=y&include_claimed=no&echo=1&limit=+1')),
      `${MESSAGES}?limit=1&echo=true&include_claimed=false&include_delayed=true&marker=M`,
    )
    assert.equal(without(await next('echo=True')), `${MESSAGES}?echo=true&marker=M`)
    assert.equal(without(await next('limit=&echo=on&unknown=1')), `${MESSAGES}?echo=true&marker=M`)
    assert.equal(without(await next('limit=5&echo=on&marker=x')), `${MESSAGES}?marker=M&limit=5&echo=true`)
    assert.equal(
      without(await next('include_delayed=false&echo=t')),
      `${MESSAGES}?echo=true&include_delayed=false&marker=M`,
    )
  })

  test('hides claimed messages, or shows them with their claim in the href', async () => {
    const [first] = await given.post('jobs', { body: 1 }, { body: 2 })
    const claim = (await given.client.post('/v2/queues/jobs/claims?limit=1')).headers['location']?.split('/').at(-1)
    assert.deepEqual(await bodies('echo=true'), [2])
    const { messages } = await list('echo=true&include_claimed=true')
    assert.equal(messages[0].href, `${MESSAGES}/${first}?claim_id=${claim}`)
    assert.deepEqual(Object.keys(messages[0]), ['id', 'href', 'ttl', 'age', 'body'])
    given.pass(300)
    assert.equal((await list('echo=true')).messages[0].href, `${MESSAGES}/${first}`)
  })

  test('hides delayed messages, or shows them', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    await given.post('jobs', { body: 'late' }, { body: 'now', delay: 0 })
    assert.deepEqual(await bodies('echo=true'), ['now'])
    assert.deepEqual(new Set(await bodies('echo=true&include_delayed=true')), new Set(['late', 'now']))
    given.pass(10)
    assert.deepEqual(new Set(await bodies('echo=true')), new Set(['late', 'now']))
  })

  test('shows what is still delayed after the queue stopped delaying, while claims do not', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    await given.post('jobs', { body: 'late' })
    await given.client.patch('/v2/queues/jobs', [{ op: 'remove', path: '/metadata/_default_message_delay' }])
    assert.deepEqual(await bodies('echo=true'), ['late'])
    assert.equal((await given.client.post('/v2/queues/jobs/claims')).status, 204)
    assert.deepEqual(json(await given.client.delete(`${MESSAGES}?pop=1`)).messages, [])
  })

  test('refuses a limit of twenty digits', async () => {
    const limit = '9'.repeat(20)
    assertError(await given.client.get(`${MESSAGES}?limit=${limit}`), 400, 'Invalid API request', '1', '20')
  })

  for (const query of ['limit=ten', 'limit=1.5', 'echo=maybe', 'include_claimed=2', 'include_delayed=TRUE']) {
    test(`refuses ${query}, which cannot be read`, async () => {
      assertError(
        await given.client.get(`${MESSAGES}?${query}`),
        400,
        'Invalid parameter',
        query.split('=')[0] as string,
      )
    })
  }
})

describe('getting messages by ids', () => {
  const given = freshService()
  const get = (...ids: readonly (string | undefined)[]) => given.client.get(`${MESSAGES}?ids=${ids.join(',')}`)

  test('gives those that exist, without links', async () => {
    const [a, b] = await given.post('jobs', { body: 1, ttl: 60 }, { body: 2 })
    const answer = await get(b, 'nonsense', a, '')
    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(json(answer)), ['messages'])
    assert.deepEqual(new Set(json(answer).messages.map((one: Listed) => one.id)), new Set([a, b]))
    assert.equal(
      (await get(a)).text,
      `{"messages": [{"id": "${a}", "href": "${MESSAGES}/${a}", "ttl": 60, "age": 0, "body": 1}]}`,
    )
  })

  test('takes ids in one list or in several', async () => {
    const [a, b, c] = await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    assert.equal(json(await given.client.get(`${MESSAGES}?ids=${a},${b}&ids=${c}`)).messages.length, 3)
    assert.equal(json(await given.client.get(`${MESSAGES}?ids=&ids=${c}`)).messages.length, 1)
  })

  test('gives a message once, however often it is named', async () => {
    const [a] = await given.post('jobs', { body: 1 })
    assert.equal(json(await get(a, a)).messages.length, 1)
  })

  test('gives claimed, delayed and own messages, and looks at no other parameter', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    const ids = await given.post('jobs', { body: 'late' }, { body: 'claimed', delay: 0 })
    await given.client.post('/v2/queues/jobs/claims')
    const answer = await given.client.get(`${MESSAGES}?ids=${ids.join(',')}&limit=0&echo=maybe&marker=x`)
    assert.equal(json(answer).messages.length, 2)
  })

  test('gives 404 when there is none of them, or no queue', async () => {
    assertError(await get('a', 'b'), 404, 'Not found', 'a', 'b', 'jobs', 'p1')
    await given.client.put('/v2/queues/jobs')
    assertError(await get('a', 'b'), 404, 'Not found', 'a', 'b', 'jobs', 'p1')
  })

  test('takes from 1 to 20 ids', async () => {
    const ids = await given.post('jobs', ...Array.from({ length: 21 }, (_, body) => ({ body })))
    assert.equal(json(await get(...ids.slice(1))).messages.length, 20)
    assertError(await get(...ids), 400, 'Invalid API request', '20')
    assertError(await get('', ''), 400, 'Invalid API request')
  })

  test('with a blank list of ids is a plain list', async () => {
    await given.post('jobs', { body: 1 })
    assert.deepEqual(Object.keys(json(await given.client.get(`${MESSAGES}?ids=&echo=true`))), ['messages', 'links'])
  })
})

describe('getting one message', () => {
  const given = freshService()

  test('gives its document', async () => {
    const [id] = await given.post('jobs', { body: [1, { a: 'ä' }], ttl: 90 })
    given.pass(61)
    const answer = await given.client.get(`${MESSAGES}/${id}`)
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      `{"id": "${id}", "href": "${MESSAGES}/${id}", "ttl": 90, "age": 61, "body": [1, {"a": "ä"}]}`,
    )
  })

  test('names the claim of a claimed one, whatever claim the query names', async () => {
    const [id] = await given.post('jobs', { body: 1 })
    const claim = (await given.client.post('/v2/queues/jobs/claims')).headers['location']?.split('/').at(-1)
    const answer = await given.client.get(`${MESSAGES}/${id}?claim_id=other`)
    assert.equal(json(answer).href, `${MESSAGES}/${id}?claim_id=${claim}`)
  })

  test('gives a delayed one', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    const [id] = await given.post('jobs', { body: 'late' })
    assert.equal((await given.client.get(`${MESSAGES}/${id}`)).status, 200)
  })

  for (const id of [
    'nonsense',
    '0'.repeat(32),
    'F'.repeat(32),
    '%00',
    '%C3%A9',
    'a b',
    '-1',
    'x'.repeat(10_000),
    '..',
    '%25',
  ]) {
    test(`gives 404 for ${id.slice(0, 40)}`, async () => {
      assertError(await given.client.get(`${MESSAGES}/${encodeURI(decodeURI(id))}`), 404, 'Not found', 'jobs', 'p1')
      await given.client.put('/v2/queues/jobs')
      assertError(await given.client.get(`${MESSAGES}/${encodeURI(decodeURI(id))}`), 404, 'Not found', 'jobs', 'p1')
    })
  }
})

describe('the life of a message', () => {
  const given = freshService()

  test('is not longer for a delay', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 59 })
    await given.post('jobs', { body: 1, ttl: 60 })
    given.pass(59)
    assert.equal(json(await given.client.get(`${MESSAGES}?echo=true`)).messages.length, 1)
    given.pass(1)
    assert.deepEqual(json(await given.client.get(`${MESSAGES}?echo=true&include_delayed=true`)).messages, [])
  })
})

describe('stats', () => {
  const given = freshService()

  test('of a queue that is missing or empty are zeros', async () => {
    const zeros = '{"messages": {"claimed": 0, "free": 0, "total": 0}}'
    assert.equal((await given.client.get('/v2/queues/jobs/stats')).text, zeros)
    assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
    await given.client.put('/v2/queues/jobs')
    const answer = await given.client.get('/v2/queues/jobs/stats')
    assert.equal(answer.status, 200)
    assert.equal(answer.text, zeros)
  })

  test('count free and claimed messages and show the newest and the oldest, without body', async () => {
    const [oldest] = await given.post('jobs', { body: 'secret' })
    given.pass(9)
    const [, newest] = await given.post('jobs', { body: 2 }, { body: 3 })
    given.pass(4)
    await given.client.post('/v2/queues/jobs/claims?limit=2')
    assert.equal(
      (await given.client.get('/v2/queues/jobs/stats')).text,
      '{"messages": {"claimed": 2, "free": 1, "total": 3, ' +
        `"newest": {"age": 4, "created": "2026-03-01T10:00:09Z", "href": "${MESSAGES}/${newest}"}, ` +
        `"oldest": {"age": 13, "created": "2026-03-01T10:00:00Z", "href": "${MESSAGES}/${oldest}"}}}`,
    )
  })

  test('count delayed messages as free', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    await given.post('jobs', { body: 1 })
    assert.equal(json(await given.client.get('/v2/queues/jobs/stats')).messages.free, 1)
  })
})
