import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freshService } from '../support/fresh-service.ts'
import type { TestAnswer } from '../support/test-client.ts'

const PAGE = 'https://page.example'

/** The headers of an answer that are about origins. */
function corsHeaders({ headers }: TestAnswer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'vary' || name.startsWith('access-control-')),
  )
}

describe('a page of an origin that is allowed', () => {
  const given = freshService({ OS_CORS__ALLOWED_ORIGIN: `${PAGE}, http://localhost:5173` })

  const preflight = (method: string | undefined, names?: string, target = '/v2/queues/q/messages') =>
    given.client.send('OPTIONS', target, undefined, {
      headers: {
        'Client-ID': undefined,
        'X-Project-Id': undefined,
        Origin: PAGE,
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': names,
      },
    })

  test('is told by a preflight what it asked for, whatever the path', async () => {
    for (const target of ['/v2/queues/q/messages', '/v2/ping', '/nothing', '/']) {
      const answer = await preflight('POST', 'client-id, X-Project-ID,content-type', target)
      assert.equal(answer.status, 200)
      assert.equal(answer.text, '')
      assert.deepEqual(corsHeaders(answer), {
        vary: 'Origin',
        'access-control-allow-origin': PAGE,
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '3600',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'client-id,X-Project-ID,content-type',
      })
    }
  })

  test('may send tokens, signed URLs and the identity of a client', async () => {
    const names = 'x-auth-token,url-signature,url-methods,url-paths,url-expires,client-id,x-project-id,idempotency-key'
    const answer = await preflight('DELETE', names)
    assert.equal(answer.headers['access-control-allow-headers'], names)
  })

  test('needs no headers of its own', async () => {
    const answer = await preflight('GET')
    assert.equal(answer.headers['access-control-allow-methods'], 'GET')
    assert.equal(answer.headers['access-control-allow-headers'], undefined)
  })

  const refused: [string, string | undefined, string | undefined][] = [
    ['a method that is not allowed', 'TRACE', undefined],
    ['a method in another case', 'post', undefined],
    ['a header that is not allowed', 'POST', 'client-id,x-evil'],
    ['no method', undefined, 'client-id'],
  ]
  for (const [what, method, names] of refused) {
    test(`gets 200 without a permission for ${what}`, async () => {
      const answer = await preflight(method, names)
      assert.equal(answer.status, 200)
      assert.deepEqual(corsHeaders(answer), {})
    })
  }

  const permission = {
    'access-control-allow-origin': PAGE,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID',
  }

  test('may read answers and errors', async () => {
    const headers = { Origin: PAGE }
    const answer = await given.client.get('/v2/queues', { headers })
    assert.equal(answer.status, 200)
    assert.deepEqual(corsHeaders(answer), { ...permission, vary: 'Origin' })
    const error = await given.client.get('/v2/queues/q/messages/none', { headers })
    assert.equal(error.status, 404)
    assert.deepEqual(corsHeaders(error), { ...permission, vary: 'Accept,Origin' })
    const unnamed = await given.client.with({ 'Client-ID': undefined }).get('/v2/queues', { headers })
    assert.equal(unnamed.status, 400)
    assert.equal(unnamed.headers['access-control-allow-origin'], PAGE)
  })

  test('is known by its whole origin', async () => {
    for (const Origin of [
      'http://page.example',
      `${PAGE}:444`,
      `${PAGE}.evil.example`,
      'https://sub.page.example',
      `${PAGE}/`,
      PAGE.toUpperCase(),
      'null',
      '*',
      '',
    ]) {
      const answer = await given.client.get('/v2/queues', { headers: { Origin } })
      assert.equal(answer.status, 403)
      assert.deepEqual(corsHeaders(answer), { vary: 'Accept' }, Origin)
    }
  })

  test('is the only one that is told anything', async () => {
    assert.deepEqual(corsHeaders(await given.client.get('/v2/queues')), {})
  })
})

describe('without credentials', () => {
  const given = freshService({
    OS_CORS__ALLOWED_ORIGIN: '*',
    OS_CORS__ALLOW_CREDENTIALS: 'false',
    OS_CORS__EXPOSE_HEADERS: '',
  })

  test('every page may read answers', async () => {
    const answer = await given.client.get('/v2/queues', { headers: { Origin: 'https://any.example' } })
    assert.deepEqual(corsHeaders(answer), { 'access-control-allow-origin': '*', vary: 'Origin' })
  })
})

describe('as long as no origin is allowed', () => {
  const given = freshService()

  test('origins are told nothing', async () => {
    const headers = { Origin: PAGE, 'Access-Control-Request-Method': 'GET' }
    assert.deepEqual(corsHeaders(await given.client.get('/v2/queues', { headers })), { vary: 'Accept' })
    const answer = await given.client.send('OPTIONS', '/v2/queues', undefined, { headers })
    assert.deepEqual(corsHeaders(answer), {})
  })
})
