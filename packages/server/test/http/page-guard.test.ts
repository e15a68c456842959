import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { problemsOf } from '../config/memory.ts'
import { assertError } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { openInProcess } from '../support/in-process.ts'

const MESSAGES = '/v2/queues/q/messages'
const PAGE = 'https://page.example'
const POST = { messages: [{ body: 1 }] }

describe('without authentication', () => {
  const given = freshService()
  const at = (headers: Record<string, string>) => given.client.with(headers)
  const isEmpty = async () => (await given.client.get('/v2/queues')).text === '{"queues": [], "links": []}'

  test('the service answers to the names of this machine, to addresses and to no name', async () => {
    for (const host of [
      'localhost',
      'LocalHost:8888',
      'localhost.',
      'zaqar.localhost:80',
      '127.0.0.1:8888',
      '127.9.9.9',
      '192.0.2.1:8888',
      '[::1]:8888',
      '[2001:db8::1]',
      '',
    ]) {
      assert.equal((await at({ Host: host }).get('/v2/queues')).status, 200, host)
    }
    assert.equal((await given.client.get('/v2/queues')).status, 200)
  })

  test('a page cannot reach it by a name that it lets lead there', async () => {
    for (const host of [
      'evil.example',
      'evil.example:8888',
      'localhost.evil.example',
      'notlocalhost',
      '127.0.0.1.evil.example',
      '1.2.3',
      '[::1].evil.example',
      'evil.example@127.0.0.1',
      'evil.example:80:80',
      ':8888',
      ' ',
      '*',
      'zaqar',
    ]) {
      const answer = await at({ Host: host, Origin: `http://${host}` }).post(MESSAGES, POST)
      assertError(answer, 403, '403 Forbidden', '[http] allowed_hosts')
      assert.equal((await at({ Host: host }).get('/')).status, 403, host)
    }
    assert.ok(await isEmpty())
  })

  test('a page of another origin can do nothing, though it needs no preflight', async () => {
    const foreign: Record<string, string>[] = [
      { Origin: PAGE },
      { Origin: 'http://localhost:5173' },
      { Origin: 'http://localhost:8888.evil.example' },
      { Origin: 'null' },
      { Origin: PAGE, 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'http://localhost:5173', 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
      { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
    ]
    for (const headers of foreign) {
      const client = at({ Host: 'localhost:8888', 'Content-Type': 'text/plain', ...headers })
      for (const answer of [await client.post(MESSAGES, POST), await client.get('/v2/queues')]) {
        assertError(answer, 403, '403 Forbidden', '[cors] allowed_origin')
      }
    }
    assert.ok(await isEmpty())
  })

  test('a page of its own origin can do everything, also behind a proxy', async () => {
    const own: Record<string, string>[] = [
      { Host: 'localhost:8888', Origin: 'http://localhost:8888' },
      { Host: 'localhost:8888', Origin: 'https://localhost:8888' },
      { Host: 'localhost:8888', Origin: 'http://localhost:8888', 'Sec-Fetch-Site': 'same-origin' },
      { Host: '127.0.0.1:8888', Origin: 'http://localhost:5173', 'Sec-Fetch-Site': 'same-origin' },
      { Host: 'localhost:8888', 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate' },
    ]
    for (const headers of own) assert.equal((await at(headers).post(MESSAGES, POST)).status, 201)
  })

  test('a link on any page leads to the documents that are for everybody', async () => {
    const link = {
      Host: 'localhost:8888',
      'Sec-Fetch-Site': 'cross-site',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
    }
    for (const [path, status] of [
      ['/', 300],
      ['/docs', 200],
      ['/openapi.json', 200],
      ['/asyncapi.json', 200],
      ['/v2/', 403],
      ['/v2/queues', 403],
    ] as const) {
      assert.equal((await at(link).get(path)).status, status, path)
    }
    assert.equal((await at({ ...link, 'Sec-Fetch-Dest': 'iframe' }).get('/docs')).status, 403)
    assert.equal((await at({ ...link, 'Sec-Fetch-Mode': 'cors' }).get('/docs')).status, 403)
  })

  test('a preflight is answered as ever', async () => {
    const answer = await at({ Host: 'evil.example', Origin: PAGE }).send('OPTIONS', MESSAGES)
    assert.deepEqual([answer.status, answer.text, answer.headers['access-control-allow-origin']], [200, '', undefined])
  })
})

describe('without authentication, where the operator names them', () => {
  const given = freshService({
    OS_HTTP__ALLOWED_HOSTS: 'zaqar, Queue.Example',
    OS_HTTP__ADMIN_BIND: 'Admin.example',
    OS_HTTP__EXPOSE_WITHOUT_AUTHENTICATION: 'true',
    OS_CORS__ALLOWED_ORIGIN: PAGE,
  })

  test('further names are served, as is the name to listen on', async () => {
    for (const Host of ['zaqar:8888', 'queue.example', 'QUEUE.example.:80', 'admin.example:8889']) {
      assert.equal((await given.client.with({ Host }).get('/v2/queues')).status, 200, Host)
    }
    assert.equal((await given.client.with({ Host: 'other.example' }).get('/v2/queues')).status, 403)
  })

  test('pages of further origins may call', async () => {
    const headers = { Host: 'zaqar:8888', Origin: PAGE, 'Sec-Fetch-Site': 'cross-site' }
    const answer = await given.client.with(headers).post(MESSAGES, POST)
    assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [201, PAGE])
    assert.equal((await given.client.with({ ...headers, Origin: `${PAGE}:1` }).post(MESSAGES, POST)).status, 403)
  })
})

test('every name and every page may be let in, where that is wanted', async (t) => {
  const service = await openInProcess({ OS_HTTP__ALLOWED_HOSTS: '*', OS_CORS__ALLOWED_ORIGIN: '*' })
  t.after(() => service.close())
  const headers = { Host: 'any.example', Origin: PAGE, 'Sec-Fetch-Site': 'cross-site' }
  assert.equal((await service.client.with(headers).get('/v2/queues')).status, 200)
})

test('with Keystone, names and pages matter to nobody: a page can show no token of the person', async (t) => {
  const service = await openInProcess({
    OS_DEFAULT__AUTH_STRATEGY: 'keystone',
    OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE: 'password',
    OS_KEYSTONE_AUTHTOKEN__AUTH_URL: 'http://127.0.0.1:1',
    OS_KEYSTONE_AUTHTOKEN__USERNAME: 'zaqar',
    OS_KEYSTONE_AUTHTOKEN__PASSWORD: 'hunter2',
  })
  t.after(() => service.close())
  const headers = { Host: 'cloud.example', Origin: PAGE, 'Sec-Fetch-Site': 'cross-site' }
  assert.equal((await service.client.with(headers).get('/v2/queues')).status, 401)
})

test('names of hosts are listed without ports', () => {
  for (const names of ['zaqar:8888', 'http://zaqar', '*.example.org', 'a b']) {
    assert.match(problemsOf({ env: { OS_HTTP__ALLOWED_HOSTS: names } }).join(), /allowed is a list of host names/)
  }
})
