import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { CLIENT_ID, type TestAnswer } from '../support/test-client.ts'

function assertNotFound(answer: TestAnswer): void {
  assert.equal(answer.status, 404)
  assert.equal(answer.text, '{"title": "404 Not Found"}')
  assert.equal(answer.headers['content-type'], 'application/json')
}

describe('routes', () => {
  const given = freshService()

  const unknown = [
    '/v2',
    '/v3/',
    '/V2/queues',
    '/v2/Queues',
    '/v2//queues',
    '//v2/queues',
    '/queues',
    '/v2/queues/q/',
    '/v2/queues/q/metadata',
  ]
  for (const path of [
    ...unknown,
    '/v2/nothing',
    '/v2/queues/q/claims/c/more',
    '/v2/ping/',
    '//',
    '/v2/queues/q%2Fr',
    '/v2%00',
  ]) {
    test(`${path} is no route, whatever the headers`, async () => {
      assertNotFound(await given.client.get(path))
      assertNotFound(await given.client.with({ 'Client-ID': undefined, 'X-Project-Id': '' }).get(path))
    })
  }

  test('%2F separates, because paths are decoded before they are routed', async () => {
    assert.equal((await given.client.get('/v2%2Fqueues')).status, 200)
    assert.equal((await given.client.get('/v2/queues/q%2Fstats')).status, 200)
  })

  test('a percent escape in a name is decoded', async () => {
    assert.equal((await given.client.put('/v2/queues/%6a%6Fbs')).headers['location'], '/v2/queues/jobs')
  })

  for (const path of ['/v2/queues/', '/v2/queues//messages', '/v2/queues//stats']) {
    test(`${path} has an empty queue name`, async () => {
      assertError(await given.client.get(path), 400, 'Invalid queue identification')
    })
  }

  test('the path of messages with a slash names a message with an empty id', async () => {
    await given.client.put('/v2/queues/jobs')
    assertError(await given.client.get('/v2/queues/jobs/messages/'), 404, 'Not found', 'jobs', 'p1')
  })
})

describe('Client-ID', () => {
  const given = freshService()
  const digits = CLIENT_ID.replaceAll('-', '')

  for (const path of ['/v2/', '/v2/ping', '/v2/queues', '/v2/queues/jobs/messages']) {
    test(`is needed for ${path}`, async () => {
      const answer = await given.client.with({ 'Client-ID': undefined }).get(path)
      assertError(answer, 400, 'Missing header value', 'Client-ID')
    })
  }

  const malformed = [
    '',
    'me',
    digits.slice(1),
    `${digits}0`,
    `g${digits.slice(1)}`,
    `${CLIENT_ID}, ${CLIENT_ID}`,
    'urn:uuid:',
    `-{${CLIENT_ID}}-`,
    '{'.repeat(31_000),
    `{${'-'.repeat(200)}${CLIENT_ID}}`,
  ]
  for (const id of malformed) {
    test(`${JSON.stringify(id.slice(0, 60))} is malformed`, async () => {
      const answer = await given.client.with({ 'Client-ID': id }).get('/v2/queues')
      assertError(answer, 400, 'Wrong UUID value', 'Malformed hexadecimal UUID.')
    })
  }

  const spellings = [
    digits,
    digits.toUpperCase(),
    `{${CLIENT_ID}}`,
    `urn:uuid:${CLIENT_ID}`,
    `3-3-8-1${digits.slice(4)}`,
    `{{urn:urn:uuid:-${digits}--}}}`,
    `${'{'.repeat(168)}${digits}`,
  ]
  for (const id of spellings) {
    test(`${id} is the same client`, async () => {
      await given.post('jobs', { body: 1 })
      const listed = await given.client.with({ 'Client-ID': id }).get('/v2/queues/jobs/messages')
      assert.deepEqual(json(listed), { messages: [], links: [] })
    })
  }
})

describe('Client-ID of any form', () => {
  const given = freshService({ OS_TRANSPORT__CLIENT_ID_UUID_SAFE: 'off' })

  for (const id of ['ten-letter', 'a client with 36 characters in its id'.slice(0, 36)]) {
    test(`${JSON.stringify(id)} is taken`, async () => {
      assert.equal((await given.client.with({ 'Client-ID': id }).get('/v2/queues')).status, 200)
    })
  }

  for (const id of ['too-short', 'x'.repeat(37), '']) {
    test(`${JSON.stringify(id)} has no fitting length`, async () => {
      assertError(await given.client.with({ 'Client-ID': id }).get('/v2/queues'), 400, 'Wrong UUID value')
    })
  }

  test('a client of that kind can post and does not see its own messages', async () => {
    const client = given.client.with({ 'Client-ID': 'worker number 1' })
    await client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })
    assert.equal(json(await client.get('/v2/queues/jobs/messages')).messages.length, 0)
    const other = client.with({ 'Client-ID': 'worker number 2' })
    assert.equal(json(await other.get('/v2/queues/jobs/messages')).messages.length, 1)
  })
})

describe('the project', () => {
  const given = freshService()

  test('is needed', async () => {
    const answer = await given.client.with({ 'X-Project-Id': undefined }).get('/v2/queues')
    assertError(answer, 400, 'Project-Id Missing', 'The header X-PROJECT-ID was missing')
  })

  test('may not be empty', async () => {
    const answer = await given.client.with({ 'X-Project-Id': '' }).get('/v2/queues')
    assertError(answer, 400, 'Empty project header not allowed', 'X-PROJECT-ID')
  })

  test('is judged after Client-ID', async () => {
    const answer = await given.client.with({ 'Client-ID': 'x', 'X-Project-Id': undefined }).get('/v2/queues')
    assertError(answer, 400, 'Wrong UUID value')
  })

  test('is taken from X-Tenant-Id where it is missing', async () => {
    await given.client.put('/v2/queues/jobs')
    const legacy = given.client.with({ 'X-Project-Id': undefined, 'X-Tenant-Id': 'p1' })
    assert.equal(json(await legacy.get('/v2/queues')).queues.length, 1)
  })

  test('may have any characters', async () => {
    for (const project of ['a b', 'p/1', "p'; DROP TABLE queues; --", 'p.1', '%', 'é']) {
      const client = given.client.with({ 'X-Project-Id': project })
      assert.equal((await client.put('/v2/queues/jobs')).status, 201, project)
      assert.equal(json(await client.get('/v2/queues')).queues.length, 1, project)
    }
  })

  test('is at most 256 characters long on routes with a queue', async () => {
    const client = (length: number) => given.client.with({ 'X-Project-Id': 'p'.repeat(length) })
    assert.equal((await client(256).put('/v2/queues/jobs')).status, 201)
    assertError(await client(257).put('/v2/queues/jobs'), 400, 'Invalid queue identification')
    assert.equal((await client(257).get('/v2/queues')).status, 200)
  })
})

describe('queue names', () => {
  const given = freshService()

  for (const name of ['a', 'A-z_0.9', '.', '..', '-', '0', 'x'.repeat(64)]) {
    test(`${name} is one`, async () => {
      assert.equal((await given.client.put(`/v2/queues/${name}`)).status, 201)
    })
  }

  const bad = [
    'x'.repeat(65),
    'a%20b',
    'a%0A',
    '%C3%A9',
    'a%00',
    'a+b',
    'a*b',
    'a~b',
    'a%zz',
    '%',
    'a%3Fb',
    'a%23b',
    'a,b',
    'a:b',
  ]
  for (const name of bad) {
    test(`${name} is none, for any method`, async () => {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'POST']) {
        assertError(await given.client.send(method, `/v2/queues/${name}`), 400, 'Invalid queue identification')
      }
      assertError(await given.client.get(`/v2/queues/${name}/messages`), 400, 'Invalid queue identification')
      assertError(await given.client.post(`/v2/queues/${name}/claims`), 400, 'Invalid queue identification')
    })
  }
})

describe('Accept', () => {
  const given = freshService()

  const admitting = [
    '',
    '*/*',
    'application/*',
    'application/json',
    'application/json; charset=utf-8',
    'text/html, */*;q=0.1',
  ]
  for (const accept of [...admitting, 'text/html;q=0.9, application/json;q=0.2', 'APPLICATION/JSON']) {
    test(`${JSON.stringify(accept)} admits JSON`, async () => {
      assert.equal((await given.client.get('/v2/queues', { headers: { Accept: accept } })).status, 200)
    })
  }

  const refusing = [
    'application/json;q=0',
    'application/json; q=0',
    'application/json ;\tq =0',
    'application/json; charset=utf-8 ; q=0.000',
    'application/json;q=0, */*',
    'application/vnd.x+json',
    'text/html,'.repeat(100),
  ]
  for (const accept of refusing) {
    test(`${accept} is refused in JSON or not at all`, async () => {
      const answer = await given.client.get('/v2/queues', { headers: { Accept: accept } })
      assert.equal(answer.status, 406)
    })
  }

  test('a header of more than 1,000 characters is as good as none', async () => {
    const Accept = `application/json;q=0,${'text/html,'.repeat(100)}`
    assert.equal((await given.client.get('/v2/queues', { headers: { Accept } })).status, 200)
    const refused = await given.client.get('/v2/queues?limit=0', { headers: { Accept } })
    assertError(refused, 400, 'Invalid API request')
  })

  test('a client that wants some other JSON reads why in JSON', async () => {
    const answer = await given.client.get('/v2/queues', { headers: { Accept: 'application/hal+json' } })
    assert.equal(answer.status, 406)
    const { title, description, link } = json(answer)
    assert.equal(title, '406 Not Acceptable')
    assert.match(description, /application\/json.*Accept/)
    assert.deepEqual(Object.keys(link), ['text', 'href', 'rel'])
    assert.equal(link.rel, 'help')
    assert.equal(answer.headers['vary'], 'Accept')
  })

  test('a client that takes only XML reads why in XML', async () => {
    const answer = await given.client.get('/v2/queues', { headers: { Accept: 'text/xml, application/xml' } })
    assert.equal(answer.status, 406)
    assert.equal(answer.headers['content-type'], 'application/xml')
    assert.match(answer.text, /<error><title>406 Not Acceptable<\/title><description>[^<]+<\/description>.*<\/error>$/)
  })

  test('a client that takes only HTML reads nothing', async () => {
    const answer = await given.client.get('/v2/queues', { headers: { Accept: 'text/html' } })
    assert.equal(answer.status, 406)
    assert.equal(answer.text, '')
    assert.equal(answer.headers['content-type'], 'application/json')
  })

  test('is judged before Client-ID, and not at all where there is no route', async () => {
    const client = given.client.with({ 'Client-ID': undefined, Accept: 'text/html' })
    assert.equal((await client.get('/v2/queues')).status, 406)
    assert.equal((await client.get('/v2/nothing')).status, 404)
  })
})

describe('the type of a body', () => {
  const given = freshService()
  const form = 'application/x-www-form-urlencoded'

  test('does not matter', async () => {
    for (const type of ['text/plain', 'application/xml', 'nonsense', undefined, `${form}; charset=utf-8`]) {
      const answer = await given.client.post(
        '/v2/queues/jobs/messages',
        { messages: [{ body: 1 }] },
        { headers: { 'Content-Type': type } },
      )
      assert.equal(answer.status, 201, String(type))
    }
  })

  test('may not be that of a form, even of an empty one', async () => {
    const wrong = [
      [form, '{}'],
      [form, ''],
      ['APPLICATION/X-WWW-Form-URLencoded', '{}'],
    ]
    for (const [type, body] of wrong) {
      for (const method of ['GET', 'PUT', 'POST']) {
        const answer = await given.client.send(method, '/v2/queues/jobs', body, { headers: { 'Content-Type': type } })
        assertError(answer, 400, 'Invalid Content-Type')
      }
    }
  })

  test('may be that of a form when there is no body', async () => {
    assert.equal(
      (await given.client.put('/v2/queues/jobs', undefined, { headers: { 'Content-Type': form } })).status,
      201,
    )
  })

  test('is judged before Accept', async () => {
    const headers = { 'Content-Type': form, Accept: 'text/html' }
    assert.equal((await given.client.put('/v2/queues/jobs', '{}', { headers })).status, 400)
  })
})

describe('methods', () => {
  const given = freshService()

  const allowed = {
    '/v2/': 'GET',
    '/v2/ping': 'GET, HEAD',
    '/v2/queues': 'GET',
    '/v2/queues/jobs': 'DELETE, GET, PATCH, PUT',
    '/v2/queues/jobs/stats': 'GET',
    '/v2/queues/jobs/purge': 'POST',
    '/v2/queues/jobs/messages': 'DELETE, GET, POST',
    '/v2/queues/jobs/messages/m': 'DELETE, GET',
    '/v2/queues/jobs/claims': 'GET, POST',
    '/v2/queues/jobs/claims/c': 'DELETE, GET, PATCH',
  }
  for (const [path, methods] of Object.entries(allowed)) {
    test(`of ${path} are ${methods}`, async () => {
      const options = await given.client.send('OPTIONS', path)
      assert.equal(options.status, 200)
      assert.equal(options.text, '')
      assert.equal(options.headers['allow'], methods)
      for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'TRACE']) {
        if (methods.split(', ').includes(method)) continue
        const answer = await given.client.send(method, path)
        assert.equal(answer.status, 405, method)
        assert.equal(answer.headers['allow'], `${methods}, OPTIONS`)
        assert.equal(answer.headers['vary'], 'Accept')
        assert.equal(answer.text, '{"title": "405 Method Not Allowed"}')
      }
    })
  }

  test('HEAD of a queue is refused, which python-zaqarclient takes for its existence', async () => {
    assert.equal((await given.client.send('HEAD', '/v2/queues/jobs')).status, 405)
  })

  test('one that does not exist is no method', async () => {
    assertError(await given.client.send('QUERY', '/v2/queues'), 400, 'Bad request')
  })

  test('are judged after headers and name', async () => {
    assert.equal((await given.client.with({ 'Client-ID': undefined }).send('POST', '/v2/queues')).status, 400)
    assert.equal((await given.client.with({ 'X-Project-Id': undefined }).send('QUERY', '/v2/queues')).status, 400)
    assertError(await given.client.send('POST', '/v2/queues/a%20b'), 400, 'Invalid queue identification')
  })

  test('OPTIONS never fails, but says nothing where anything is wrong', async () => {
    const wrong = [
      await given.client.send('OPTIONS', '/v2/nothing'),
      await given.client.send('OPTIONS', '/v2/queues/a%20b'),
      await given.client.with({ 'Client-ID': undefined }).send('OPTIONS', '/v2/queues'),
      await given.client.with({ 'X-Project-Id': undefined }).send('OPTIONS', '/v2/queues'),
      await given.client.with({ Accept: 'text/html' }).send('OPTIONS', '/v2/queues'),
    ]
    for (const { status, headers, text } of wrong)
      assert.deepEqual({ status, headers, text }, { status: 200, headers: {}, text: '' })
  })
})

describe('errors', () => {
  const given = freshService()

  test('are in XML for who takes only that, and well-formed whatever they quote', async () => {
    const client = given.client.with({ Accept: 'application/xml', 'X-Project-Id': '<&\u0001>' })
    const answer = await client.get('/v2/nothing')
    assert.equal(answer.headers['content-type'], 'application/xml')
    assert.match(answer.text, /<error><title>404 Not Found<\/title><\/error>$/)
  })
})
