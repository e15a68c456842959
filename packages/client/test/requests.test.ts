import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
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
      ['GET', 'http://service.test/v2/queues/a%20b/messages?limit=3&echo=true&include_claimed=true'],
    )
    assert.equal(headers['Client-ID'], zaqar.clientId)
    assert.equal(headers['X-Project-Id'], 'demo')
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
