import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseIsoTime } from '../../src/core/rules/iso-time.ts'
import { json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { openInProcess } from '../support/in-process.ts'
import type { TestAnswer, TestClient } from '../support/test-client.ts'

type Headers = Record<string, string | undefined>

/** What the holder of a shared URL sends. The client's own project is not sent. */
function headersOf(shared: {
  paths: string[]
  methods: string[]
  project: string
  expires: string
  signature: string
}) {
  return {
    'X-Project-Id': shared.project,
    'URL-Methods': shared.methods.join(','),
    'URL-Paths': shared.paths.join(','),
    'URL-Expires': shared.expires,
    'URL-Signature': shared.signature,
  }
}

async function share(client: TestClient, queue: string, body: object): Promise<Headers> {
  return headersOf(json(await client.post(`/v2/queues/${queue}/share`, body)))
}

/** Nothing is given away: not even that there is something. */
function assertHidden(answer: TestAnswer, about?: unknown): void {
  assert.equal(answer.status, 404, JSON.stringify(about))
  assert.equal(answer.text, '{"title": "404 Not Found"}')
}

describe('the holder of a signed URL', () => {
  const given = freshService()
  const everything = {
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    paths: ['messages', 'claims', 'subscriptions'],
  }
  const holder = async (queue: string, body: object) => given.client.with(await share(given.client, queue, body))

  test('posts, lists, claims and deletes without an account', async () => {
    const guest = await holder('orders', everything)
    assert.equal((await guest.post('/v2/queues/orders/messages', { messages: [{ body: 1 }] })).status, 201)
    const [{ href }] = json(await guest.get('/v2/queues/orders/messages?echo=true')).messages
    assert.equal((await guest.get(href)).status, 200)
    const claimed = json(await guest.post('/v2/queues/orders/claims', {})).messages[0].href
    assert.equal((await guest.delete(claimed)).status, 204)
  })

  test('lists claims where GET was signed for them, and nowhere else', async () => {
    await given.client.post('/v2/queues/orders/messages', { messages: [{ body: 1 }] })
    await given.client.post('/v2/queues/orders/claims', {})
    const guest = await holder('orders', { methods: ['GET'], paths: ['claims'] })
    assert.equal(json(await guest.get('/v2/queues/orders/claims?limit=1')).claims.length, 1)
    assertHidden(await guest.get('/v2/queues/others/claims'))
    const worker = await holder('orders', { methods: ['POST', 'PATCH', 'DELETE'], paths: ['messages', 'claims'] })
    assertHidden(await worker.get('/v2/queues/orders/claims'))
  })

  test('confirms subscriptions where PUT was signed for them', async () => {
    const made = await given.client.post('/v2/queues/orders/subscriptions', {
      subscriber: 'http://192.0.2.1/',
      ttl: 60,
    })
    const { subscription_id: id } = json(made)
    const guest = await holder('orders', { methods: ['PUT'], paths: ['subscriptions'] })
    const answer = await guest.put(`/v2/queues/orders/subscriptions/${id}/confirm`, { confirmed: true })
    assert.equal(answer.status, 204)
  })

  test('may name methods and paths in any order, and the expiry in any spelling', async () => {
    const headers = await share(given.client, 'orders', everything)
    const spelt = {
      ...headers,
      'URL-Methods': headers['URL-Methods']?.split(',').reverse().join(','),
      'URL-Paths': headers['URL-Paths']?.split(',').reverse().join(','),
      'URL-Expires': '2026-03-02T11:00:00.9+01:00',
    }
    assert.equal((await given.client.with(spelt).get('/v2/queues/orders/messages')).status, 200)
  })

  test('needs a Client-ID, is not bothered by a token', async () => {
    const headers = await share(given.client, 'orders', {})
    const answer = await given.client.with({ ...headers, 'Client-ID': undefined }).get('/v2/queues/orders/messages')
    assert.deepEqual([answer.status, json(answer).title], [400, 'Missing header value'])
    const other = await given.client.with({ ...headers, 'X-Auth-Token': 'junk' }).get('/v2/queues/orders/messages')
    assert.equal(other.status, 200)
  })

  test('is told of the signature before anything else', async () => {
    const headers = { 'URL-Signature': 'x', 'Client-ID': undefined, Accept: 'text/html' }
    assert.equal((await given.client.with(headers).get('/v2/queues/orders/messages')).status, 404)
  })

  test('reaches nothing else of the queue, of the project or of the service', async () => {
    const guest = await holder('orders', everything)
    for (const [method, path] of [
      ['GET', '/v2/queues/orders'],
      ['PUT', '/v2/queues/orders'],
      ['DELETE', '/v2/queues/orders'],
      ['GET', '/v2/queues/orders/stats'],
      ['POST', '/v2/queues/orders/purge'],
      ['POST', '/v2/queues/orders/share'],
      ['POST', '/v2/queues/orders/redrive'],
      ['GET', '/v2/queues'],
      ['GET', '/v2/queues/other/messages'],
      ['GET', '/v2/queues/orders2/messages'],
      ['GET', '/v2/topics/orders/messages'],
      ['GET', '/v1/queues/orders/messages'],
      ['GET', '/v1.1/queues/orders/messages'],
      ['GET', '/v2/ping'],
      ['GET', '/v2/'],
      ['GET', '/v2/health'],
      ['GET', '/'],
      ['GET', '/v2/queues/orders/messages/../../other/messages'],
      ['GET', '/v2/queues/orders/messages%2f..%2f..%2fother/messages'],
      ['GET', '//v2/queues/orders/messages'],
      ['HEAD', '/v2/queues/orders/messages'],
    ] as const) {
      const answer = await guest.send(method, path)
      assert.equal(answer.status, 404, `${method} ${path}`)
    }
  })

  test('does not reach a queue whose name a dot would match', async () => {
    const guest = await holder('a.b', {})
    assert.equal((await guest.get('/v2/queues/a.b/messages')).status, 200)
    assertHidden(await guest.get('/v2/queues/aXb/messages'))
  })

  test('has no methods that were not signed', async () => {
    const guest = await holder('orders', {})
    assertHidden(await guest.post('/v2/queues/orders/messages', { messages: [{ body: 1 }] }))
    assertHidden(await guest.delete('/v2/queues/orders/messages?pop=1'))
    const lower = await holder('orders', { methods: ['get'] })
    assertHidden(await lower.get('/v2/queues/orders/messages'))
  })

  test('has until the signed instant, and not a moment longer', async () => {
    const guest = await holder('orders', { expires: '2026-03-01T10:00:05' })
    given.pass(4.999)
    assert.equal((await guest.get('/v2/queues/orders/messages')).status, 200)
    given.pass(0.001)
    assertHidden(await guest.get('/v2/queues/orders/messages'))
  })

  test('cannot come as administrator by saying so', async () => {
    const service = await openInProcess({}, {}, { files: policyFile('messages:get_all: "role:auditor"') })
    const headers = await share(service.client, 'orders', {})
    const denied = await service.client
      .with({ ...headers, 'X-Roles': 'auditor,admin' })
      .get('/v2/queues/orders/messages')
    assert.deepEqual([denied.status, json(denied).title], [403, 'Not authorized'])
    const allowed = await service.client.with({ 'X-Roles': 'auditor' }).get('/v2/queues/orders/messages')
    assert.equal(allowed.status, 200)
    await service.close()
  })
})

function policyFile(content: string) {
  const only = (path: string) => (path.endsWith('/policy.yaml') ? content : null)
  return { readFile: only, stamp: only, listFolder: () => null }
}

describe('a signature that is not right never lets anybody in:', () => {
  const given = freshService()
  const attacks: Record<string, (good: Record<string, string>) => Headers> = {
    'it is empty': () => ({ 'URL-Signature': '' }),
    'it is blank': () => ({ 'URL-Signature': ' ' }),
    'it stands alone': ({ 'URL-Signature': signature }) => ({
      'URL-Signature': signature,
      'URL-Methods': undefined,
      'URL-Paths': undefined,
      'URL-Expires': undefined,
    }),
    'it is empty and everything else is missing': () => ({
      'URL-Signature': '',
      'URL-Methods': undefined,
      'URL-Paths': undefined,
      'URL-Expires': undefined,
    }),
    'it is empty beside EXTRA-SPEC': () => ({ 'URL-Signature': '', 'EXTRA-SPEC': 'messagecode:1' }),
    'it is wrong beside EXTRA-SPEC': () => ({ 'URL-Signature': '0'.repeat(64), 'EXTRA-SPEC': '' }),
    'it is in capitals': ({ 'URL-Signature': signature }) => ({ 'URL-Signature': signature?.toUpperCase() }),
    'it is there twice': ({ 'URL-Signature': signature }) => ({ 'URL-Signature': `${signature}, ${signature}` }),
    'it is there twice, once empty': ({ 'URL-Signature': signature }) => ({ 'URL-Signature': `${signature}, ` }),
    'it is cut': ({ 'URL-Signature': signature }) => ({ 'URL-Signature': signature?.slice(0, 63) }),
    'it is of another project': () => ({ 'X-Project-Id': 'victim' }),
    'the project is missing': () => ({ 'X-Project-Id': undefined }),
    'the project is empty': () => ({ 'X-Project-Id': '' }),
    'the project is there twice': () => ({ 'X-Project-Id': 'p1, victim' }),
    'the legacy project differs': () => ({ 'X-Project-Id': undefined, 'X-Tenant-Id': 'victim' }),
    'a method is added': () => ({ 'URL-Methods': 'GET,POST' }),
    'a method is added by a second header': () => ({ 'URL-Methods': 'GET, POST' }),
    'a method is repeated': () => ({ 'URL-Methods': 'GET,GET' }),
    'the methods are missing': () => ({ 'URL-Methods': undefined }),
    'the methods are in lower case': () => ({ 'URL-Methods': 'get' }),
    'a path is added': ({ 'URL-Paths': paths }) => ({ 'URL-Paths': `${paths},/v2/queues/victim/messages` }),
    'the path is wider': () => ({ 'URL-Paths': '/v2/queues/orders' }),
    'the path is everything': () => ({ 'URL-Paths': '/' }),
    'the path is a pattern': () => ({ 'URL-Paths': '.*' }),
    'the path is empty': () => ({ 'URL-Paths': '' }),
    'the paths are missing': () => ({ 'URL-Paths': undefined }),
    'the paths hold an open bracket': () => ({ 'URL-Paths': '/v2/queues/orders/messages[' }),
    'the end is later': () => ({ 'URL-Expires': '2099-01-01T00:00:00' }),
    'the end is past': () => ({ 'URL-Expires': '2020-01-01T00:00:00' }),
    'the end is missing': () => ({ 'URL-Expires': undefined }),
    'the end is no date': () => ({ 'URL-Expires': 'never' }),
    'the end moves into the project': () => ({
      'X-Project-Id': 'p1\\n2026-03-02T10:00:00',
      'URL-Expires': '2099-01-01T00:00:00',
    }),
  }
  for (const [name, change] of Object.entries(attacks)) {
    test(name, async () => {
      await given.client.put('/v2/queues/orders')
      const good = (await share(given.client, 'orders', {})) as Record<string, string>
      const attacker = given.client.with({ ...good, ...change(good) })
      for (const path of ['/v2/queues/orders/messages', '/v2/queues', '/v2/queues/victim/messages', '/', '/v2/ping']) {
        assertHidden(await attacker.get(path), path)
      }
    })
  }

  test('whatever is altered', async () => {
    const signed = (await share(given.client, 'orders', { methods: ['GET', 'DELETE'] })) as Record<string, string>
    const header = fc.constantFrom('URL-Signature', 'URL-Methods', 'URL-Paths', 'URL-Expires', 'X-Project-Id')
    const edit = fc.tuple(header, fc.nat({ max: 80 }), fc.nat({ max: 2 }), fc.stringMatching(/^[ -~]{0,3}$/))
    const method = fc.constantFrom('GET', 'DELETE', 'POST', 'PUT', 'PATCH', 'get')
    const path = fc.constantFrom(
      '/v2/queues/orders/messages',
      '/v2/queues/orders',
      '/v2/queues/orders/claims',
      '/v2/queues/o/messages',
    )
    await fc.assert(
      fc.asyncProperty(edit, method, path, async ([name, at, cut, text], method, target) => {
        const value = signed[name] as string
        const changed = (value.slice(0, at) + text + value.slice(at + cut)).trim()
        const attacker = given.client.with({ ...signed, [name]: changed })
        const answer = await attacker.send(method, `${target}?ids=x`)
        const isSame = changed === value || (name === 'URL-Methods' && changed === 'GET,DELETE')
        // Other spellings of the same instant are as good.
        const isSameInstant = name === 'URL-Expires' && parseIsoTime(changed) === parseIsoTime(value)
        const isCovered = ['GET', 'DELETE'].includes(method) && target === '/v2/queues/orders/messages'
        if ((isSame || isSameInstant) && isCovered) return
        assertHidden(answer, { name, changed, method, target })
      }),
      { numRuns: 1500 },
    )
  })
})

describe('keys for signed URLs', () => {
  test('are rotated: what the key before has signed stays good until that is taken away', async () => {
    const before = await openInProcess({ OS_SIGNED_URL__SECRET_KEY: 'one, with a comma' })
    const headers = await share(before.client, 'orders', {})
    await before.close()
    const use = async (env: Record<string, string>) => {
      const service = await openInProcess(env)
      const answer = await service.client.with(headers).get('/v2/queues/orders/messages')
      await service.close()
      return answer.status
    }
    const two = { OS_SIGNED_URL__SECRET_KEY: 'two' }
    assert.equal(await use({ ...two, OS_SIGNED_URL__PREVIOUS_SECRET_KEYS: 'zero\none, with a comma' }), 200)
    assert.equal(await use(two), 404)
  })
})
