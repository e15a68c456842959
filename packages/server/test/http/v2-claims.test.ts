import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { type FreshService, freshService } from '../support/fresh-service.ts'
import { CLIENT_ID, OTHER_CLIENT_ID, PROJECT } from '../support/test-client.ts'

const CLAIMS = '/v2/queues/jobs/claims'
const MESSAGES = '/v2/queues/jobs/messages'

/** Claims and answers where the claim is. */
async function claim(given: FreshService, limit = 10, terms?: object): Promise<string> {
  const answer = await given.client.post(`${CLAIMS}?limit=${limit}`, terms)
  assert.equal(answer.status, 201, answer.text)
  return answer.headers['location'] ?? ''
}

/** Claims and answers the bodies. */
async function claimed(given: FreshService): Promise<unknown[]> {
  const answer = await given.client.post(`${CLAIMS}?limit=20`)
  return answer.status === 204 ? [] : json(answer).messages.map((one: { body: unknown }) => one.body)
}

describe('claiming', () => {
  const given = freshService()

  test('answers 201, where the claim is, and the messages with hrefs that delete them', async () => {
    const [id] = await given.post('jobs', { body: { task: 7 } })
    given.pass(4)
    const answer = await given.client.post(CLAIMS, { ttl: 300, grace: 300 })
    assert.equal(answer.status, 201)
    const location = answer.headers['location'] ?? ''
    assert.match(location, /^\/v2\/queues\/jobs\/claims\/[A-Za-z0-9_-]+$/)
    const claimId = location.split('/').at(-1)
    assert.equal(
      answer.text,
      `{"messages": [{"id": "${id}", "href": "${MESSAGES}/${id}?claim_id=${claimId}", "ttl": 3600, "age": 4, "body": {"task": 7}}]}`,
    )
  })

  test('takes an empty body, an empty object, and what it does not know', async () => {
    for (const body of [undefined, '', {}, { limit: 1, other: 'x' }]) {
      await given.post('jobs', { body: 1 }, { body: 2 })
      assert.equal(json(await given.client.post(CLAIMS, body)).messages.length, 2)
    }
  })

  test('lasts 300 seconds where no ttl is given', async () => {
    await given.post('jobs', { body: 1 })
    const location = await claim(given)
    assert.equal(json(await given.client.get(location)).ttl, 300)
    given.pass(299.999)
    assert.deepEqual(await claimed(given), [])
    given.pass(0.001)
    assert.equal((await given.client.get(location)).status, 404)
    assert.deepEqual(await claimed(given), [1])
  })

  for (const [body, title] of [
    [{ ttl: true }, 'Invalid API request'],
    [{ ttl: '60' }, 'Invalid request body'],
    [{ ttl: null }, 'Invalid request body'],
    [{ grace: [60] }, 'Invalid request body'],
    ['{"ttl": 60.0}', 'Invalid request body'],
    ['{"ttl": 9223372036854775808}', 'Invalid request body'],
    ['[]', 'Invalid request body'],
    ['60', 'Invalid request body'],
    ['{"ttl"', 'Invalid request body'],
  ] as const) {
    test(`does not take ${typeof body === 'string' ? body : JSON.stringify(body)}`, async () => {
      await given.post('jobs', { body: 1 })
      assertError(await given.client.post(CLAIMS, body), 400, title)
      assert.deepEqual(await claimed(given), [1])
    })
  }

  test('does not take limit=x', async () => {
    assertError(await given.client.post(`${CLAIMS}?limit=x`), 400, 'Invalid parameter')
  })
})

describe('a claim', () => {
  const given = freshService()

  test('is shown with its age, ttl and messages, to any client of the project', async () => {
    const [id] = await given.post('jobs', { body: 1 })
    const location = await claim(given, 1, { ttl: 100, grace: 60 })
    given.pass(12)
    const answer = await given.client.with({ 'Client-ID': '0'.repeat(32) }).get(location)
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      `{"age": 12, "ttl": 100, "messages": [{"id": "${id}", "href": "${MESSAGES}/${id}?claim_id=${location.split('/').at(-1)}", ` +
        `"ttl": 3600, "age": 12, "body": 1}], "href": "${location}"}`,
    )
  })

  test('that is unknown is not found, with its names', async () => {
    for (const create of [false, true]) {
      if (create) await given.client.put('/v2/queues/jobs')
      for (const id of ['nonsense', '0'.repeat(32), 'x'.repeat(5000), '-1']) {
        assertError(await given.client.get(`${CLAIMS}/${id}`), 404, 'Not found', id, 'jobs', 'p1')
        assertError(await given.client.patch(`${CLAIMS}/${id}`, {}), 404, 'Not found', id, 'jobs', 'p1')
        assertNoContent(await given.client.delete(`${CLAIMS}/${id}`))
      }
    }
  })
})

describe('listing claims', () => {
  const given = freshService({ OS_TRANSPORT__MAX_MESSAGES_PER_PAGE: '3' })

  test('shows what lives, oldest first, with who made it and how much it holds', async () => {
    await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const first = await claim(given, 2, { ttl: 100, grace: 60 })
    given.pass(12)
    const other = given.client.with({ 'Client-ID': `{${OTHER_CLIENT_ID.toUpperCase()}}` })
    const second = (await other.post(CLAIMS)).headers['location'] ?? ''
    const [firstId, secondId] = [first, second].map((location) => location.split('/').at(-1))
    const answer = await given.client.get(CLAIMS)
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      `{"claims": [{"id": "${firstId}", "href": "${first}", "ttl": 100, "age": 12, "messages": 2, "client_id": "${CLIENT_ID}"}, ` +
        `{"id": "${secondId}", "href": "${second}", "ttl": 300, "age": 0, "messages": 1, "client_id": "${OTHER_CLIENT_ID}"}], "links": []}`,
    )
    await given.client.delete(first)
    given.pass(300)
    assert.equal((await given.client.get(CLAIMS)).text, '{"claims": [], "links": []}')
  })

  test('goes page by page along the links', async () => {
    await given.post('jobs', ...[1, 2, 3, 4].map((body) => ({ body })))
    const ids: (string | undefined)[] = []
    for (let i = 0; i < 4; i++) ids.push((await claim(given, 1)).split('/').at(-1))
    const pages: string[][] = []
    for (let path: string | undefined = `${CLAIMS}?limit=2`; path !== undefined; ) {
      const { claims, links } = json(await given.client.get(path))
      pages.push(claims.map(({ id }: { id: string }) => id))
      path = links[0]?.href
    }
    assert.deepEqual(pages, [ids.slice(0, 2), ids.slice(2)])
    const { claims, links } = json(await given.client.get(CLAIMS))
    assert.deepEqual([claims.length, links], [3, [{ rel: 'next', href: `${CLAIMS}?marker=${ids[2]}` }]])
  })

  test('does not take a limit that is too large or too small, nor what is none', async () => {
    for (const limit of ['0', '4', '-1']) {
      assertError(await given.client.get(`${CLAIMS}?limit=${limit}`), 400, 'Invalid API request', '3')
    }
    assertError(await given.client.get(`${CLAIMS}?limit=x`), 400, 'Invalid parameter')
  })

  test('of a queue that is not there is empty, and makes none', async () => {
    assert.equal((await given.client.get(CLAIMS)).text, '{"claims": [], "links": []}')
    assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
  })

  test('says of a client of v1 without an id that nobody said who it is', async () => {
    await given.post('jobs', { body: 1 })
    const anonymous = given.client.with({ 'Client-ID': undefined })
    const made = await anonymous.post('/v1/queues/jobs/claims', { ttl: 60, grace: 60 })
    assert.equal(made.status, 201, made.text)
    assert.equal(json(await given.client.get(CLAIMS)).claims[0].client_id, null)
  })

  test('is not there in older versions', async () => {
    for (const version of ['v1', 'v1.1']) {
      const answer = await given.client.get(`/${version}/queues/jobs/claims`)
      assert.deepEqual([answer.status, answer.headers['allow']], [405, 'POST, OPTIONS'])
    }
  })
})

describe('renewing a claim', () => {
  const given = freshService()

  test('with an empty object gives it the defaults', async () => {
    await given.post('jobs', { body: 1 })
    const location = await claim(given, 1, { ttl: 60 })
    assertNoContent(await given.client.patch(location, {}))
    assert.equal(json(await given.client.get(location)).ttl, 300)
  })

  for (const [body, title] of [
    [undefined, 'Invalid request body'],
    ['', 'Invalid request body'],
    ['{', 'Invalid request body'],
    ['[]', 'Invalid request body'],
    [{ ttl: '60' }, 'Invalid request body'],
    [{ grace: null }, 'Invalid request body'],
  ] as const) {
    test(`does not take ${JSON.stringify(body)}, for an unknown claim neither`, async () => {
      await given.post('jobs', { body: 1 })
      const location = await claim(given)
      for (const target of [location, `${CLAIMS}/x`]) {
        assertError(await given.client.send('PATCH', target, body), 400, title)
      }
    })
  }
})

describe('dead letters', () => {
  const given = freshService()
  const dead = async () =>
    json(await given.client.get('/v2/queues/dead/messages?echo=true&include_claimed=true')).messages
  /** Claims and lets the claim end. */
  const attempt = async (how: 'expire' | 'release') => {
    const answer = await given.client.post(CLAIMS, { ttl: 60, grace: 60 })
    if (how === 'expire') given.pass(60)
    else await given.client.delete(answer.headers['location'] ?? '')
    return answer.status
  }

  for (const how of ['expire', 'release'] as const) {
    test(`takes a message at the claim after the last that is allowed, when claims ${how}`, async () => {
      await given.client.put('/v2/queues/dead')
      await given.client.put('/v2/queues/jobs', { _max_claim_count: 2, _dead_letter_queue: 'dead' })
      const [id] = await given.post('jobs', { body: { task: 7 } })
      assert.equal(await attempt(how), 201)
      assert.equal(await attempt(how), 201)
      assert.deepEqual(await dead(), [])
      assertNoContent(await given.client.post(CLAIMS))
      const [moved] = await dead()
      const age = how === 'expire' ? 120 : 0
      assert.deepEqual(moved, { id, href: `/v2/queues/dead/messages/${id}`, ttl: 3600, age, body: { task: 7 } })
      assert.equal((await given.client.get(`${MESSAGES}/${id}`)).status, 404)
      assert.equal((await given.client.get(`/v2/queues/dead/messages/${id}`)).status, 200)
      assert.equal(json(await given.client.get('/v2/queues/jobs/stats')).messages.total, 0)
      assert.equal(json(await given.client.get('/v2/queues/dead/stats')).messages.free, 1)
    })
  }

  for (const max of [0, -3]) {
    test(`takes a message at its first claim when the maximum is ${max}`, async () => {
      await given.client.put('/v2/queues/dead')
      await given.client.put('/v2/queues/jobs', { _max_claim_count: max, _dead_letter_queue: 'dead' })
      await given.post('jobs', { body: 1 })
      assertNoContent(await given.client.post(CLAIMS))
      assert.equal((await dead()).length, 1)
    })
  }

  test('leave the others to the claim that moves them', async () => {
    await given.client.put('/v2/queues/dead')
    await given.client.put('/v2/queues/jobs', { _max_claim_count: 1, _dead_letter_queue: 'dead' })
    await given.post('jobs', { body: 'spent' })
    await attempt('expire')
    await given.post('jobs', { body: 'fresh' })
    assert.deepEqual(await claimed(given), ['fresh'])
    assert.deepEqual(
      (await dead()).map((one: { body: unknown }) => one.body),
      ['spent'],
    )
  })

  test('have the ttl that the queue gives them, from the move on', async () => {
    await given.client.put('/v2/queues/dead')
    const metadata = { _max_claim_count: 1, _dead_letter_queue: 'dead', _dead_letter_queue_messages_ttl: 5000 }
    await given.client.put('/v2/queues/jobs', metadata)
    await given.post('jobs', { body: 1, ttl: 100 })
    await attempt('expire')
    await given.client.post(CLAIMS)
    const [{ ttl, age }] = await dead()
    assert.deepEqual([ttl - age, age], [5000, 60], 'what is left of its life, and since when it is there')
    given.pass(4999.999)
    assert.equal((await dead()).length, 1)
    given.pass(0.001)
    assert.equal((await dead()).length, 0)
  })

  test('bring their queue into being where it is missing', async () => {
    await given.client.put('/v2/queues/jobs', { _max_claim_count: 0, _dead_letter_queue: 'dead' })
    const names = async () => json(await given.client.get('/v2/queues')).queues.map((one: { name: string }) => one.name)
    assert.deepEqual(await names(), ['jobs'], 'not by being named')
    for (const round of [1, 2]) {
      await given.post('jobs', { body: round })
      await given.client.post(CLAIMS)
      assert.deepEqual(await names(), ['dead', 'jobs'])
      assert.equal(json(await given.client.get('/v2/queues/dead/stats')).messages.free, 1)
      assert.deepEqual(
        (await dead()).map((one: { body: unknown }) => one.body),
        [round],
      )
      assertNoContent(await given.client.put('/v2/queues/dead'))
      assertNoContent(await given.client.delete('/v2/queues/dead'))
    }
  })

  test('may go to a queue with a dot in its name, in a project with one', async () => {
    const client = given.client.with({ 'X-Project-Id': 'p.1' })
    await client.put('/v2/queues/a.b')
    await client.put('/v2/queues/jobs', { _max_claim_count: 0, _dead_letter_queue: 'a.b' })
    await client.post(MESSAGES, { messages: [{ body: 1 }] })
    await client.post(CLAIMS)
    assert.equal(json(await client.get('/v2/queues/a.b/messages?echo=true')).messages.length, 1)
  })

  test('are off where one of the two attributes is missing', async () => {
    await given.client.put('/v2/queues/dead')
    for (const metadata of [{ _dead_letter_queue: 'dead', _max_claim_count: null }, { _max_claim_count: 0 }]) {
      await given.client.delete('/v2/queues/jobs')
      await given.client.put('/v2/queues/jobs', metadata)
      await given.post('jobs', { body: 1 })
      assert.deepEqual(await claimed(given), [1])
    }
  })

  for (const target of [5, { any: 'thing' }, 'no queue name!', '', 'x'.repeat(65)]) {
    test(`are off where ${JSON.stringify(target)}, which no queue can be called, was set before that was refused`, async () => {
      const key = { project: PROJECT, kind: 'queue', name: 'jobs' } as const
      const metadata = JSON.stringify({ _max_claim_count: 1, _dead_letter_queue: target })
      await given.storage.queues.create({ key, metadata, now: given.clock.now() })
      await given.post('jobs', { body: 1 })
      for (let i = 0; i < 3; i++) assert.equal(await attempt('expire'), 201)
    })
  }

  test('can go to and fro between two queues', async () => {
    await given.client.put('/v2/queues/jobs', { _max_claim_count: 0, _dead_letter_queue: 'dead' })
    await given.client.put('/v2/queues/dead', { _max_claim_count: 0, _dead_letter_queue: 'jobs' })
    await given.post('jobs', { body: 1 }, { body: 2 })
    for (const queue of ['jobs', 'dead', 'jobs']) {
      assertNoContent(await given.client.post(`/v2/queues/${queue}/claims`))
    }
    assert.deepEqual(
      (await dead()).map((one: { body: unknown }) => one.body),
      [1, 2],
    )
  })

  test('are moved by pop too, which then gives an empty list', async () => {
    await given.client.put('/v2/queues/dead')
    await given.client.put('/v2/queues/jobs', { _max_claim_count: 1, _dead_letter_queue: 'dead' })
    await given.post('jobs', { body: 1 })
    await attempt('release')
    assert.equal((await given.client.delete(`${MESSAGES}?pop=1`)).text, '{"messages": []}')
    assert.equal((await dead()).length, 1)
  })
})

describe('the defaults of a claim', () => {
  const given = freshService({
    OS_TRANSPORT__DEFAULT_CLAIM_TTL: '70',
    OS_TRANSPORT__MAX_MESSAGES_PER_CLAIM_OR_POP: '5',
  })

  test('follow the configuration', async () => {
    await given.post('jobs', ...Array.from({ length: 8 }, (_, body) => ({ body })))
    const location = await claim(given, 5)
    assert.equal(json(await given.client.get(location)).ttl, 70)
    assert.equal(json(await given.client.post(CLAIMS)).messages.length, 3)
  })
})
