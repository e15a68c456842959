import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type KeystoneConnection, KeystoneUnavailable } from '../../src/auth/keystone/keystone-connection.ts'
import { type ConsoleFiles, readConsoleFiles } from '../../src/console/console-files.ts'
import { createConsolePages } from '../../src/console/console-pages.ts'
import type { Limits } from '../../src/core/rules/limits.ts'
import type { HttpRequest, HttpResponse } from '../../src/http/messages.ts'

type Sent = Parameters<KeystoneConnection['send']>[0]

const PAGE = Buffer.from('<!doctype html>')
const FILES: ConsoleFiles = new Map([
  ['', { headers: { 'Content-Type': 'text/html' }, bytes: PAGE, gzipped: () => Buffer.from('packed') }],
])

const LIMITS = {
  maxMessageTtlSeconds: 1_209_600,
  maxMessageDelaySeconds: 900,
  maxClaimTtlSeconds: 43_200,
  maxClaimGraceSeconds: 43_200,
  maxMessagesPerClaimOrPop: 10,
  maxMessagesPostBytes: 262_144,
  maxQueuesPerPage: 5,
  maxMessagesPerPage: 7,
} as Limits

/** Keystone answers a token; what it was sent is kept. */
function keystone(answers: 'token' | 'nothing' = 'token'): KeystoneConnection & { readonly sent: Sent[] } {
  const sent: Sent[] = []
  return {
    sent,
    async send(request) {
      sent.push(request)
      if (answers === 'nothing') throw new KeystoneUnavailable('nobody is there')
      return { status: 201, headers: { 'x-subject-token': 'made', 'set-cookie': 'x=1' }, text: '{"token":{}}' }
    },
    async close() {},
  }
}

function asking(parts: { files?: ConsoleFiles; keystone?: KeystoneConnection | null } = {}) {
  const troubles: unknown[] = []
  const { files = FILES, keystone = null } = parts
  const pages = createConsolePages({ files, keystone, limits: LIMITS, onTrouble: (error) => troubles.push(error) })
  const handle = pages(async () => ({ status: 418, headers: {}, body: 'the API' }))
  const ask = (
    method: string,
    target: string,
    headers: HttpRequest['headers'] = {},
    body = '',
  ): Promise<HttpResponse> =>
    handle({
      id: 'req',
      method,
      target,
      headers,
      readBody: () => ({ bytes: body.length, text: body }),
    } as Partial<HttpRequest> as HttpRequest)
  return { ask, troubles }
}

test('the console is below /console/, and everything else is the API', async () => {
  const { ask } = asking()
  assert.equal((await ask('GET', '/v2/queues')).body, 'the API')
  assert.equal((await ask('GET', '/consoles')).body, 'the API')
  const leadIn = await ask('GET', '/console?x=1')
  assert.deepEqual([leadIn.status, leadIn.headers['Location']], [308, 'console/'])
  assert.equal((await ask('GET', '/console/')).body, PAGE)
  assert.equal((await ask('HEAD', '/console/')).status, 200)
  assert.equal((await ask('GET', '/console/../secret')).status, 404)
  assert.equal((await ask('POST', '/console/')).status, 405)
})

test('a file is compressed for who takes that', async () => {
  const { ask } = asking()
  const packed = await ask('GET', '/console/', { 'accept-encoding': 'br, gzip;q=0.8' })
  assert.deepEqual([packed.headers['Content-Encoding'], String(packed.body)], ['gzip', 'packed'])
  const plain = await ask('GET', '/console/', { 'accept-encoding': 'br, gzip;q=0' })
  assert.deepEqual([plain.headers['Content-Encoding'], plain.body], [undefined, PAGE])
})

test('where it was not built it says so', async () => {
  const { body } = await asking({ files: new Map() }).ask('GET', '/console/', { accept: 'application/json' })
  assert.match(String(body), /npm run build:console/)
})

test('signing in is handed on to Keystone, with what it needs and nothing else', async () => {
  const cloud = keystone()
  const { ask } = asking({ keystone: cloud })
  const headers = { 'x-auth-token': 'mine', cookie: 'x=2', 'sec-fetch-site': 'same-origin' }
  const answer = await ask('POST', '/console/keystone/v3/auth/tokens', headers, '{"auth": {"identity": {}}}')
  assert.deepEqual(cloud.sent, [
    {
      method: 'POST',
      path: '/auth/tokens',
      headers: { 'x-auth-token': 'mine' },
      mayRepeat: false,
      body: { auth: { identity: {} } },
    },
  ])
  assert.deepEqual(answer, {
    status: 201,
    headers: { 'Cache-Control': 'no-store', 'x-subject-token': 'made' },
    body: '{"token":{}}',
  })
})

test('nothing else of Keystone is reached, and no page of elsewhere reaches it', async () => {
  const cloud = keystone()
  const { ask } = asking({ keystone: cloud })
  assert.equal((await ask('GET', '/console/keystone/v3/users')).status, 404)
  assert.equal((await ask('GET', '/console/keystone/v3/auth/tokens')).status, 405)
  assert.equal((await ask('GET', '/console/keystone/v3/auth/projects', { 'sec-fetch-site': 'cross-site' })).status, 403)
  assert.equal((await ask('POST', '/console/keystone/v3/auth/tokens', {}, 'no JSON')).status, 400)
  assert.equal((await asking().ask('POST', '/console/keystone/v3/auth/tokens', {}, '{}')).status, 405)
  assert.deepEqual(cloud.sent, [])
})

test('a Keystone that does not answer is 503', async () => {
  const { ask, troubles } = asking({ keystone: keystone('nothing') })
  assert.equal((await ask('GET', '/console/keystone/v3/auth/projects')).status, 503)
  assert.equal(troubles.length, 1)
})

test('the page is told how people sign in, and what the service takes', async () => {
  const settings = async (cloud: KeystoneConnection | null) =>
    JSON.parse(String((await asking({ keystone: cloud }).ask('GET', '/console/settings.json')).body))
  assert.equal((await settings(null)).signIn, 'none')
  assert.equal((await settings(keystone())).signIn, 'keystone')
  assert.deepEqual((await settings(null)).limits, {
    ttl: [60, 1_209_600],
    delay: [0, 900],
    claimTtl: [60, 43_200],
    claimGrace: [60, 43_200],
    claimed: [1, 10],
    postBytes: [1, 262_144],
    queuesOfPage: [1, 5],
    messagesOfPage: [1, 7],
  })
})

test('files are read once they are built', () => {
  const files = readConsoleFiles()
  const page = files.get('')
  assert.ok(page, 'npm run build:console makes them')
  assert.deepEqual(gunzipSync(page.gzipped()), page.bytes)
  assert.match(page.headers['Content-Security-Policy'] ?? '', /default-src 'none'/)
  const sizes = [...files.values()].map((file) => file.gzipped().length)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  console.log(`the console is ${total} bytes, compressed`)
  assert.ok(total < 100_000)
})
