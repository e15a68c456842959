import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { ManualClock } from 'zaqar-conformance'
import { KeystoneTrusts } from '../../src/auth/keystone/trusts.ts'
import { keystoneSettings } from '../../src/config/keystone-settings.ts'
import { trusteeSettings } from '../../src/config/trustee-settings.ts'
import { ZaqarError } from '../../src/core/errors.ts'
import { TrustGone } from '../../src/core/trusts.ts'
import { load } from '../config/memory.ts'

const SECOND = 1000
const NEVER = new AbortController().signal
const SECRET = 'the-token-of-rita'
const URL_IN_CLOUD = 'https://nova.example/v2'

interface Asked {
  readonly method: string
  readonly path: string
  readonly token: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: documents of many shapes; a test fails where one is not as it says.
  readonly body: any
}

/** Answers as Keystone does, over a socket. What a test puts into `answers` comes first. */
class StandIn {
  readonly clock = new ManualClock(Date.UTC(2026, 2, 1, 10))
  readonly asked: Asked[] = []
  readonly events = new EventEmitter()
  readonly trusts = new Set<string>()
  readonly troubles: unknown[] = []
  /** By method and path; 'break' ends the connection without an answer. */
  readonly answers = new Map<string, (number | 'break')[]>()
  /** What is issued waits for that. */
  hold: Promise<void> = Promise.resolve()
  #issued = 0
  readonly server = createServer((request, response) => void this.#answer(request, response))

  count(method: string, path: string): number {
    return this.asked.filter((one) => one.method === method && one.path === path).length
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const path = new URL(url, 'http://h').pathname.replace('/v3', '')
    const sent = await text(request)
    this.asked.push({
      method,
      path,
      token: headers['x-auth-token'] as string | undefined,
      body: sent && JSON.parse(sent),
    })
    const planned = this.answers.get(`${method} ${path}`)?.shift()
    if (planned === 'break') request.socket.destroy()
    else if (planned === undefined) await this.#usual(`${method} ${path}`, JSON.parse(sent || '{}'), response)
    else response.writeHead(planned).end('{"error": {}}')
    this.events.emit(`${method} ${path}`)
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  async #usual(what: string, body: any, response: ServerResponse): Promise<void> {
    const end = (status: number, document: object, headers = {}) =>
      response.writeHead(status, headers).end(JSON.stringify(document))
    if (what === 'GET /auth/tokens') {
      const catalog = [{ endpoints: [{ url: 'https://nova.example/v2/p1' }, { url: 'no address' }, {}] }]
      end(200, {
        token: { user: { id: 'rita' }, project: { id: 'p1' }, roles: [{ id: 'r1', name: 'Member' }], catalog },
      })
    } else if (what === 'POST /auth/tokens') {
      const trustId = body.auth.scope?.['OS-TRUST:trust']?.id
      await this.hold
      if (trustId !== undefined && !this.trusts.has(trustId)) return void end(401, {})
      const expires_at = new Date(this.clock.now() + 3600 * SECOND).toISOString()
      this.#issued++
      end(201, { token: { expires_at, user: { id: 'zaqar' } } }, { 'X-Subject-Token': `token-${this.#issued}` })
    } else if (what === 'POST /OS-TRUST/trusts') {
      const id = `trust-${this.trusts.size}`
      this.trusts.add(id)
      end(201, { trust: { id } })
    } else {
      this.trusts.delete(what.replace('DELETE /OS-TRUST/trusts/', ''))
      response.writeHead(204).end()
    }
  }
}

describe('the trustee', () => {
  const open: { close(): unknown }[] = []
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })

  async function given() {
    const keystone = new StandIn()
    await once(keystone.server.listen(0, '127.0.0.1'), 'listening')
    const { port } = keystone.server.address() as AddressInfo
    const { config } = load({
      env: {
        OS_KEYSTONE_AUTHTOKEN__AUTH_URL: `http://127.0.0.1:${port}`,
        OS_KEYSTONE_AUTHTOKEN__PROJECT_NAME: 'service',
        OS_KEYSTONE_AUTHTOKEN__HTTP_REQUEST_MAX_RETRIES: '1',
        OS_TRUSTEE__USERNAME: 'zaqar',
        OS_TRUSTEE__PASSWORD: 'hunter2',
        OS_TRUSTEE__USER_DOMAIN_NAME: 'Default',
      },
    })
    const settings = trusteeSettings(config.trustee, keystoneSettings(config.keystone, { readFile: () => null }))
    assert.ok(settings)
    const { clock, troubles } = keystone
    const onTrouble = (error: unknown) => {
      troubles.push(error)
      keystone.events.emit('trouble')
    }
    const trusts = new KeystoneTrusts({ settings, allowedHosts: [], clock, onTrouble })
    open.push(trusts, { close: () => keystone.server.closeAllConnections() }, keystone.server)
    const create = () => trusts.create({ token: SECRET, url: URL_IN_CLOUD, expiresAt: clock.now() + 600 * SECOND })
    return { keystone, trusts, create, clock, settings }
  }

  test('is who [trustee] says, at the Keystone of [keystone_authtoken], for no project', async () => {
    const { keystone, create } = await given()
    await create()
    const [login] = keystone.asked.filter(({ method, path }) => method === 'POST' && path === '/auth/tokens')
    const user = { name: 'zaqar', domain: { name: 'Default' }, password: 'hunter2' }
    assert.deepEqual(login?.body, { auth: { identity: { methods: ['password'], password: { user } } } })
  })

  test('is given a trust with the token of whoever makes it, and is looked up once', async () => {
    const { keystone, create } = await given()
    assert.equal(await create(), 'trust-0')
    assert.equal(await create(), 'trust-1')
    const made = keystone.asked.filter(({ path }) => path === '/OS-TRUST/trusts')
    assert.deepEqual(
      made.map(({ token, body }) => [token, body.trust]),
      ['001', '002'].map((microseconds) => [
        SECRET,
        {
          trustor_user_id: 'rita',
          trustee_user_id: 'zaqar',
          project_id: 'p1',
          roles: [{ id: 'r1' }],
          impersonation: true,
          allow_redelegation: false,
          expires_at: `2026-03-01T10:10:00.000${microseconds}Z`,
        },
      ]),
    )
    assert.equal(keystone.count('POST', '/auth/tokens'), 1)
  })

  test('asks for a trust of a little longer where there is one of the same time', async () => {
    const { keystone, create } = await given()
    keystone.answers.set('POST /OS-TRUST/trusts', [409, 409])
    assert.equal(await create(), 'trust-0')
    const times = keystone.asked.flatMap(({ body }) => body?.trust?.expires_at ?? [])
    assert.deepEqual(times, [
      '2026-03-01T10:10:00.000001Z',
      '2026-03-01T10:10:02.000002Z',
      '2026-03-01T10:10:03.000003Z',
    ])
  })

  test('asks once for a trust that may have been made: nobody would know of it', async () => {
    const { keystone, create } = await given()
    keystone.answers.set('POST /OS-TRUST/trusts', ['break'])
    await assert.rejects(create(), { code: 'token.unverified' })
    assert.equal(keystone.count('POST', '/OS-TRUST/trusts'), 1)
  })

  test('tells no token of those who have none or may not, and of a Keystone that fails', async () => {
    const { keystone, create } = await given()
    const cases = [
      ['GET /auth/tokens', 401, 'trust.refused'],
      ['GET /auth/tokens', 500, 'token.unverified'],
      ['POST /OS-TRUST/trusts', 403, 'trust.refused'],
      ['POST /OS-TRUST/trusts', 404, 'token.unverified'],
      ['POST /auth/tokens', 401, 'token.unverified'],
    ] as const
    for (const [what, status, code] of cases) {
      keystone.answers.set(what, [status])
      const error = await create().catch((error: unknown) => error)
      assert.ok(error instanceof ZaqarError)
      assert.equal(error.code, code, `${what} ${status}`)
      assert.doesNotMatch(inspect(error, { depth: 10 }), new RegExp(`${SECRET}|hunter2`))
    }
    assert.equal(keystone.trusts.size, 0)
  })

  test('keeps a token until shortly before it expires', async () => {
    const { keystone, trusts, create, clock } = await given()
    const id = await create()
    const first = await trusts.token(id, NEVER)
    clock.advance(3539 * SECOND)
    assert.equal(await trusts.token(id, NEVER), first)
    clock.advance(SECOND)
    const second = await trusts.token(id, NEVER)
    assert.notEqual(second, first)
    trusts.refresh(id)
    assert.notEqual(await trusts.token(id, NEVER), second)
    assert.equal(keystone.count('POST', '/auth/tokens'), 4)
  })

  test('asks once for a token that many want, and goes on where one of them has gone', async () => {
    const { keystone, trusts, create } = await given()
    const id = await create()
    const { promise, resolve } = Promise.withResolvers<void>()
    keystone.hold = promise
    const departure = new AbortController()
    const gone = trusts.token(id, departure.signal)
    const others = [trusts.token(id, NEVER), trusts.token(id, NEVER)]
    departure.abort(new Error('left'))
    await assert.rejects(gone, /left/)
    resolve()
    const [one, other] = await Promise.all(others)
    assert.equal(one, other)
    assert.equal(keystone.count('POST', '/auth/tokens'), 2)
    await assert.rejects(trusts.token(id, departure.signal), /left/)
  })

  test('knows a trust that is gone from a Keystone that cannot be asked', async () => {
    const { keystone, trusts } = await given()
    await assert.rejects(trusts.token('gone', NEVER), TrustGone)
    for (const status of [403, 404]) {
      keystone.answers.set('POST /auth/tokens', [status])
      await assert.rejects(trusts.token('gone', NEVER), TrustGone)
    }
    const troubles = [[500], [401, 401], [401, 503], ['break', 'break'], [401, 'break', 'break']] as const
    for (const answers of troubles) {
      keystone.answers.set('POST /auth/tokens', [...answers])
      const error = await trusts.token('gone', NEVER).catch((error: unknown) => error)
      assert.ok(error instanceof Error && !(error instanceof TrustGone), String(answers))
      assert.doesNotMatch(inspect(error, { depth: 10 }), /hunter2/)
    }
  })

  test('ends a trust with a token of the trust itself', async () => {
    const { keystone, trusts, create } = await given()
    const id = await create()
    const ended = once(keystone.events, `DELETE /OS-TRUST/trusts/${id}`)
    trusts.discard(id)
    await ended
    assert.equal(keystone.asked.at(-1)?.token, 'token-2')
    assert.equal(keystone.trusts.size, 0)
    await trusts.close()
    assert.deepEqual(keystone.troubles, [])
  })

  test('tries once more to end a trust after a minute, and tells of each failure', async () => {
    const { keystone, trusts, create, clock } = await given()
    const [id, other] = [await create(), await create()]
    const path = (id: string) => `DELETE /OS-TRUST/trusts/${id}`
    keystone.answers.set(path(id), [500])
    keystone.answers.set(path(other), [500, 500])
    for (const one of [id, other]) {
      const trouble = once(keystone.events, 'trouble')
      trusts.discard(one)
      await trouble
    }
    clock.advance(59 * SECOND)
    assert.equal(keystone.asked.filter(({ method }) => method === 'DELETE').length, 2)
    const again = [once(keystone.events, path(id)), once(keystone.events, 'trouble')]
    clock.advance(SECOND)
    await Promise.all(again)
    clock.advance(3600 * SECOND)
    await trusts.close()
    assert.deepEqual([...keystone.trusts], [other])
    assert.equal(keystone.asked.filter(({ method }) => method === 'DELETE').length, 4)
    assert.equal(keystone.troubles.length, 3)
  })

  test('ends what is to be ended before the service does', async () => {
    const { keystone, trusts, create } = await given()
    const id = await create()
    trusts.discard(id)
    await trusts.close()
    assert.equal(keystone.trusts.size, 0)
  })
})

describe('[trustee]', () => {
  const keystone = {
    OS_DEFAULT__AUTH_STRATEGY: 'keystone',
    OS_KEYSTONE_AUTHTOKEN__AUTH_URL: 'http://127.0.0.1:1/v3',
    OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE: 'password',
    OS_KEYSTONE_AUTHTOKEN__USERNAME: 'zaqar',
    OS_KEYSTONE_AUTHTOKEN__PASSWORD: 'secret',
  }

  test('without a user there is no trustee, whoever the service is', () => {
    const { config } = load({ env: { ...keystone, OS_TRUSTEE__PASSWORD: 'x' } })
    const settings = keystoneSettings(config.keystone, { readFile: () => null })
    assert.equal(trusteeSettings(config.trustee, settings), null)
  })

  test('a user who cannot log in stops the start', () => {
    const env = {
      ...keystone,
      OS_TRUSTEE__USERNAME: 'zaqar',
      OS_TRUSTEE__AUTH_TYPE: 'v3token',
      OS_TRUSTEE__AUTH_URL: 'h',
    }
    assert.throws(
      () => load({ env }),
      (error: Error) => ['auth_url', 'password', 'auth_type'].every((name) => inspect(error).includes(name)),
    )
  })
})
