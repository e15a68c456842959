import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { CLIENT_ID, PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

const CLAIMS = '/v2/queues/jobs/claims'
const KEY = { headers: { 'Idempotency-Key': 'take-7' } }

interface Claimed {
  readonly location: string
  readonly bodies: unknown[]
  readonly gone: string[] | undefined
}

describe('a claim whose answer was lost', () => {
  let service: Service
  let send: ReturnType<typeof sendOverHttp>
  let client: TestClient

  before(async () => {
    service = await startService()
    send = sendOverHttp(service.url)
    client = new TestClient(send)
  })
  after(async () => {
    send.close()
    await service.stop()
  })
  beforeEach(async () => {
    await client.delete('/v2/queues/jobs')
    await client.post('/v2/queues/jobs/messages', { messages: [1, 2, 3].map((body) => ({ body })) })
  })

  /** The connection of a client that sends a claim with the key, and reads nothing. */
  async function claimUnread(query: string, document: object): Promise<Socket> {
    const socket = connect({ port: service.port, host: '127.0.0.1' })
    await once(socket, 'connect')
    const body = JSON.stringify(document)
    const identity = `Host: localhost\r\nClient-ID: ${CLIENT_ID}\r\nX-Project-Id: ${PROJECT}\r\n`
    const kind = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nIdempotency-Key: take-7\r\n`
    socket.write(`POST ${CLAIMS}${query} HTTP/1.1\r\n${identity}${kind}\r\n${body}`)
    return socket
  }

  async function claimAgain(query: string, document: object): Promise<Claimed> {
    const { status, text, headers } = await client.post(`${CLAIMS}${query}`, document, KEY)
    assert.equal(status, 201, text)
    const { messages, gone } = JSON.parse(text)
    return {
      location: headers['location'] as string,
      bodies: messages.map(({ body }: { body: unknown }) => body),
      gone,
    }
  }

  async function counts(): Promise<{ claimed: number; free: number }> {
    const { claimed, free } = JSON.parse((await client.get('/v2/queues/jobs/stats')).text).messages
    return { claimed, free }
  }

  test('is there when it is asked for again, and holds what comes first', async () => {
    const socket = await claimUnread('?limit=1', { ttl: 300 })
    await once(socket, 'readable')
    socket.destroy()
    assert.deepEqual(await counts(), { claimed: 1, free: 2 })
    const again = await claimAgain('?limit=1', { ttl: 300 })
    assert.deepEqual(again.bodies, [1])
    assert.deepEqual(await claimAgain('?limit=1', { ttl: 300 }), again)
    assert.deepEqual(await counts(), { claimed: 1, free: 2 })
  })

  test('is there also when it finished what came before', async () => {
    const first = await client.post(`${CLAIMS}?limit=1`)
    const [{ id }] = JSON.parse(first.text).messages
    const finished = { delete: [{ id, claim_id: first.headers['location']?.split('/').at(-1) }] }
    const socket = await claimUnread('?limit=1', finished)
    await once(socket, 'readable')
    socket.destroy()
    const again = await claimAgain('?limit=1', finished)
    assert.deepEqual([again.bodies, again.gone], [[2], [id]])
    assert.deepEqual(await counts(), { claimed: 1, free: 1 })
  })

  test('is there when it came to a wait that nobody listens to any more', async () => {
    await client.delete('/v2/queues/jobs/messages?pop=3')
    const socket = await claimUnread('?wait=20', {})
    const again = claimAgain('?wait=20', {})
    await client.post('/v2/queues/jobs/messages', { messages: [{ body: 'late' }] })
    await once(socket, 'readable')
    socket.destroy()
    assert.deepEqual((await again).bodies, ['late'])
    assert.deepEqual(await counts(), { claimed: 1, free: 0 })
    assert.equal((await client.get((await again).location)).status, 200)
  })
})
