import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { json } from '../support/answers.ts'
import { openInProcess } from '../support/in-process.ts'
import { SessionClient } from '../support/session-client.ts'
import { CLIENT_ID } from '../support/test-client.ts'

async function openAudited(env: Record<string, string> = {}) {
  const lines: string[] = []
  const service = await openInProcess(env, { audit: (line) => void lines.push(line) })
  /** What was written since the last look. */
  const written = (): Record<string, unknown>[] => lines.splice(0).map((line) => JSON.parse(line))
  return { ...service, lines, written }
}

const SECRET = 'what only the customer knows'

describe('the audit log', () => {
  test('says who did what to which queue, and that it succeeded', async (t) => {
    const { client, written, close } = await openAudited()
    t.after(close)
    await client.with({ 'X-User-Id': 'u1' }).post('/v2/queues/jobs/messages', { messages: [{ body: SECRET }] })
    assert.deepEqual(written(), [
      {
        time: '2026-03-01T10:00:00.000Z',
        requestId: 'req-test',
        clientAddress: null,
        userId: 'u1',
        projectId: 'p1',
        signedUrl: false,
        operation: 'messages.post',
        permission: 'messages:create',
        queue: 'jobs',
        outcome: 'success',
      },
    ])
  })

  test('says the same of what is asked over a WebSocket, with the address of its connection', async (t) => {
    const { openSession, written, close } = await openAudited()
    t.after(close)
    const socket = new SessionClient(openSession, 'c1')
    const messages = [{ body: SECRET, ttl: 300 }]
    await socket.ask('message_post', { queue_name: 'jobs', messages }, { headers: { 'X-User-Id': 'u1' } })
    await socket.ask('claim_get', { queue_name: 'jobs', claim_id: 'c1' })
    const [{ requestId, ...posted } = {}, { operation, claim, outcome, error } = {}, ...more] = written()
    assert.match(String(requestId), /^req-/)
    assert.deepEqual(posted, {
      time: '2026-03-01T10:00:00.000Z',
      clientAddress: '127.0.0.1',
      userId: 'u1',
      projectId: 'p1',
      signedUrl: false,
      operation: 'messages.post',
      permission: 'messages:create',
      queue: 'jobs',
      outcome: 'success',
    })
    assert.deepEqual(
      { operation, claim, outcome, error },
      { operation: 'claims.get', claim: 'c1', outcome: 'failure', error: 'claim.not_found' },
    )
    assert.deepEqual(more, [])
  })

  test('has a line for reads as well, and names messages, claims, topics, pools and flavors', async (t) => {
    const { client, written, close } = await openAudited()
    t.after(close)
    const operator = client.with({ 'X-Roles': 'admin' })
    const what = async (method: string, path: string, body?: unknown) => {
      await operator.send(method, path, body)
      const [{ time, requestId, clientAddress, userId, projectId, signedUrl, permission, ...rest } = {}, ...more] =
        written()
      assert.deepEqual(more, [])
      return rest
    }
    assert.deepEqual(await what('GET', '/v2/queues'), { operation: 'queues.list', outcome: 'success' })
    assert.deepEqual(await what('PUT', '/v2/topics/news'), {
      operation: 'topics.create',
      topic: 'news',
      outcome: 'success',
    })
    assert.deepEqual(await what('GET', '/v2/queues/q/messages/m1'), {
      operation: 'messages.get',
      queue: 'q',
      message: 'm1',
      outcome: 'failure',
      error: 'message.not_found',
    })
    assert.deepEqual(await what('DELETE', '/v2/queues/q/claims/c1'), {
      operation: 'claims.release',
      queue: 'q',
      claim: 'c1',
      outcome: 'success',
    })
    assert.deepEqual(await what('DELETE', '/v2/flavors/f1'), {
      operation: 'flavors.delete',
      flavor: 'f1',
      outcome: 'success',
    })
    assert.deepEqual(await what('GET', '/v2/pools/p1'), {
      operation: 'pools.get',
      pool: 'p1',
      outcome: 'failure',
      error: 'pool.not_found',
    })
  })

  test('names what was denied, what was malformed, what came too fast and what was wrong with us', async (t) => {
    const { client, written, close, storage, troubles } = await openAudited({
      OS_PROJECT_LIMITS__MAX_REQUESTS_PER_SECOND: '4',
    })
    t.after(close)
    await client.get('/v2/pools/gold')
    await client.post('/v2/queues/q/messages', 'no JSON')
    await client.post('/v2/queues/q/messages', { messages: [{ body: 1, ttl: 1 }] })
    storage.queues.get = () => Promise.reject(new Error('a bug'))
    assert.equal((await client.get('/v2/queues/q')).status, 500)
    assert.equal((await client.get('/v2/queues/q')).status, 503)
    assert.equal(troubles.length, 1, 'the bug alone')
    assert.deepEqual(
      written().map(({ operation, outcome, error }) => [operation, outcome, error]),
      [
        ['pools.get', 'denied', 'policy.denied'],
        ['messages.post', 'failure', 'request.malformed'],
        ['messages.post', 'failure', 'message.ttl_out_of_range'],
        ['queues.get', 'failure', 'internal'],
        ['queues.get', 'failure', 'rate.requests'],
      ],
    )
  })

  test('names credentials that ended before the operation began', async (t) => {
    const { client, handle, clock, written, close } = await openAudited()
    t.after(close)
    const expires = '2026-03-01T10:01:00'
    const shared = json(await client.post('/v2/queues/q/share', { paths: ['messages'], methods: ['POST'], expires }))
    const headers = {
      'client-id': CLIENT_ID,
      'x-project-id': shared.project,
      'url-methods': 'POST',
      'url-paths': shared.paths.join(','),
      'url-expires': shared.expires,
      'url-signature': shared.signature,
    }
    const readBody = async () => {
      clock.advance(60_000)
      return { bytes: 2, text: '{}' }
    }
    await handle({ id: 'req-test', method: 'POST', target: '/v2/queues/q/messages', headers, readBody })
    assert.deepEqual(
      written().map(({ operation, outcome, error }) => [operation, outcome, error]),
      [
        ['queues.share', 'success', undefined],
        ['messages.post', 'denied', 'signature.not_accepted'],
      ],
    )
  })

  test('tells callers with a signed URL from others, and holds no signature', async (t) => {
    const { client, lines, written, close } = await openAudited()
    t.after(close)
    const share = json(await client.post('/v2/queues/q/share', { paths: ['messages'], methods: ['POST'] }))
    const guest = client.with({
      'URL-Signature': share.signature,
      'URL-Expires': share.expires,
      'URL-Methods': 'POST',
      'URL-Paths': share.paths.join(','),
    })
    assert.equal((await guest.post('/v2/queues/q/messages', { messages: [{ body: SECRET }] })).status, 201)
    assert.doesNotMatch(lines.join(), new RegExp(`${share.signature}|${CLIENT_ID}|${SECRET}`))
    assert.deepEqual(
      written().map(({ operation, signedUrl, projectId }) => [operation, signedUrl, projectId]),
      [
        ['queues.share', false, 'p1'],
        ['messages.post', true, 'p1'],
      ],
    )
  })

  test('is one line for each operation, whatever stands in names', async (t) => {
    const { client, lines, close } = await openAudited()
    t.after(close)
    await client.get('/v2/queues/q/messages/a%0A%22%7D%20b')
    await client.with({ 'X-User-Id': 'u"}\\x' }).get('/v2/queues')
    assert.equal(lines.length, 2)
    for (const line of lines) assert.doesNotMatch(line, /\n/)
    assert.equal(JSON.parse(lines[0] ?? '').message, 'a\n"} b')
    assert.equal(JSON.parse(lines[1] ?? '').userId, 'u"}\\x')
  })
})
