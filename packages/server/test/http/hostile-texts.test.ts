import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import {
  administer,
  missingPostgres,
  newSchema,
  type PostgresServer,
  startPostgres,
} from '../storage/postgres-server.ts'
import { type InProcessService, openInProcess, type Seams } from '../support/in-process.ts'
import { JSON_PATCH, type TestAnswer } from '../support/test-client.ts'

/** Texts that some engine cannot keep, or not everywhere. */
const TEXTS = {
  NUL: 'ten or more\0',
  'a lone surrogate': 'ten or more\ud800',
  'another lone surrogate': '\udfff or more',
  'other control characters': 'a\u0001\u001f\u007f\r\n',
  '10 KB': 'x'.repeat(10_000),
  // Does not become short when it is compressed.
  '10 KB of chance': Array.from({ length: 2500 }, (_, i) => ((i * 2_654_435_761) % 65_536).toString(16)).join(''),
  '10 KB of other scripts': '\u6f22\u5b57\ud83d\ude00'.repeat(2500),
  'a great integer': '9223372036854775807',
  'a small integer': '-9223372036854775808',
  nothing: '',
}

interface Attempt {
  readonly method: string
  readonly target: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Every place where a client says a text that may reach the store, by what it is there. `v` is the text, `e` the text
 * in a URL.
 */
const PLACES: Readonly<Record<string, (v: string, e: string) => readonly Attempt[]>> = {
  'a queue': (_, e) => [
    { method: 'PUT', target: `/v2/queues/${e}` },
    { method: 'GET', target: `/v2/queues/${e}/stats` },
    { method: 'POST', target: `/v2/queues/${e}/messages`, body: { messages: [{ body: 1 }] } },
  ],
  'a topic': (_, e) => [{ method: 'PUT', target: `/v2/topics/${e}` }],
  'a project': (v) => [
    ...[
      '/v2/queues',
      '/v2/topics',
      '/v2/pools',
      '/v2/flavors',
      '/v2/flavors/f',
      '/v2/queues/q/messages',
      '/v1/queues',
    ].map((target) => ({ method: 'GET', target, headers: { 'X-Project-Id': v } })),
    { method: 'PUT', target: '/v2/queues/q', headers: { 'X-Project-Id': v } },
    {
      method: 'PUT',
      target: '/v2/pools/mine',
      body: { uri: 'sqlite:mine', weight: 1, flavor: 'f' },
      headers: { 'X-Project-Id': v },
    },
    { method: 'PUT', target: '/v2/flavors/f', body: { pool_list: ['p'] }, headers: { 'X-Project-Id': v } },
    { method: 'PATCH', target: '/v2/flavors/f', body: { pool_list: ['p'] }, headers: { 'X-Project-Id': v } },
    { method: 'DELETE', target: '/v2/flavors/f', headers: { 'X-Project-Id': v } },
  ],
  'a client': (v) => [
    { method: 'POST', target: '/v2/queues/q/messages', body: { messages: [{ body: 1 }] }, headers: { 'Client-ID': v } },
    { method: 'GET', target: '/v2/queues/q/messages', headers: { 'Client-ID': v } },
  ],
  'a marker': (_, e) =>
    ['/v2/queues', '/v2/topics', '/v2/queues/q/messages', '/v2/queues/q/subscriptions', '/v2/pools', '/v2/flavors'].map(
      (target) => ({ method: 'GET', target: `${target}?marker=${e}` }),
    ),
  'a filter': (_, e) => [
    { method: 'GET', target: `/v2/queues?name=${e}` },
    { method: 'GET', target: `/v2/queues?${e}=${e}` },
    { method: 'GET', target: `/v2/queues?limit=${e}` },
  ],
  'a message id': (v, e) => [
    { method: 'GET', target: `/v2/queues/q/messages/${e}` },
    { method: 'DELETE', target: `/v2/queues/q/messages/${e}?claim_id=${e}` },
    { method: 'GET', target: `/v2/queues/q/messages?ids=${e}` },
    { method: 'DELETE', target: `/v2/queues/q/messages?ids=${e}` },
    { method: 'POST', target: '/v2/queues/q/messages/redrive', body: { ids: [v] } },
  ],
  'a claim id': (_, e) => [
    { method: 'GET', target: `/v2/queues/q/claims/${e}` },
    { method: 'PATCH', target: `/v2/queues/q/claims/${e}`, body: {} },
    { method: 'DELETE', target: `/v2/queues/q/claims/${e}` },
  ],
  'a subscription id': (_, e) => [
    { method: 'GET', target: `/v2/queues/q/subscriptions/${e}` },
    { method: 'PATCH', target: `/v2/queues/q/subscriptions/${e}`, body: { ttl: 60 } },
    { method: 'PUT', target: `/v2/queues/q/subscriptions/${e}/confirm`, body: { confirmed: true } },
    { method: 'DELETE', target: `/v2/queues/q/subscriptions/${e}` },
  ],
  'a subscriber': (v) => [
    { method: 'POST', target: '/v2/queues/q/subscriptions', body: { subscriber: `http://h/${v}`, ttl: 60 } },
    { method: 'POST', target: '/v2/queues/q/subscriptions', body: { subscriber: v, ttl: 60, options: { [v]: v } } },
    { method: 'GET', target: '/v2/queues/q/subscriptions' },
  ],
  'an idempotency key': (v) => [
    {
      method: 'POST',
      target: '/v2/queues/q/messages',
      body: { messages: [{ body: 1 }] },
      headers: { 'Idempotency-Key': v },
    },
    { method: 'POST', target: '/v2/queues/q/claims', headers: { 'Idempotency-Key': v } },
  ],
  'a body': (v) => [
    { method: 'POST', target: '/v2/queues/q/messages', body: { messages: [{ body: { [v]: v } }] } },
    { method: 'GET', target: '/v2/queues/q/messages?echo=true' },
  ],
  metadata: (v, e) => [
    { method: 'PUT', target: '/v2/queues/m', body: { [v]: v } },
    { method: 'PATCH', target: '/v2/queues/m', body: [{ op: 'add', path: `/metadata/${v}`, value: v }] },
    { method: 'GET', target: '/v2/queues/m' },
    { method: 'GET', target: `/v2/queues?${e}=${e}&detailed=true` },
    { method: 'DELETE', target: '/v2/queues/m' },
  ],
  'a dead letter queue': (v) => [
    { method: 'PUT', target: '/v2/queues/d', body: { _dead_letter_queue: v, _max_claim_count: 0 } },
    { method: 'PATCH', target: '/v2/queues/d', body: [{ op: 'add', path: '/metadata/_dead_letter_queue', value: v }] },
    { method: 'POST', target: '/v2/queues/d/messages', body: { messages: [{ body: 1 }] } },
    { method: 'POST', target: '/v2/queues/d/claims' },
    { method: 'DELETE', target: '/v2/queues/d/messages?pop=1' },
    { method: 'DELETE', target: '/v2/queues/d' },
  ],
  'a maximum of claims': (v) => [
    // As a number, where it looks like one.
    {
      method: 'PUT',
      target: '/v2/queues/c',
      body: `{"_dead_letter_queue": "dead", "_max_claim_count": ${/^-?\d+$/.test(v) ? v : 0}}`,
    },
    { method: 'POST', target: '/v2/queues/c/messages', body: { messages: [{ body: 1 }] } },
    { method: 'POST', target: '/v2/queues/c/claims' },
    { method: 'DELETE', target: '/v2/queues/c' },
  ],
  'a flavor that a queue wants': (v) => [
    { method: 'PUT', target: '/v2/queues/w', body: { _flavor: v } },
    { method: 'DELETE', target: '/v2/queues/w' },
  ],
  'a pool': (v, e) => [
    { method: 'PUT', target: `/v2/pools/${e}`, body: { uri: 'sqlite:named', weight: 1 } },
    { method: 'GET', target: `/v2/pools/${e}` },
    { method: 'PATCH', target: `/v2/pools/${e}`, body: { weight: 2 } },
    { method: 'PUT', target: '/v2/flavors/f', body: { pool_list: [v] } },
    { method: 'PATCH', target: '/v2/flavors/f', body: { pool_list: [v] } },
    { method: 'DELETE', target: `/v2/pools/${e}` },
  ],
  'what a pool is made of': (v) => [
    { method: 'PUT', target: '/v2/pools/made', body: { uri: `sqlite:${v}`, weight: 1, options: { [v]: v } } },
    { method: 'PUT', target: '/v2/pools/made', body: { uri: 'sqlite:made', weight: 1, flavor: v } },
    { method: 'PATCH', target: '/v2/pools/made', body: { flavor: v, options: { [v]: v } } },
    { method: 'PATCH', target: '/v2/pools/made', body: { uri: v } },
    { method: 'GET', target: '/v2/pools?detailed=true' },
    { method: 'DELETE', target: '/v2/pools/made' },
  ],
  'a flavor': (_, e) => [
    { method: 'PUT', target: `/v2/flavors/${e}`, body: { pool_list: ['p'] } },
    { method: 'GET', target: `/v2/flavors/${e}` },
    { method: 'PATCH', target: `/v2/flavors/${e}`, body: { pool_list: ['p'] } },
    { method: 'GET', target: '/v2/flavors' },
    { method: 'DELETE', target: `/v2/flavors/${e}` },
  ],
}

function textsOn(engine: string, openStorage: () => Promise<Pick<Seams, 'openStorage'>>): void {
  describe(`texts that are hard to keep, on ${engine}`, () => {
    let service: InProcessService
    before(async () => {
      const env = {
        OS_DEFAULT__ADMIN_MODE: 'true',
        OS_DEFAULT__POOLING: 'true',
        OS_DEFAULT__ENABLE_DEPRECATED_API_VERSIONS: '1,1.1',
        OS_TRANSPORT__CLIENT_ID_UUID_SAFE: 'off',
      }
      service = await openInProcess(env, await openStorage())
      await attempt({ method: 'PUT', target: '/v2/queues/q' })
      await attempt({ method: 'PUT', target: '/v2/pools/p', body: { uri: 'sqlite:p', weight: 1 } })
      await attempt({ method: 'PUT', target: '/v2/flavors/f', body: { pool_list: ['p'] } })
    })
    after(() => service.close())

    function attempt({ method, target, body, headers = {} }: Attempt): Promise<TestAnswer> {
      const type = Array.isArray(body) ? { 'Content-Type': JSON_PATCH } : {}
      return service.client.send(method, target, body, { headers: { 'X-Roles': 'admin', ...type, ...headers } })
    }

    for (const [place, attemptsAt] of Object.entries(PLACES)) {
      for (const [name, text] of Object.entries(TEXTS)) {
        test(`${name} as ${place} is kept or refused`, async () => {
          for (const one of attemptsAt(text, inUrl(text))) {
            const { status } = await attempt(one)
            assert.ok(status < 500, `${one.method} ${one.target.slice(0, 80)}: ${status} ${service.troubles.at(-1)}`)
          }
        })
      }
    }
  })
}

/** Half a pair has no UTF-8, but somebody may send what would be it. */
function inUrl(text: string): string {
  return Array.from(text, (one) => (one.isWellFormed() ? encodeURIComponent(one) : '%ED%A0%80')).join('')
}

textsOn('SQLite', async () => ({}))

const missing = await missingPostgres()
if (missing === null) {
  let server: PostgresServer
  const schema = newSchema()
  before(async () => {
    server = await startPostgres()
  })
  after(async () => {
    await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
    await server.stop()
  })
  textsOn('PostgreSQL', async () => ({
    openStorage: (clock) => openPostgres({ uri: server.uri, schema, connections: 1, clock }),
  }))
} else {
  test('texts that are hard to keep, on PostgreSQL', { skip: missing }, () => undefined)
}
