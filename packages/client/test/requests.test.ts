import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BadRequest,
  Conflict,
  type KeystoneAuth,
  Timeout,
  Unauthenticated,
  Unavailable,
  Unreachable,
  Zaqar,
  ZaqarError,
} from '../src/http.ts'

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | Error

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

/** A service that answers as it was told, one answer after the other. */
function scripted(...answers: readonly Answer[]): { fetch: typeof globalThis.fetch; sent: Sent[] } {
  const sent: Sent[] = []
  const fetch: typeof globalThis.fetch = async (input, { method = 'GET', headers = {}, body } = {}) => {
    sent.push({ method, url: String(input), headers: headers as Record<string, string>, body: body as string })
    const answer = answers[sent.length - 1]
    if (answer === undefined) throw new TypeError('nothing more was written')
    if (answer instanceof Error) throw answer
    const text = answer.body === undefined ? null : JSON.stringify(answer.body)
    return new Response(text, { status: answer.status, headers: answer.headers ?? {} })
  }
  return { fetch, sent }
}

const POSTED = { status: 201, body: { resources: ['/v2/queues/jobs/messages/1'] } }
const LOST = new TypeError('fetch failed')
const BUSY = { status: 503, body: { title: 'Service temporarily unavailable' }, headers: { 'Retry-After': '0' } }

function client(fetch: typeof globalThis.fetch, more: Partial<ConstructorParameters<typeof Zaqar>[0]> = {}): Zaqar {
  return new Zaqar({ url: 'http://service.test/', project: 'demo', fetch, ...more })
}

describe('a request', () => {
  test('says who asks, for which project, and where', async () => {
    const { fetch, sent } = scripted({ status: 200, body: { messages: [], links: [] } })
    const zaqar = client(fetch)
    await zaqar.queue('a b').list({ limit: 3, includeClaimed: true })
    const [{ method, url, headers } = {} as Sent] = sent
    assert.deepEqual(
      [method, url],
      // Without a marker upstream's Redis cannot list what is claimed.
      ['GET', 'http://service.test/v2/queues/a%20b/messages?marker=0&limit=3&echo=true&include_claimed=true'],
    )
    assert.equal(headers['Client-ID'], zaqar.clientId)
    assert.equal(headers['X-Project-ID'], 'demo')
  })

  test('that is lost is sent again when that is safe, a post with the same key', async () => {
    const { fetch, sent } = scripted(LOST, POSTED)
    assert.equal(await client(fetch).queue('jobs').post('a'), '1')
    const keys = sent.map(({ headers }) => headers['Idempotency-Key'])
    assert.equal(keys.length, 2)
    assert.ok(keys[0] !== undefined && keys[0] === keys[1])
  })

  test('that is lost is not sent again when it may have taken something', async () => {
    const { fetch, sent } = scripted(LOST)
    await assert.rejects(client(fetch).queue('jobs').pop(), Unreachable)
    assert.equal(sent.length, 1)
  })

  test('that could not be served is sent again, whatever it is', async () => {
    const { fetch, sent } = scripted(BUSY, BUSY, { status: 200, body: { messages: [] } })
    assert.deepEqual(await client(fetch).queue('jobs').pop(), [])
    assert.equal(sent.length, 3)
  })

  test('is given up after so many tries, and says how often the service was asked', async () => {
    const { fetch, sent } = scripted(BUSY, BUSY, BUSY)
    await assert.rejects(client(fetch, { retries: 2 }).queue('jobs').list(), Unavailable)
    assert.equal(sent.length, 3)
  })

  test('that is wrong is not sent again', async () => {
    const { fetch, sent } = scripted({ status: 409, body: { title: 'Resource conflict' } })
    await assert.rejects(client(fetch).queue('jobs').post('a'), Conflict)
    assert.equal(sent.length, 1)
  })

  test('ends with its time', async () => {
    const silent: typeof globalThis.fetch = (_input, { signal } = {}) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    await assert.rejects(client(silent, { retries: 0 }).queue('jobs').list({ timeout: 0.01 }), Timeout)
  })

  test('ends with the signal, also while it waits for another try', async () => {
    const stop = new AbortController()
    const fetch: typeof globalThis.fetch = async () => {
      setImmediate(() => stop.abort(new Error('enough')))
      return new Response(null, { status: 503, headers: { 'Retry-After': '60' } })
    }
    await assert.rejects(client(fetch).queue('jobs').list({ signal: stop.signal }), /enough/)
  })

  test('answered by something else says so', async () => {
    const fetch: typeof globalThis.fetch = async () => new Response('<html>', { status: 200 })
    const error = await client(fetch)
      .queue('jobs')
      .list()
      .catch((error: unknown) => error)
    assert.ok(error instanceof ZaqarError)
    assert.equal(error.code, 'unexpected_answer')
  })
})

test('an address that is none is an error at once', () => {
  for (const url of ['', 'localhost:8888', '/queues', 'ws://service.test']) {
    assert.throws(() => new Zaqar({ url }), ZaqarError, url)
  }
})

test('a path may stand before the version of the API, and look like one', async () => {
  for (const [url, path] of [
    ['http://service.test/queues/v2/', '/queues/v2/ping'],
    ['http://service.test/v2-messaging', '/v2-messaging/v2/ping'],
    ['http://service.test/v1.1', '/v2/ping'],
  ] as const) {
    const { fetch, sent } = scripted({ status: 204 })
    await new Zaqar({ url, fetch }).ping()
    assert.equal(sent[0]?.url, `http://service.test${path}`)
  }
})

test('a body that is no JSON is an error of who posts it, and not sent', async () => {
  const { fetch, sent } = scripted()
  await assert.rejects(client(fetch).queue('jobs').post(1n), TypeError)
  assert.equal(sent.length, 0)
})

test('a ping says whether the service answers, and whose fault it is where it cannot', async () => {
  const { fetch } = scripted({ status: 204 }, BUSY, LOST, { status: 400, body: { title: 'Invalid' } })
  const zaqar = client(fetch, { retries: 0 })
  assert.deepEqual([await zaqar.ping(), await zaqar.ping(), await zaqar.ping()], [true, false, false])
  await assert.rejects(zaqar.ping(), BadRequest)
})

test('listings end where they say so: with a page that is empty, or leads nowhere', async () => {
  const next = [{ rel: 'next', href: '/v2/queues?marker=a' }]
  const queue = { name: 'a', href: '/v2/queues/a' }
  for (const last of [
    { queues: [], links: next },
    { queues: [], links: [] },
    { queues: [{ name: 'b', href: '/v2/queues/b' }], links: [] },
  ]) {
    const { fetch, sent } = scripted(
      { status: 200, body: { queues: [queue], links: next } },
      { status: 200, body: last },
    )
    assert.equal((await Array.fromAsync(client(fetch).queues({ limit: 1 }))).length, 1 + last.queues.length)
    assert.equal(sent[1]?.url, 'http://service.test/v2/queues?limit=1&marker=a')
  }
})

test('what Redis shows again behind the first item comes once, and the listing ends', async () => {
  const message = { id: 'a', href: '/v2/queues/jobs/messages/a', ttl: 60, age: 0, body: 1 }
  const pages = (key: string, first: object, second: object) =>
    [[first], [first, second], []].map((items) => {
      const { name, id } = (items.at(-1) ?? second) as { name?: string; id?: string }
      return { status: 200, body: { [key]: items, links: [{ rel: 'next', href: `/v2/queues?marker=${name ?? id}` }] } }
    })
  const queues = client(scripted(...pages('queues', { name: 'a' }, { name: 'b' })).fetch).queues()
  assert.deepEqual(
    (await Array.fromAsync(queues)).map(({ name }) => name),
    ['a', 'b'],
  )
  const { fetch } = scripted(...pages('messages', message, { ...message, id: 'b' }))
  const messages = client(fetch).queue('jobs').messages()
  assert.deepEqual(
    (await Array.fromAsync(messages)).map(({ id }) => id),
    ['a', 'b'],
  )
})

describe('a token', () => {
  test('that is not accepted any more is renewed once', async () => {
    const { fetch, sent } = scripted({ status: 401 }, { status: 200, body: { messages: [], links: [] } })
    const given: boolean[] = []
    const token = (renew: boolean) => {
      given.push(renew)
      return renew ? 'new' : 'old'
    }
    await client(fetch, { auth: { token } }).queue('jobs').list()
    assert.deepEqual(given, [false, true])
    assert.deepEqual(
      sent.map(({ headers }) => headers['X-Auth-Token']),
      ['old', 'new'],
    )
  })

  test('that many requests have shown is renewed once for all of them', async () => {
    let tokens = 0
    const shown: string[] = []
    const fetch: typeof globalThis.fetch = async (_input, { headers } = {}) => {
      const token = (headers as Record<string, string>)['X-Auth-Token'] ?? ''
      shown.push(token)
      return token === 'token 1' ? new Response(null, { status: 401 }) : Response.json({ messages: [], links: [] })
    }
    const jobs = client(fetch, { auth: { token: () => `token ${++tokens}` } }).queue('jobs')
    await Promise.all(Array.from({ length: 10 }, () => jobs.list()))
    assert.equal(tokens, 2)
    assert.deepEqual(shown.filter((token) => token === 'token 2').length, 10)
  })

  test('that cannot be had is an error of who gives it, and asked for again by the next request', async () => {
    const { fetch } = scripted({ status: 200, body: { messages: [], links: [] } })
    let times = 0
    const token = () => {
      if (times++ === 0) throw new Error('no network')
      return 'a token'
    }
    const jobs = client(fetch, { auth: { token } }).queue('jobs')
    await assert.rejects(jobs.list(), /no network/)
    await jobs.list()
  })

  test('that is missing is an error where one is needed', async () => {
    const { fetch } = scripted({ status: 401, body: { error: { title: 'Unauthorized', message: 'no token' } } })
    await assert.rejects(new Zaqar({ url: 'http://service.test', fetch }).queue('jobs').list(), Unauthenticated)
  })

  test('that is refused twice is an error', async () => {
    const { fetch, sent } = scripted({ status: 401 }, { status: 401 })
    const error = await client(fetch, { auth: { token: () => 'bad' } })
      .queue('jobs')
      .list()
      .catch((e: unknown) => e)
    assert.equal((error as ZaqarError).code, 'unauthenticated')
    assert.equal(sent.length, 2)
  })
})

describe('Keystone', () => {
  const token = (text: string, catalog: unknown[] = []) => ({
    status: 201,
    headers: { 'X-Subject-Token': text },
    body: { token: { issued_at: '2998-12-31T00:00:00Z', expires_at: '2999-01-01T00:00:00Z', catalog } },
  })
  const endpoints = [
    { interface: 'internal', region: 'one', url: 'http://inside.test/v2' },
    { interface: 'public', region: 'two', url: 'http://elsewhere.test' },
    { interface: 'public', region: 'one', url: 'http://found.test/prefix/v2/' },
  ]

  test('gives a token for a password, and says where the service is', async () => {
    const catalog = [{ type: 'messaging', endpoints }]
    const { fetch, sent } = scripted(token('t1', catalog), { status: 200, body: { messages: [], links: [] } })
    const keystone = {
      authUrl: 'http://keystone.test/v3/',
      user: { name: 'ada' },
      password: 'secret',
      project: { name: 'demo' },
      region: 'one',
    }
    const zaqar = new Zaqar({ auth: { keystone }, fetch })
    await zaqar.queue('jobs').list()
    assert.equal(sent[0]?.url, 'http://keystone.test/v3/auth/tokens')
    assert.deepEqual(JSON.parse(sent[0]?.body ?? ''), {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'ada', domain: { name: 'Default' }, password: 'secret' } },
        },
        scope: { project: { name: 'demo', domain: { name: 'Default' } } },
      },
    })
    assert.equal(sent[1]?.url, 'http://found.test/prefix/v2/queues/jobs/messages?echo=true')
    assert.equal(sent[1]?.headers['X-Auth-Token'], 't1')
  })

  test('takes an application credential, and is asked again when its token is refused', async () => {
    const { fetch, sent } = scripted(token('t1'), { status: 401 }, token('t2'), POSTED)
    const keystone = { authUrl: 'http://keystone.test', applicationCredential: { id: 'i', secret: 's' } }
    await client(fetch, { auth: { keystone } }).queue('jobs').post('a')
    assert.deepEqual(JSON.parse(sent[0]?.body ?? ''), {
      auth: { identity: { methods: ['application_credential'], application_credential: { id: 'i', secret: 's' } } },
    })
    assert.equal(sent[3]?.headers['X-Auth-Token'], 't2')
  })

  /** What Keystone is shown. */
  async function identityFor(auth: Omit<KeystoneAuth, 'authUrl'>): Promise<Record<string, unknown>> {
    const { fetch, sent } = scripted(token('t1'), POSTED)
    await client(fetch, { auth: { keystone: { authUrl: 'http://keystone.test', ...auth } } })
      .queue('jobs')
      .post('a')
    return JSON.parse(sent[0]?.body ?? '').auth.identity
  }

  test('knows credentials and users by name, in domains by name or id', async () => {
    const secret = { name: 'worker', secret: 's' }
    const user = { name: 'ann', domainId: 'd1' }
    const byName = await identityFor({ applicationCredential: secret, user })
    assert.deepEqual(byName['application_credential'], { ...secret, user: { name: 'ann', domain: { id: 'd1' } } })
    assert.deepEqual(await identityFor({ token: 't0' }), { methods: ['token'], token: { id: 't0' } })
  })

  test('that refuses the password is asked once', async () => {
    const { fetch, sent } = scripted({ status: 401, body: { error: { title: 'Unauthorized', message: 'wrong' } } })
    const keystone = { authUrl: 'http://keystone.test', user: { name: 'ada' }, password: 'wrong' }
    await assert.rejects(client(fetch, { auth: { keystone } }).queue('jobs').list(), Unauthenticated)
    assert.equal(sent.length, 1)
  })

  test('that cannot be reached is asked again, even for what cannot be repeated: nothing was asked yet', async () => {
    const { fetch, sent } = scripted(LOST, token('t1'), { status: 200, body: { messages: [] } })
    const keystone = { authUrl: 'http://keystone.test', applicationCredential: { id: 'i', secret: 's' } }
    assert.deepEqual(await client(fetch, { auth: { keystone } }).queue('jobs').pop(), [])
    assert.equal(sent.length, 3)
  })

  test('may have another clock: a token is renewed when its life is over by that of this machine', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) })
    const life = { issued_at: '2031-01-01T00:00:00Z', expires_at: '2031-01-01T01:00:00Z' }
    const given = (text: string) => ({ status: 201, headers: { 'X-Subject-Token': text }, body: { token: life } })
    const empty = { status: 200, body: { messages: [], links: [] } }
    const { fetch, sent } = scripted(given('t1'), empty, empty, given('t2'), empty)
    const keystone = { authUrl: 'http://keystone.test', applicationCredential: { id: 'i', secret: 's' } }
    const jobs = client(fetch, { auth: { keystone } }).queue('jobs')
    await jobs.list()
    t.mock.timers.setTime(Date.UTC(2026, 0, 1, 0, 58))
    await jobs.list()
    t.mock.timers.setTime(Date.UTC(2026, 0, 1, 0, 59, 1))
    await jobs.list()
    assert.equal(sent[4]?.headers['X-Auth-Token'], 't2')
  })

  test('whose answer is none of Keystone is an error that says so', async () => {
    const keystone = { authUrl: 'http://keystone.test', applicationCredential: { id: 'i', secret: 's' } }
    const fetch: typeof globalThis.fetch = async () => new Response('<html>', { status: 201 })
    await assert.rejects(client(fetch, { auth: { keystone } }).queue('jobs').list(), /something else than Keystone/)
  })

  test('that is not there is an error that names the address', async () => {
    const keystone = { authUrl: 'http://keystone.test/elsewhere', applicationCredential: { id: 'i', secret: 's' } }
    const fetch: typeof globalThis.fetch = async () => new Response('', { status: 404 })
    const listing = client(fetch, { auth: { keystone } }).queue('jobs').list()
    await assert.rejects(listing, /gives no token: .*\(http:\/\/keystone\.test\/elsewhere\/v3\/auth\/tokens\)$/)
  })

  test('does not hold a call that is ended by a signal', async () => {
    const stop = new AbortController()
    const fetch: typeof globalThis.fetch = () => {
      setImmediate(() => stop.abort(new Error('enough')))
      return new Promise(() => undefined)
    }
    const keystone = { authUrl: 'http://keystone.test', applicationCredential: { id: 'i', secret: 's' } }
    const zaqar = client(fetch, { auth: { keystone } })
    await assert.rejects(zaqar.ping({ signal: stop.signal }), /enough/)
  })

  test('that lists no such service is an error', async () => {
    const { fetch } = scripted(token('t1'))
    const keystone = { authUrl: 'http://keystone.test', applicationCredential: { id: 'i', secret: 's' } }
    await assert.rejects(new Zaqar({ auth: { keystone }, fetch }).queue('jobs').list(), /lists no public messaging/)
  })
})

test('numbers can be kept as they came', async () => {
  const { fetch } = scripted({ status: 200, body: { messages: [{ id: '1', body: 0 }] } })
  const parse = (json: string) => JSON.parse(json.replace('"body":0', '"body":"12345678901234567890"'))
  const { messages } = await client(fetch, { parse }).queue('jobs').list()
  assert.equal(messages[0]?.body, '12345678901234567890')
})
