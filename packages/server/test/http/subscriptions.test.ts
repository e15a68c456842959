import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Ids } from '../../src/platform/ids.ts'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { type FreshService, freshService } from '../support/fresh-service.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'

const JOBS = '/v2/queues/jobs/subscriptions'
const HOOK = 'https://hook.example/x'

/** s1, s2, ... */
function countedIds(): Ids {
  let count = 0
  return { randomId: () => `s${++count}`, randomKey: () => 'a2V5', randomFraction: () => 0 }
}

async function subscribe(given: FreshService, subscriber = HOOK, fields: object = {}, at = JOBS): Promise<string> {
  const answer = await given.client.post(at, { subscriber, ...fields })
  assert.equal(answer.status, 201, answer.text)
  return json(answer).subscription_id
}

describe('creating a subscription', () => {
  const given = freshService({}, { ids: countedIds() })

  test('answers its id, and the collection as its place', async () => {
    const answer = await given.client.post(JOBS, { subscriber: HOOK })
    assert.equal(answer.status, 201)
    assert.match(answer.text, /^\{"subscription_id": "s\d+"\}$/)
    assert.equal(answer.headers['location'], JOBS)
  })

  test('creates a missing queue', async () => {
    await subscribe(given)
    assert.deepEqual(
      json(await given.client.get('/v2/queues')).queues.map((queue: { name: string }) => queue.name),
      ['jobs'],
    )
    await given.client.delete('/v2/queues/jobs')
    await subscribe(given)
    assert.equal(json(await given.client.get(JOBS)).subscriptions.length, 1, 'and one that has been deleted')
  })

  test('that is refused creates nothing', async () => {
    await given.client.post(JOBS, { subscriber: 'ftp://host/' })
    assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
  })

  test('is unconfirmed whatever it says, and drops fields that it does not know', async () => {
    const id = await subscribe(given, HOOK, { confirmed: true, age: 3, source: 'other' })
    const { confirmed, age, source } = json(await given.client.get(`${JOBS}/${id}`))
    assert.deepEqual({ confirmed, age, source }, { confirmed: false, age: 0, source: 'jobs' })
  })

  for (const subscriber of ['http:', 'HTTP://h/x', 'https://h/', 'mailto:a@example.com', 'http://127.0.0.1/']) {
    test(`takes the subscriber ${subscriber}`, async () => {
      const id = await subscribe(given, subscriber)
      assert.equal(json(await given.client.get(`${JOBS}/${id}`)).subscriber, subscriber, 'as it was given')
    })
  }

  test('keeps options as they are', async () => {
    const options =
      '{"post_headers": {"X-A": "b"}, "n": 1.0, "big": 9007199254740993, "é": null, ' +
      '"_retry_policy": {"retries_with_no_delay": 1, "minimum_delay": 5, "maximum_delay": 15}}'
    const answer = await given.client.post(JOBS, `{"subscriber": "${HOOK}", "options": ${options}}`)
    const { text } = await given.client.get(`${JOBS}/${json(answer).subscription_id}`)
    assert.ok(text.includes(`"options": ${options}, `), text)
  })

  test('takes options that are null for none', async () => {
    const id = await subscribe(given, HOOK, { options: null })
    assert.deepEqual(json(await given.client.get(`${JOBS}/${id}`)).options, {})
  })

  for (const [description, body] of [
    ['Missing parameter subscriber in body.', {}],
    ['TTL must be an integer.', { subscriber: HOOK, ttl: 'x' }],
    ['TTL must be an integer.', { subscriber: HOOK, ttl: 60.5 }],
    ['Options must be a dict.', { subscriber: HOOK, options: 'x' }],
    ['Options must be a dict.', { subscriber: HOOK, options: [] }],
  ] as const) {
    test(`refuses ${JSON.stringify(body)} in the words that clients know`, async () => {
      assert.equal(json(await given.client.post(JOBS, body)).description, description)
    })
  }

  test('the subscribers of two queues have nothing to do with each other', async () => {
    const id = await subscribe(given)
    assert.notEqual(await subscribe(given, HOOK, {}, '/v2/queues/other/subscriptions'), id)
  })

  const retryPolicy = (policy: unknown) => ({ subscriber: HOOK, options: { _retry_policy: policy } })
  const refused: [what: string, body: unknown][] = [
    ['no body', undefined],
    ['an empty body', ''],
    ['no subscriber', {}],
    ['a subscriber that is null', { subscriber: null }],
    ['an empty subscriber', { subscriber: '' }],
    ['a subscriber that is no text', { subscriber: 7 }],
    ['a subscriber that is a list', { subscriber: [HOOK] }],
    ['a subscriber without a scheme', { subscriber: 'hook.example/x' }],
    ['a subscriber of an unknown type', { subscriber: 'ftp://hook.example/x' }],
    ['a subscriber with a line feed', { subscriber: 'http://h/\nx' }],
    ['a subscriber with half a character', { subscriber: 'http://h/\ud800' }],
    ['options that are a list', { subscriber: HOOK, options: [] }],
    ['options that are a text', { subscriber: HOOK, options: '' }],
    ['options that are a number', { subscriber: HOOK, options: 1.5 }],
    ['a retry policy that is no object', retryPolicy('often')],
    ['a retry policy of the wrong type', retryPolicy({ minimum_delay: 'short' })],
    ['a retry policy with a delay that is null', retryPolicy({ minimum_delay: null, maximum_delay: 30 })],
    ['a retry policy with an unknown function', retryPolicy({ retry_backoff_function: 'cubic' })],
    ['a retry policy with delays that are too close', retryPolicy({ minimum_delay: 10, maximum_delay: 19 })],
    ['a ttl of 0', { subscriber: HOOK, ttl: 0 }],
    ['a ttl of 59', { subscriber: HOOK, ttl: 59 }],
    ['a negative ttl', { subscriber: HOOK, ttl: -60 }],
    ['a ttl of true, which is 1', { subscriber: HOOK, ttl: true }],
    ['a ttl that is null', { subscriber: HOOK, ttl: null }],
    ['a ttl that is a text', { subscriber: HOOK, ttl: '60' }],
    ['a ttl that is an empty list', { subscriber: HOOK, ttl: [] }],
    ['a ttl with a fraction', `{"subscriber": "${HOOK}", "ttl": 60.0}`],
    ['a ttl that ends after the year 9999', { subscriber: HOOK, ttl: 300_000_000_000 }],
    ['the greatest ttl that can be written', `{"subscriber": "${HOOK}", "ttl": 9223372036854775807}`],
  ]
  for (const [what, body] of refused) {
    test(`refuses ${what}`, async () => {
      assertError(await given.client.post(JOBS, body), 400, 'Invalid API request')
    })
  }

  for (const body of ['{', 'null', '1', '"x"', '[]', `[{"subscriber": "${HOOK}"}]`, Buffer.from([0xff])]) {
    test(`refuses ${JSON.stringify(body)}, which is no document for it`, async () => {
      assertError(await given.client.post(JOBS, body), 400, 'Invalid request body')
    })
  }

  test('names the types that it takes', async () => {
    assertError(
      await given.client.post(JOBS, { subscriber: 'x:y' }),
      400,
      'Invalid API request',
      'http, https, mailto, trust+http, trust+https',
    )
  })

  test('takes the least ttl, and a long one', async () => {
    await subscribe(given, HOOK, { ttl: 60 })
    await subscribe(given, `${HOOK}2`, { ttl: 200_000_000_000 })
  })
})

describe('a subscriber that is there already', () => {
  const given = freshService()

  test('gets its subscription again as it is while it has not confirmed', async () => {
    const id = await subscribe(given, HOOK, { ttl: 100, options: { a: 1 } })
    given.pass(10)
    const again = await given.client.post(JOBS, { subscriber: HOOK, ttl: 200, options: {} })
    assert.equal(again.status, 201)
    assert.equal(again.headers['location'], JOBS)
    assert.equal(json(again).subscription_id, id)
    const { ttl, age, options } = json(await given.client.get(`${JOBS}/${id}`))
    assert.deepEqual({ ttl, age, options }, { ttl: 100, age: 10, options: { a: 1 } })
  })

  test('is a conflict once it has confirmed', async () => {
    const id = await subscribe(given)
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: true })
    const again = await given.client.post(JOBS, { subscriber: HOOK })
    assertError(again, 409, 'Resource conflict', 'project + queue + subscriber URI')
    assert.equal(again.headers['location'], JOBS)
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: false })
    assert.equal(await subscribe(given), id)
  })

  test('counts letter by letter', async () => {
    const id = await subscribe(given, 'http://h/x')
    assert.notEqual(await subscribe(given, 'HTTP://h/x'), id)
  })

  test('is free when its subscription has ended', async () => {
    const id = await subscribe(given, HOOK, { ttl: 60 })
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: true })
    given.pass(60)
    assert.notEqual(await subscribe(given), id)
  })
})

describe('a subscriber with a trust', () => {
  let service: InProcessService
  beforeEach(async () => {
    service = await openInProcess()
  })
  afterEach(() => service.close())

  for (const subscriber of ['trust+http://h/x', 'TRUST+https://h/x']) {
    test(`is not served without Keystone: ${subscriber}`, async () => {
      const answer = await service.client.post(JOBS, { subscriber })
      assertError(answer, 503, 'Service temporarily unavailable', 'Keystone')
      assert.deepEqual(json(await service.client.get('/v2/queues')).queues, [])
    })
  }

  test('cannot be put in the place of another one', async () => {
    const { subscription_id: id } = json(await service.client.post(JOBS, { subscriber: HOOK }))
    const answer = await service.client.patch(`${JOBS}/${id}`, { subscriber: 'trust+http://h/x' })
    assertError(answer, 503, 'Service temporarily unavailable', 'Keystone')
  })
})

describe('reading subscriptions', () => {
  const given = freshService({}, { ids: countedIds() })

  test('shows the fields in their order', async () => {
    const id = await subscribe(given, HOOK, { ttl: 600, options: { n: 1 } })
    given.pass(12)
    const document =
      `{"id": "${id}", "source": "jobs", "subscriber": "${HOOK}", "ttl": 600, "age": 12, ` +
      '"options": {"n": 1}, "confirmed": false}'
    const answer = await given.client.get(`${JOBS}/${id}`)
    assert.equal(answer.status, 200)
    assert.equal(answer.text, document)
    const list = await given.client.get(JOBS)
    assert.equal(list.status, 200)
    assert.equal(
      list.text,
      `{"subscriptions": [${document}], "links": [{"rel": "next", "href": "${JOBS}?marker=${id}"}]}`,
    )
  })

  test('a missing queue is listed as empty and not created', async () => {
    assert.equal((await given.client.get(JOBS)).text, '{"subscriptions": [], "links": []}')
    assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
  })

  test('follows next links to an empty page', async () => {
    const expected: string[] = []
    for (let n = 0; n < 25; n++) expected.push(await subscribe(given, `${HOOK}${n}`))
    const met: string[] = []
    let next = `${JOBS}?limit=20`
    for (const size of [20, 5, 0]) {
      const { subscriptions, links } = json(await given.client.get(next))
      assert.equal(subscriptions.length, size)
      met.push(...subscriptions.map(({ id }: { id: string }) => id))
      next = links[0]?.href
      if (size > 0) assert.match(next, size === 20 ? /\?limit=20&marker=s/ : /\?marker=s\d+&limit=20$/)
    }
    assert.equal(next, undefined)
    assert.deepEqual(met, expected.sort())
    assert.equal(json(await given.client.get(JOBS)).subscriptions.length, 10, 'ten when nothing is said')
  })

  for (const limit of ['0', '21', '-1']) {
    test(`refuses a limit of ${limit}`, async () => {
      assertError(await given.client.get(`${JOBS}?limit=${limit}`), 400, 'Invalid API request', '1', '20')
    })
  }

  test('refuses a limit that is no integer', async () => {
    assertError(await given.client.get(`${JOBS}?limit=all`), 400, 'Invalid parameter', 'limit')
  })

  test('a subscription that does not exist is named', async () => {
    await subscribe(given)
    assertError(await given.client.get(`${JOBS}/nobody`), 404, 'Not found', 'nobody')
    assertError(await given.client.get(`${JOBS}/`), 404, 'Not found')
    assertError(await given.client.get('/v2/queues/missing/subscriptions/nobody'), 404, 'Not found', 'nobody')
  })

  test('it is gone when its time is over', async () => {
    const id = await subscribe(given, HOOK, { ttl: 60 })
    given.pass(59)
    assert.equal((await given.client.get(`${JOBS}/${id}`)).status, 200)
    given.pass(1)
    assertError(await given.client.get(`${JOBS}/${id}`), 404, 'Not found', id)
    assert.deepEqual(json(await given.client.get(JOBS)).subscriptions, [])
  })

  test('it lives an hour when nothing else is said', async () => {
    const id = await subscribe(given)
    assert.equal(json(await given.client.get(`${JOBS}/${id}`)).ttl, 3600)
  })
})

describe('updating a subscription', () => {
  const given = freshService()

  test('answers its place and changes what is given', async () => {
    const id = await subscribe(given, HOOK, { ttl: 600, options: { a: 1, b: 2 } })
    given.pass(5)
    const answer = await given.client.patch(`${JOBS}/${id}`, { options: { c: 3 } })
    assertNoContent(answer)
    assert.equal(answer.headers['location'], `${JOBS}/${id}`)
    const { age, ttl, subscriber, options } = json(await given.client.get(`${JOBS}/${id}`))
    assert.deepEqual({ age, ttl, subscriber, options }, { age: 5, ttl: 600, subscriber: HOOK, options: { c: 3 } })
  })

  test('a ttl counts from now', async () => {
    const id = await subscribe(given, HOOK, { ttl: 60 })
    given.pass(50)
    assertNoContent(await given.client.patch(`${JOBS}/${id}`, { ttl: 100 }))
    const { age, ttl } = json(await given.client.get(`${JOBS}/${id}`))
    assert.deepEqual({ age, ttl }, { age: 0, ttl: 100 })
    given.pass(99)
    assert.equal((await given.client.get(`${JOBS}/${id}`)).status, 200)
  })

  test('another subscriber has not confirmed', async () => {
    const id = await subscribe(given)
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: true })
    assertNoContent(await given.client.patch(`${JOBS}/${id}`, { ttl: 100, subscriber: HOOK }))
    assert.equal(json(await given.client.get(`${JOBS}/${id}`)).confirmed, true)
    assertNoContent(await given.client.patch(`${JOBS}/${id}`, { subscriber: `${HOOK}2` }))
    assert.equal(json(await given.client.get(`${JOBS}/${id}`)).confirmed, false)
  })

  test('cannot take the subscriber of another one', async () => {
    await subscribe(given)
    const id = await subscribe(given, `${HOOK}2`)
    assertError(await given.client.patch(`${JOBS}/${id}`, { subscriber: HOOK }), 409, 'Resource conflict')
    assert.equal(json(await given.client.get(`${JOBS}/${id}`)).subscriber, `${HOOK}2`)
  })

  test('takes options that are null for none', async () => {
    const id = await subscribe(given, HOOK, { options: { a: 1 } })
    assertNoContent(await given.client.patch(`${JOBS}/${id}`, { options: null }))
    assert.deepEqual(json(await given.client.get(`${JOBS}/${id}`)).options, {})
  })

  for (const [description, body] of [
    ['TTL must be an integer.', { ttl: 'x' }],
    ['Options must be a dict.', { options: 7 }],
  ] as const) {
    test(`refuses ${JSON.stringify(body)} in the words that clients know`, async () => {
      const id = await subscribe(given)
      assert.equal(json(await given.client.patch(`${JOBS}/${id}`, body)).description, description)
    })
  }

  test('ignores other fields and a subscriber or a ttl that is null, any content type will do', async () => {
    const id = await subscribe(given, HOOK, { ttl: 100 })
    const body = { ttl: 200, subscriber: null, confirmed: true, other: [] }
    const answer = await given.client.patch(`${JOBS}/${id}`, body, { headers: { 'Content-Type': 'text/plain' } })
    assertNoContent(answer)
    const { ttl, subscriber, confirmed } = json(await given.client.get(`${JOBS}/${id}`))
    assert.deepEqual({ ttl, subscriber, confirmed }, { ttl: 200, subscriber: HOOK, confirmed: false })
  })

  const broken: [what: string, body: unknown][] = [
    ['no body', undefined],
    ['an empty body', ''],
    ['no fields', {}],
    ['a list', [{ ttl: 60 }]],
    ['an empty list', []],
    ['an empty subscriber', { subscriber: '' }],
    ['a subscriber of an unknown type', { subscriber: 'ftp://h/' }],
    ['a subscriber that is no text', { subscriber: false }],
    ['a ttl of 0', { ttl: 0 }],
    ['a ttl of 59', { ttl: 59 }],
    ['a ttl that is a text', { ttl: '' }],
    ['a ttl that ends too late', { ttl: 300_000_000_000 }],
    ['options that are a list', { options: [] }],
    ['a bad retry policy', { options: { _retry_policy: { ignore_subscription_override: 1 } } }],
  ]
  for (const [what, body] of broken) {
    test(`refuses ${what}`, async () => {
      const id = await subscribe(given)
      assertError(await given.client.patch(`${JOBS}/${id}`, body), 400, 'Invalid API request')
    })
  }

  for (const body of [
    { confirmed: true },
    { subscriber: null },
    { ttl: null, subscriber: null },
    ...['queue', 'project', 'subscription_id', 'self'].map((name) => ({ ttl: 100, [name]: 'x' })),
  ]) {
    test(`is not able to do ${JSON.stringify(body)}`, async () => {
      const id = await subscribe(given, HOOK, { ttl: 60 })
      assertError(await given.client.patch(`${JOBS}/${id}`, body), 400, 'Unable to update subscription', id)
      assert.equal(json(await given.client.get(`${JOBS}/${id}`)).ttl, 60)
    })
  }

  test('refuses what is no JSON', async () => {
    assertError(await given.client.patch(`${JOBS}/x`, '{'), 400, 'Invalid request body')
    assertError(await given.client.patch(`${JOBS}/x`, '7'), 400, 'Invalid request body')
  })

  test('one that does not exist is named, after what is wrong with the request', async () => {
    assertError(await given.client.patch(`${JOBS}/nobody`, { ttl: 60 }), 404, 'Not found', 'nobody')
    assertError(await given.client.patch(`${JOBS}/nobody`, { ttl: 1 }), 400, 'Invalid API request')
  })
})

describe('confirming a subscription', () => {
  const given = freshService()

  test('goes in both directions any number of times', async () => {
    const id = await subscribe(given)
    for (const confirmed of [true, true, false, false, true]) {
      const answer = await given.client.put(`${JOBS}/${id}/confirm`, { confirmed, other: 1 })
      assertNoContent(answer)
      assert.equal(answer.headers['location'], `${JOBS}/${id}/confirm`)
      assert.equal(json(await given.client.get(`${JOBS}/${id}`)).confirmed, confirmed)
    }
  })

  for (const body of [undefined, '', {}, { confirmed: null }, { confirmed: 1 }, { confirmed: 'true' }]) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      const id = await subscribe(given)
      const answer = await given.client.put(`${JOBS}/${id}/confirm`, body)
      assertError(answer, 400, 'Invalid API request')
      assert.equal(json(answer).description, "The 'confirmed' should be boolean.")
    })
  }

  test('refuses a list', async () => {
    assertError(await given.client.put(`${JOBS}/s/confirm`, []), 400, 'Unable to confirm subscription', 's')
  })

  test('refuses what is no JSON', async () => {
    assertError(await given.client.put(`${JOBS}/s/confirm`, '{'), 400, 'Invalid request body')
  })

  test('names one that does not exist', async () => {
    await given.client.put('/v2/queues/jobs')
    assertError(await given.client.put(`${JOBS}/nobody/confirm`, { confirmed: true }), 404, 'Not found', 'nobody')
  })
})

describe('deleting subscriptions', () => {
  const given = freshService()

  test('always succeeds', async () => {
    const id = await subscribe(given)
    for (const one of [id, id, 'nobody']) assertNoContent(await given.client.delete(`${JOBS}/${one}`))
    assertNoContent(await given.client.delete('/v2/queues/missing/subscriptions/s'))
    assert.equal((await given.client.get(`${JOBS}/${id}`)).status, 404)
  })

  test('a purge removes them, the queue takes them along', async () => {
    for (let n = 0; n < 12; n++) await subscribe(given, `${HOOK}${n}`)
    await given.client.post('/v2/queues/jobs/purge', { resource_types: ['subscriptions'] })
    assert.deepEqual(json(await given.client.get(JOBS)).subscriptions, [])
    await subscribe(given)
    await given.client.delete('/v2/queues/jobs')
    await given.client.put('/v2/queues/jobs')
    assert.deepEqual(json(await given.client.get(JOBS)).subscriptions, [])
  })
})

describe('a subscription and strangers', () => {
  const given = freshService()

  test('another project, or another queue, sees and changes nothing', async () => {
    const id = await subscribe(given)
    await given.client.put('/v2/queues/other')
    const stranger = given.client.with({ 'X-Project-Id': 'p2' })
    await stranger.put('/v2/queues/jobs')
    for (const [client, at] of [
      [stranger, JOBS],
      [given.client, '/v2/queues/other/subscriptions'],
      [given.client, '/v2/topics/jobs/subscriptions'],
    ] as const) {
      assert.deepEqual(json(await client.get(at)).subscriptions, [])
      assertError(await client.get(`${at}/${id}`), 404, 'Not found')
      assertError(await client.patch(`${at}/${id}`, { ttl: 60 }), 404, 'Not found')
      assertError(await client.put(`${at}/${id}/confirm`, { confirmed: true }), 404, 'Not found')
      assertNoContent(await client.delete(`${at}/${id}`))
    }
    const theirs = json(await stranger.post(JOBS, { subscriber: HOOK })).subscription_id
    assert.notEqual(theirs, id)
    const { ttl, confirmed } = json(await given.client.get(`${JOBS}/${id}`))
    assert.deepEqual({ ttl, confirmed }, { ttl: 3600, confirmed: false })
  })
})

describe('the options of subscriptions', () => {
  const given = freshService({
    OS_TRANSPORT__DEFAULT_SUBSCRIPTION_TTL: '120',
    OS_TRANSPORT__MAX_SUBSCRIPTIONS_PER_PAGE: '2',
    OS_TRANSPORT__SUBSCRIBER_TYPES: 'https,x-own',
  })

  test('say how long they live, how many a page holds and who may subscribe', async () => {
    const id = await subscribe(given, 'X-Own:thing')
    assert.equal(json(await given.client.get(`${JOBS}/${id}`)).ttl, 120)
    assertError(await given.client.get(`${JOBS}?limit=3`), 400, 'Invalid API request', '2')
    assertError(await given.client.post(JOBS, { subscriber: 'http://h/' }), 400, 'Invalid API request', 'https, x-own')
  })
})

describe('the routes of subscriptions', () => {
  const given = freshService()

  for (const [path, allow] of [
    [JOBS, 'GET, POST'],
    [`${JOBS}/s`, 'DELETE, GET, PATCH'],
    [`${JOBS}/s/confirm`, 'PUT'],
  ] as const) {
    test(`${path} takes ${allow} alone`, async () => {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        if (allow.split(', ').includes(method)) continue
        const answer = await given.client.send(method, path)
        assert.equal(answer.status, 405, method)
        assert.equal(answer.headers['allow'], `${allow}, OPTIONS`)
      }
    })
  }

  test('names of queues are looked at', async () => {
    assertError(await given.client.get('/v2/queues/a%20b/subscriptions'), 400, 'Invalid queue identification')
  })
})
