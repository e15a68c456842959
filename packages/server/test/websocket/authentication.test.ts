/** Who asks over a WebSocket, and what it may ask. (contract websocket.md 5) */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createUrlSigner } from '../../src/core/rules/signature.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'
import { RawSocket } from '../support/raw-socket.ts'
import { CALLER, type SocketClient } from '../support/socket-client.ts'
import { type SocketService, socketServices } from '../support/socket-service.ts'
import { type StandInKeystone, startStandInKeystone } from '../support/stand-in-keystone.ts'
import { until } from '../support/until.ts'

const START = Date.UTC(2026, 2, 1, 10)
const MINUTE = 60_000

/** As Keystone says it; `minutes`: how long it lives. */
const token = (id: string, minutes: number, project = 'p') => ({
  expires_at: new Date(START + minutes * MINUTE).toISOString(),
  audit_ids: [id],
  user: { id: 'u' },
  project: { id: project },
})
const tokens = {
  own: token('zaqar', 600),
  short: token('t1', 1),
  long: token('t2', 60),
  other: token('t3', 60, 'other'),
}
const KEY = 'k'
const REFUSED = { status: 403, body: { error: 'Not authentified.' } }
const AUTHENTIFIED = { status: 200, body: { message: 'Authentified.' } }
const post = (queue_name: string) => ({ queue_name, messages: [{ body: 1, ttl: 300 }] })

const start = socketServices()
let keystone: StandInKeystone
let env: Record<string, string>
let service: SocketService

before(async () => {
  keystone = await startStandInKeystone(tokens)
  env = {
    ...KEYSTONE,
    OS_KEYSTONE_AUTHTOKEN__AUTH_URL: keystone.url,
    OS_SIGNED_URL__SECRET_KEY: KEY,
    // Clients have no time to answer where the clock is moved.
    OS_DRIVERS_TRANSPORT_WEBSOCKET__PING_INTERVAL: '3600',
  }
})
after(() => keystone.close())

const authenticate = (client: SocketClient, name: string) => client.ask('authenticate', {}, { 'X-Auth-Token': name })

/** Headers of a frame that are good for this, for a minute. */
function signed(queue: string, methods: readonly string[], project = 'p'): Record<string, unknown> {
  const paths = [`/v2/queues/${queue}/messages`]
  const expires = new Date(START + MINUTE).toISOString().slice(0, 19)
  return {
    'URL-Signature': createUrlSigner([KEY]).sign({ paths, methods, project, expires }),
    'URL-Methods': methods,
    'URL-Paths': paths,
    'URL-Expires': expires,
    'X-Project-ID': project,
  }
}

describe('with Keystone, a connection', () => {
  beforeEach(async () => {
    service = await start(env)
  })

  test('may ask for nothing before it is authenticated, and for everything right behind the frame that does it', async () => {
    const client = await service.connect()
    for (const [action, body] of [
      ['message_post', post('orders')],
      ['claim_create', { queue_name: 'orders' }],
      ['subscription_create', { queue_name: 'orders' }],
      ['ping_node', {}],
    ] as const) {
      assert.deepEqual(await client.ask(action, body, { 'X-Auth-Token': 'long' }), REFUSED)
    }
    client.send('authenticate', {}, { 'X-Auth-Token': 'long' })
    client.send('message_post', post('orders'))
    assert.equal((await client.next()).headers.status, 200)
    assert.equal((await client.next()).headers.status, 201)
  })

  test('is told which action there is none of, and what is wrong with a request, before who asks is looked at', async () => {
    const client = await service.connect()
    assert.equal((await client.ask('nothing')).status, 400)
    assert.equal((await client.ask('message_post', {})).status, 400)
  })

  test('keeps its identity where a second token is not accepted', async () => {
    const client = await service.connect()
    assert.deepEqual(await authenticate(client, 'long'), AUTHENTIFIED)
    const refused = { status: 401, body: { error: 'Authentication failed.' } }
    assert.deepEqual(await authenticate(client, 'nobody'), refused)
    assert.equal((await client.ask('queue_create', { queue_name: 'orders' })).status, 201)
  })

  test('does not show the token in the answer', async () => {
    const client = await service.connect()
    client.send('authenticate', {}, { 'X-Auth-Token': 'long' })
    assert.deepEqual((await client.next()).request, { action: 'authenticate', body: {}, headers: {}, api: 'v2' })
  })

  test('acts in the project of its token only', async () => {
    const client = await service.connect()
    // The project of this frame is of no effect.
    assert.deepEqual(
      await client.ask('authenticate', {}, { 'X-Auth-Token': 'other', 'X-Project-ID': 'p' }),
      AUTHENTIFIED,
    )
    const body = { queue_name: 'orders' }
    assert.deepEqual(await client.ask('queue_create', body), { status: 403, body: { error: 'Not authenticated.' } })
    assert.equal((await client.ask('queue_create', body, { 'X-Project-ID': 'other' })).status, 201)
  })

  test('ignores signatures once it is authenticated', async () => {
    const client = await service.connect()
    await authenticate(client, 'long')
    assert.equal((await client.ask('queue_create', { queue_name: 'a' }, signed('b', ['GET']))).status, 201)
  })

  test('is closed with 4003 when its token ends', async () => {
    const client = await service.connect()
    await authenticate(client, 'short')
    service.clock.advance(MINUTE - 1_000)
    assert.equal((await client.ask('queue_list')).status, 200)
    service.clock.advance(1_000)
    assert.deepEqual(await client.closed, { code: 4003, reason: 'Authentication expired.' })
  })

  test('lives on with a new token, and with it what is pushed', async () => {
    const client = await service.connect()
    await authenticate(client, 'short')
    assert.equal((await client.ask('subscription_create', { queue_name: 'orders' })).status, 201)
    assert.deepEqual(await authenticate(client, 'long'), AUTHENTIFIED)
    for (let seconds = 0; seconds < 120; seconds++) service.clock.advance(1_000)
    client.send('message_post', post('orders'))
    const documents = [await client.next(), await client.next()]
    assert.ok(documents.some(({ Message_Type: type }) => type === 'Notification'))
  })

  test('has no identity from the headers or the query of its upgrade', async () => {
    const headers = { 'X-Auth-Token': 'long', 'X-Project-ID': 'p' }
    const client = await service.connect({ path: '/v2?auth_token=long' })
    assert.deepEqual(await client.ask('queue_list', {}, headers), REFUSED)
  })
})

test('a token in the query of the upgrade authenticates where that is allowed', async () => {
  const service = await start({ ...env, OS_HTTP__CREDENTIALS_IN_QUERY: 'true' })
  const client = await service.connect({ path: '/?auth_token=long' })
  assert.equal((await client.ask('queue_create', { queue_name: 'orders' })).status, 201)
  assert.equal(await statusOf(service, 'auth_token=nobody'), 401)
})

test('an upgrade whose query shows what is not accepted is refused, and so is one that Keystone cannot judge', async () => {
  const open = { OS_HTTP__CREDENTIALS_IN_QUERY: 'true' }
  const service = await start({ ...env, ...open })
  assert.equal(await statusOf(service, 'url_signature=00&project_id=p'), 401)
  const alone = await start({ ...KEYSTONE, ...open })
  assert.equal(await statusOf(alone, 'auth_token=long'), 503)
  assert.equal(alone.troubles.length, 1)
  ;(alone.troubles as unknown[]).length = 0
})

/** What a request for an upgrade with this query is answered. */
async function statusOf({ port }: SocketService, query: string): Promise<number | undefined> {
  const socket = await RawSocket.connect(port)
  const head = ['Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  await socket.write(
    [`GET /?${query} HTTP/1.1`, ...head, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n'),
  )
  const answer = await socket.answer()
  socket.destroy()
  return answer?.status
}

test('a signature in the query of the upgrade is good for what it is good for, and only that', async () => {
  const service = await start({ ...env, OS_HTTP__CREDENTIALS_IN_QUERY: 'true' })
  const { 'URL-Signature': signature, 'URL-Methods': methods, ...terms } = signed('orders', ['GET', 'POST'])
  const query = new URLSearchParams({
    url_signature: String(signature),
    url_methods: String(methods),
    url_paths: String(terms['URL-Paths']),
    url_expires: String(terms['URL-Expires']),
    project_id: 'p',
  })
  const client = await service.connect({ path: `/?${query}` })
  assert.equal((await client.ask('message_post', post('orders'))).status, 201)
  assert.deepEqual(await client.ask('message_post', post('others')), REFUSED)
  assert.equal((await client.ask('message_post', post('orders'), { 'X-Project-ID': 'other' })).status, 403)
  // Its own counts.
  assert.equal((await client.ask('message_post', post('others'), signed('others', ['POST']))).status, 201)
})

test('Keystone that does not answer is told apart, and the operator hears of it', async () => {
  const service = await start(KEYSTONE)
  const client = await service.connect()
  assert.deepEqual(await authenticate(client, 'long'), { status: 503, body: { error: 'Authentication failed.' } })
  assert.equal(service.troubles.length, 1)
  ;(service.troubles as unknown[]).length = 0
})

describe('a signed frame', () => {
  beforeEach(async () => {
    service = await start(env)
  })

  test('is good for its methods and its queue, alone, and leaves the connection unauthenticated', async () => {
    const client = await service.connect()
    assert.equal((await client.ask('message_post', post('orders'), signed('orders', ['POST']))).status, 201)
    const listed = await client.ask('message_list', { queue_name: 'orders', echo: true }, signed('orders', ['GET']))
    assert.equal(listed.body.messages.length, 1)
    assert.deepEqual(await client.ask('message_post', post('orders'), signed('orders', ['GET'])), REFUSED)
    for (const action of ['queue_delete', 'subscription_list', 'claim_create', 'queue_purge']) {
      const body = { queue_name: 'orders', resource_types: ['messages'] }
      assert.deepEqual(await client.ask(action, body, signed('orders', ['GET', 'POST', 'DELETE'])), REFUSED)
    }
    assert.deepEqual(await client.ask('message_post', post('orders')), REFUSED)
  })

  test('is refused for another queue than the signed one', async () => {
    const client = await service.connect()
    for (const queue of ['others', 'orders/../others', 'order']) {
      const { status } = await client.ask('message_post', post(queue), signed('orders', ['POST']))
      assert.notEqual(status, 201)
    }
    const ids = { queue_name: 'others', message_ids: ['a'] }
    assert.deepEqual(await client.ask('message_delete_many', ids, signed('orders', ['DELETE'])), REFUSED)
  })

  test('may stand beside others that are signed for other queues and projects, on one connection', async () => {
    const client = await service.connect()
    for (const [queue, project] of [
      ['a', 'p'],
      ['b', 'p'],
      ['a', 'q'],
    ] as const) {
      assert.equal((await client.ask('message_post', post(queue), signed(queue, ['POST'], project))).status, 201)
    }
    const { body } = await client.ask('message_list', { queue_name: 'a', echo: true }, signed('a', ['GET']))
    assert.equal(body.messages.length, 1)
  })

  test('is refused when it is changed, late, or no signature', async () => {
    const client = await service.connect()
    const good = signed('orders', ['POST'])
    for (const wrong of [
      { 'URL-Methods': undefined },
      { 'URL-Methods': 'POST' },
      { 'URL-Paths': [...(good['URL-Paths'] as string[]), '/v2/queues/others/messages'] },
      { 'URL-Expires': undefined },
      { 'URL-Signature': 7 },
      { 'X-Project-ID': 'other' },
    ]) {
      assert.deepEqual(await client.ask('message_post', post('orders'), { ...good, ...wrong }), REFUSED)
    }
    service.clock.advance(MINUTE)
    const later = await service.connect()
    assert.deepEqual(await later.ask('message_post', post('orders'), good), REFUSED)
  })
})

test('a connection that may ask for nothing is closed with 1008 after a minute, whatever it sends', async () => {
  const service = await start(env)
  const nobody = await service.connect()
  const known = await service.connect()
  const signer = await service.connect()
  await authenticate(known, 'long')
  for (let seconds = 0; seconds < 60; seconds += 10) {
    assert.deepEqual(await nobody.ask('queue_list'), REFUSED)
    assert.equal((await signer.ask('message_post', post('orders'), signed('orders', ['POST']))).status, 201)
    service.clock.advance(10_000)
  }
  assert.equal((await nobody.closed).code, 1008)
  assert.equal((await known.ask('queue_list')).status, 200)
  assert.equal(signer.ws.readyState, signer.ws.OPEN)
})

describe('without authentication', () => {
  test('authenticate is answered, and the project of each frame counts', async () => {
    service = await start()
    const client = await service.connect()
    assert.deepEqual(await authenticate(client, 'anything'), AUTHENTIFIED)
    assert.equal((await client.ask('queue_create', { queue_name: 'a' })).status, 201)
    const { body } = await client.ask('queue_list', {}, { 'X-Project-ID': 'other' })
    assert.deepEqual(body.queues, [])
  })

  test('a project has so many connections', async () => {
    service = await start({ OS_DRIVERS_TRANSPORT_WEBSOCKET__MAX_CONNECTIONS_PER_PROJECT: '1' })
    const first = await service.connect()
    assert.equal((await first.ask('queue_list')).status, 200)
    const second = await service.connect()
    second.send('queue_list')
    assert.equal((await second.closed).code, 1008)
    const elsewhere = await service.connect({ headers: { ...CALLER, 'X-Project-ID': 'other' } })
    assert.equal((await elsewhere.ask('queue_list')).status, 200)
    first.ws.close()
    await first.closed
    await until(() => service.endedSockets.length === 2)
    const third = await service.connect()
    assert.equal((await third.ask('queue_list')).status, 200)
  })
})
