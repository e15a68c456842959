/** What is told over HTTP to those whose credentials do not cover a request, or end while it is under way. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { json } from '../support/answers.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'
import { waits } from '../support/settled.ts'
import { type StandInKeystone, startStandInKeystone } from '../support/stand-in-keystone.ts'
import { CLIENT_ID } from '../support/test-client.ts'

const START = Date.UTC(2026, 2, 1, 10)
const MINUTE = 60_000

/** As Keystone says it; `minutes`: how long it lives. */
const token = (id: string, minutes: number, more = {}) => ({
  expires_at: new Date(START + minutes * MINUTE).toISOString(),
  audit_ids: [id],
  user: { id },
  project: { id: 'p1' },
  ...more,
})
const access_rules = [{ service: 'messaging', method: 'GET', path: '/v2/queues/*/messages' }]
const tokens = {
  own: token('zaqar', 60),
  member: token('u1', 1),
  restricted: token('u2', 1, { application_credential: { access_rules } }),
  service: token('s1', 60, { roles: [{ name: 'service' }] }),
}
const MESSAGES = '/v2/queues/orders/messages'

describe('over HTTP', () => {
  let keystone: StandInKeystone
  let service: InProcessService
  before(async () => {
    keystone = await startStandInKeystone(tokens)
  })
  after(() => keystone.close())
  beforeEach(async () => {
    const env = { ...KEYSTONE, OS_KEYSTONE_AUTHTOKEN__AUTH_URL: keystone.url, OS_SIGNED_URL__SECRET_KEY: 'k' }
    service = await openInProcess(env)
  })
  afterEach(async () => {
    await service.close()
    assert.deepEqual(service.troubles, [])
  })

  const as = (name: string, more = {}) =>
    service.client.with({ 'X-Auth-Token': name, 'X-Project-Id': undefined, ...more })

  /** Of the holder of a signed URL that ends in a minute. */
  async function holder(methods: readonly string[]): Promise<Record<string, string>> {
    const expires = new Date(START + MINUTE).toISOString()
    const shared = json(await as('member').post('/v2/queues/orders/share', { methods, expires }))
    return {
      'x-project-id': shared.project,
      'url-methods': shared.methods.join(','),
      'url-paths': shared.paths.join(','),
      'url-expires': shared.expires,
      'url-signature': shared.signature,
    }
  }

  /** The answer to a POST whose body arrives when a minute has passed; whether it was read. */
  async function postSlowly(headers: Record<string, string>) {
    let wasRead = false
    const { status, body } = await service.handle({
      id: 'req-test',
      method: 'POST',
      target: MESSAGES,
      headers: { 'client-id': CLIENT_ID, ...headers },
      async readBody() {
        wasRead = true
        service.clock.advance(MINUTE)
        return { bytes: 28, text: '{"messages": [{"body": 1}]}' }
      },
    })
    return { status, body, wasRead }
  }

  const UNAUTHORIZED =
    '{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}'
  const NOTHING_THERE = '{"title": "404 Not Found"}'

  test('who has a restricted token learns nothing but that it is not good for this', async () => {
    assert.equal((await as('restricted').get(MESSAGES)).status, 200)
    for (const [method, target] of [
      ['POST', MESSAGES],
      ['GET', '/v2/queues/orders'],
      ['GET', '/v2/queues/not%20a%20name/stats'],
      ['GET', '/nowhere'],
      ['BREW', MESSAGES],
    ] as const) {
      const { status, text, headers } = await as('restricted', { 'Client-ID': undefined }).send(method, target)
      assert.deepEqual([status, text], [401, UNAUTHORIZED], `${method} ${target}`)
      assert.equal(headers['www-authenticate'], `Keystone uri="${keystone.url}"`)
    }
    assert.deepEqual(await postSlowly({ 'x-auth-token': 'restricted' }), {
      status: 401,
      body: UNAUTHORIZED,
      wasRead: false,
    })
  })

  test('a service may go on with what a restricted or expired token has begun', async () => {
    const passedOn = (name: string) => as(name, { 'X-Service-Token': 'service' })
    assert.equal((await passedOn('restricted').put('/v2/queues/orders')).status, 201)
    service.clock.advance(MINUTE)
    assert.equal((await as('member').get('/v2/queues')).status, 401)
    assert.equal((await passedOn('member').get('/v2/queues')).status, 200)
  })

  test('a token that ends while the body is read is good for nothing', async () => {
    const answer = await postSlowly({ 'x-auth-token': 'member' })
    assert.deepEqual(answer, { status: 401, body: UNAUTHORIZED, wasRead: true })
  })

  test('a signed URL that ends while the body is read leads nowhere; one of another method reads none', async () => {
    const other = await postSlowly(await holder(['GET']))
    assert.deepEqual(other, { status: 404, body: NOTHING_THERE, wasRead: false })
    const answer = await postSlowly(await holder(['POST']))
    assert.deepEqual(answer, { status: 404, body: NOTHING_THERE, wasRead: true })
  })

  test('a wait ends with the token, as if its time were over', async () => {
    // So that Keystone need not be asked any more.
    assert.equal((await as('member').get(MESSAGES)).status, 200)
    service.clock.advance(MINUTE - 5000)
    const claim = as('member').post('/v2/queues/orders/claims?wait=20')
    const list = as('member').get(`${MESSAGES}?wait=20`)
    assert.ok(await waits(Promise.race([claim, list])))
    service.clock.advance(4999)
    assert.ok(await waits(Promise.race([claim, list])))
    service.clock.advance(1)
    assert.equal((await claim).status, 204)
    assert.deepEqual(json(await list).messages, [])
  })
})
