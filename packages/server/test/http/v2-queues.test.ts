import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

/** What is shown of a queue that says nothing itself. */
const DEFAULTS =
  '"_max_messages_post_size": 262144, "_default_message_ttl": 3600, "_default_message_delay": 0, ' +
  '"_dead_letter_queue": null, "_dead_letter_queue_messages_ttl": null, "_max_claim_count": null, ' +
  '"_enable_encrypt_messages": false'

describe('creating a queue', () => {
  const given = freshService()

  test('answers 201 and its place the first time, 204 from then on', async () => {
    const created = await given.client.put('/v2/queues/jobs', { owner: 'batch' })
    assert.equal(created.status, 201)
    assert.equal(created.text, '')
    assert.equal(created.headers['location'], '/v2/queues/jobs')
    assert.equal(created.headers['content-type'], 'application/json')
    const again = await given.client.put('/v2/queues/jobs', { owner: 'ops' })
    assertNoContent(again)
    assert.equal(again.headers['location'], '/v2/queues/jobs')
  })

  test('a second time leaves the metadata as it is, but still checks what came', async () => {
    await given.client.put('/v2/queues/jobs', { owner: 'batch' })
    await given.client.put('/v2/queues/jobs', { owner: 'ops' })
    assert.equal(json(await given.client.get('/v2/queues/jobs')).owner, 'batch')
    assertError(await given.client.put('/v2/queues/jobs', '['), 400, 'Invalid request body')
    assertError(await given.client.put('/v2/queues/jobs', { _default_message_ttl: 1 }), 400, 'Invalid API request')
  })

  for (const body of [undefined, '', '{}', ' {} ']) {
    test(`takes ${JSON.stringify(body)} for no metadata`, async () => {
      assert.equal((await given.client.put('/v2/queues/jobs', body)).status, 201)
      assert.equal((await given.client.get('/v2/queues/jobs')).text, `{${DEFAULTS}}`)
    })
  }

  test('takes any key and any value', async () => {
    const metadata =
      '{"": 1, "_own": [null], "nested": {"a": {"b": []}}, "float": 1.0, "big": 9007199254740993, "small": 1e-7, ' +
      '"text": "Grüße 😀 \\n", "lone": "\\ud800", "nul": "\\u0000", "__proto__": {"x": 1}, "constructor": 2'
    assert.equal((await given.client.put('/v2/queues/jobs', `${metadata}}`)).status, 201)
    assert.equal((await given.client.get('/v2/queues/jobs')).text, `${metadata}, ${DEFAULTS}}`)
  })

  test('takes the last of several values of a key', async () => {
    await given.client.put('/v2/queues/jobs', '{"a": 1, "a": 2}')
    assert.equal(json(await given.client.get('/v2/queues/jobs')).a, 2)
  })

  for (const [body, description] of [
    ['[]', 'Document type not supported.'],
    ['"text"', 'Request body could not be parsed.'],
    ['1', 'Request body could not be parsed.'],
    ['1.0', 'Request body could not be parsed.'],
    ['null', 'Request body could not be parsed.'],
    ['{', 'Request body could not be parsed.'],
    ['{"a": NaN}', 'Request body could not be parsed.'],
    ['{"a": -Infinity}', 'Request body could not be parsed.'],
    ['{"a": 01}', 'Request body could not be parsed.'],
    ["{'a': 1}", 'Request body could not be parsed.'],
    ['\ufeff{}', 'Request body could not be parsed.'],
    ['{"a": 9223372036854775808}', 'JSON contains integer that is too large.'],
    ['{"a": [-9223372036854775809]}', 'JSON contains integer that is too large.'],
  ] as const) {
    test(`refuses ${body}`, async () => {
      assertError(await given.client.put('/v2/queues/jobs', body), 400, 'Invalid request body', description)
      assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
    })
  }

  test('refuses what is no UTF-8', async () => {
    const body = Buffer.concat([Buffer.from('{"a": "'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
    assertError(
      await given.client.put('/v2/queues/jobs', body),
      400,
      'Invalid request body',
      'Request body could not be parsed.',
    )
  })

  test('takes metadata of 65536 bytes and no more, which it sees before it looks inside', async () => {
    const metadata = (bytes: number) => `{"a": "${'x'.repeat(bytes - 9)}"}`
    assert.equal((await given.client.put('/v2/queues/jobs', metadata(65_536))).status, 201)
    assertError(await given.client.put('/v2/queues/more', metadata(65_537)), 400, 'Invalid API request', '65536')
    assertError(await given.client.put('/v2/queues/more', 'x'.repeat(65_537)), 400, 'Invalid API request', '65536')
  })
})

describe('showing a queue', () => {
  const given = freshService()

  test('gives what is stored in its order, then the missing defaults', async () => {
    await given.client.put('/v2/queues/jobs', { owner: 'batch', _default_message_ttl: 600 })
    const answer = await given.client.get('/v2/queues/jobs')
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      '{"owner": "batch", "_default_message_ttl": 600, "_max_messages_post_size": 262144, "_default_message_delay": 0, ' +
        '"_dead_letter_queue": null, "_dead_letter_queue_messages_ttl": null, "_max_claim_count": null, ' +
        '"_enable_encrypt_messages": false}',
    )
  })

  test('gives the defaults for a missing one and does not create it', async () => {
    const answer = await given.client.get('/v2/queues/jobs')
    assert.equal(answer.status, 200)
    assert.equal(answer.text, `{${DEFAULTS}}`)
    assert.equal((await given.client.put('/v2/queues/jobs')).status, 201)
  })

  test('gives a default for whatever is falsy', async () => {
    await given.client.put('/v2/queues/jobs', { _max_claim_count: 0, _default_message_ttl: null })
    assert.equal(
      (await given.client.get('/v2/queues/jobs')).text,
      `{"_max_claim_count": null, "_default_message_ttl": 3600, ${DEFAULTS.replace(
        '"_default_message_ttl": 3600, ',
        '',
      ).replace('"_max_claim_count": null, ', '')}}`,
    )
  })
})

describe('defaults from the configuration', () => {
  const given = freshService({
    OS_TRANSPORT__MAX_MESSAGES_POST_SIZE: '1000',
    OS_TRANSPORT__DEFAULT_MESSAGE_TTL: '120',
    OS_TRANSPORT__DEFAULT_MESSAGE_DELAY: '5',
  })

  test('are shown', async () => {
    const shown = json(await given.client.get('/v2/queues/jobs'))
    assert.equal(shown._max_messages_post_size, 1000)
    assert.equal(shown._default_message_ttl, 120)
    assert.equal(shown._default_message_delay, 5)
  })

  test('of a delay delay nothing', async () => {
    await given.post('jobs', { body: 1, delay: 30 })
    assert.equal((await given.client.post('/v2/queues/jobs/claims')).status, 201)
  })
})

describe('listing queues', () => {
  const given = freshService()
  const create = async (...names: string[]) => {
    for (const name of names) await given.client.put(`/v2/queues/${name}`, { owner: name })
  }
  const names = (text: string): string[] => JSON.parse(text).queues.map((queue: { name: string }) => queue.name)

  test('gives an empty list where there is none', async () => {
    const answer = await given.client.get('/v2/queues')
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '{"queues": [], "links": []}')
  })

  test('gives names and hrefs in the order of code points, with a link even on the last page', async () => {
    await create('q2', 'q10', 'q1', 'Q', '_', '-')
    const answer = await given.client.get('/v2/queues')
    assert.deepEqual(names(answer.text), ['-', 'Q', '_', 'q1', 'q10', 'q2'])
    assert.ok(
      answer.text.startsWith(
        '{"queues": [{"name": "-", "href": "/v2/queues/-"}, {"name": "Q", "href": "/v2/queues/Q"}, ',
      ),
    )
    assert.ok(answer.text.endsWith('], "links": [{"rel": "next", "href": "/v2/queues?marker=q2"}]}'))
  })

  test('gives metadata with the defaults to who asks for details', async () => {
    await create('jobs')
    const answer = await given.client.get('/v2/queues?detailed=true')
    assert.equal(
      answer.text,
      `{"queues": [{"name": "jobs", "metadata": {"owner": "jobs", ${DEFAULTS}}, "href": "/v2/queues/jobs"}], ` +
        '"links": [{"rel": "next", "href": "/v2/queues?detailed=true&marker=jobs"}]}',
    )
  })

  test('gives ten at a time where no number is asked for', async () => {
    await create(...'abcdefghijkl')
    assert.equal(names((await given.client.get('/v2/queues')).text).length, 10)
  })

  test('is followed by links to its end', async () => {
    await create(...'abcde')
    const seen: string[] = []
    let href = '/v2/queues?limit=2'
    for (;;) {
      const page = json(await given.client.get(href))
      if (page.queues.length === 0) {
        assert.deepEqual(page.links, [])
        break
      }
      assert.equal(page.links.length, 1)
      seen.push(...page.queues.map((queue: { name: string }) => queue.name))
      href = page.links[0].href
    }
    assert.deepEqual(seen, [...'abcde'])
    assert.equal(href, '/v2/queues?marker=e&limit=2')
  })

  test('starts after the marker, whether there is such a queue or not', async () => {
    await create('a', 'c', 'd')
    assert.deepEqual(names((await given.client.get('/v2/queues?marker=a')).text), ['c', 'd'])
    assert.deepEqual(names((await given.client.get('/v2/queues?marker=b')).text), ['c', 'd'])
    assert.deepEqual(names((await given.client.get('/v2/queues?marker=')).text), ['a', 'c', 'd'])
    assert.deepEqual(names((await given.client.get('/v2/queues?marker=%00')).text), ['a', 'c', 'd'])
    assert.deepEqual(names((await given.client.get('/v2/queues?marker=%F0%9F%98%80')).text), [])
  })

  test('links carry the parameters as they were understood, in the order of the route', async () => {
    await create('jobs')
    const next = async (query: string) => json(await given.client.get(`/v2/queues?${query}`)).links[0].href
    assert.equal(
      await next('with_count=yes&name=o&detailed=t&limit=+5+'),
      '/v2/queues?limit=5&detailed=true&name=o&with_count=true&marker=jobs',
    )
    assert.equal(
      await next('with_count=off&marker=a&detailed=n&limit=%2B5'),
      '/v2/queues?marker=jobs&limit=5&detailed=false&with_count=false',
    )
    assert.equal(await next('limit=1&limit=2'), '/v2/queues?limit=2&marker=jobs')
    assert.equal(await next('limit=1,3'), '/v2/queues?limit=3&marker=jobs')
    assert.equal(await next('limit=&detailed&name='), '/v2/queues?marker=jobs')
  })

  test('filters by a part of the name, which is no pattern', async () => {
    await create('a.b', 'axb', 'ab')
    assert.deepEqual(names((await given.client.get('/v2/queues?name=.')).text), ['a.b'])
    assert.deepEqual(names((await given.client.get('/v2/queues?name=b')).text), ['a.b', 'ab', 'axb'])
    assert.deepEqual(names((await given.client.get('/v2/queues?name=x,a.')).text), ['a.b'])
    assert.deepEqual(names((await given.client.get('/v2/queues?name=%25')).text), [])
  })

  test('filters by metadata, a number or its text, and carries the filter along', async () => {
    await given.client.put('/v2/queues/a', { size: 5, owner: 'batch' })
    await given.client.put('/v2/queues/b', { size: '5' })
    await given.client.put('/v2/queues/c', { size: 6, owner: 'batch' })
    const answer = await given.client.get('/v2/queues?size=5')
    assert.deepEqual(names(answer.text), ['a', 'b'])
    assert.equal(json(answer).links[0].href, '/v2/queues?size=5&marker=b')
    assert.deepEqual(names((await given.client.get('/v2/queues?owner=batch&size=6')).text), ['c'])
    assert.deepEqual(names((await given.client.get('/v2/queues?owner=nobody')).text), [])
  })

  test('filters by metadata of any name', async () => {
    await given.client.put('/v2/queues/a', { constructor: 'x', toString: 'y' })
    await given.client.put('/v2/queues/b')
    assert.deepEqual(names((await given.client.get('/v2/queues?constructor=x')).text), ['a'])
    assert.deepEqual(names((await given.client.get('/v2/queues?toString=z')).text), [])
    assert.deepEqual(names((await given.client.get('/v2/queues?__proto__=z')).text), [])
  })

  test('fills its pages when a filter is on', async () => {
    for (let i = 0; i < 30; i++) await given.client.put(`/v2/queues/q${100 + i}`, { even: i % 2 === 0 ? 'yes' : 'no' })
    assert.equal(names((await given.client.get('/v2/queues?even=yes&limit=12')).text).length, 12)
  })

  test('counts all queues of the project, whatever the filter and the page', async () => {
    assert.equal((await given.client.get('/v2/queues?with_count=true')).text, '{"queues": [], "links": []}')
    await create('a', 'b', 'c')
    await given.client.with({ 'X-Project-Id': 'p2' }).put('/v2/queues/d')
    const answer = await given.client.get('/v2/queues?with_count=true&limit=1&name=b')
    assert.equal(
      answer.text,
      '{"queues": [{"name": "b", "href": "/v2/queues/b"}], ' +
        '"links": [{"rel": "next", "href": "/v2/queues?limit=1&name=b&with_count=true&marker=b"}], "count": 3}',
    )
  })

  for (const limit of ['0', '-1', '21', '99999999999999999999']) {
    test(`refuses limit=${limit}`, async () => {
      assertError(await given.client.get(`/v2/queues?limit=${limit}`), 400, 'Invalid API request', '1', '20')
    })
  }

  for (const query of ['limit=ten', 'limit=1.0', 'limit=1_0', 'limit=0x1', 'limit=1e1', 'limit=%00']) {
    test(`refuses ${query}, which is no integer`, async () => {
      assertError(await given.client.get(`/v2/queues?${query}`), 400, 'Invalid parameter', 'limit', 'integer')
    })
  }

  for (const name of ['detailed', 'with_count']) {
    test(`refuses ${name}=TRUE, which is no boolean`, async () => {
      assertError(await given.client.get(`/v2/queues?${name}=TRUE`), 400, 'Invalid parameter', name, 'true', 'false')
    })
  }

  test('knows no parameter in another case', async () => {
    assert.equal((await given.client.get('/v2/queues?LIMIT=x')).status, 200)
  })

  for (const [word, detailed] of [
    ...['true', 'True', 't', 'yes', 'y', '1', 'on'].map((word) => [word, true] as const),
    ...['false', 'False', 'f', 'no', 'n', '0', 'off', ''].map((word) => [word, false] as const),
  ]) {
    test(`takes ${JSON.stringify(word)} for ${detailed}`, async () => {
      await create('jobs')
      assert.equal('metadata' in json(await given.client.get(`/v2/queues?detailed=${word}`)).queues[0], detailed)
    })
  }
})

describe('page sizes from the configuration', () => {
  const given = freshService({ OS_TRANSPORT__MAX_QUEUES_PER_PAGE: '3' })

  test('bound what may be asked for', async () => {
    assert.equal((await given.client.get('/v2/queues?limit=3')).status, 200)
    assertError(await given.client.get('/v2/queues?limit=4'), 400, 'Invalid API request', '3')
  })
})
