import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Listener, listen } from '../../src/http/listener.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { assertError, json } from '../support/answers.ts'
import { EventReader, EventStream } from '../support/events.ts'
import { idsIn } from '../support/fresh-service.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'
import { listenerOptions } from '../support/listener-options.ts'
import { settled, waits } from '../support/settled.ts'
import { CLIENT_ID, type Extra, OTHER_CLIENT_ID, PROJECT } from '../support/test-client.ts'
import { TextSocket } from '../support/text-socket.ts'
import { until } from '../support/until.ts'

const MESSAGES = '/v2/queues/q/messages'
const PAGE = 'https://page.example'

/** As an `EventSource`, which sets no headers. */
const SAYING_NOTHING = { 'client-id': undefined, 'x-project-id': undefined }

let service: InProcessService
const streams: EventStream[] = []

/** Does what `beforeEach` has done again, with other options. */
async function restart(...options: Parameters<typeof openInProcess>): Promise<void> {
  await service.close()
  service = await openInProcess(...options)
}

beforeEach(async () => {
  service = await openInProcess()
})
afterEach(async () => {
  await Promise.all(streams.splice(0).map((stream) => stream.close()))
  await service.close()
  assert.deepEqual(service.troubles, [])
})

/** A stream for another client than the one that posts. */
async function follow(target = MESSAGES, headers: Extra['headers'] = {}): Promise<EventStream> {
  const stream = await EventStream.open(service.handle, target, { 'client-id': OTHER_CLIENT_ID, ...headers })
  streams.push(stream)
  await settled()
  return stream
}

/** Posts a message for each body, and answers their ids. */
async function post(...bodies: readonly unknown[]): Promise<string[]> {
  const answer = await service.client.post(MESSAGES, { messages: bodies.map((body) => ({ body })) })
  await settled()
  return idsIn(answer)
}

async function pass(seconds: number): Promise<void> {
  service.clock.advance(seconds * 1000)
  await settled()
}

/** As query parameters: what a signed URL for the messages of the queue says. */
async function signedQuery(expires?: string, methods = ['GET']): Promise<string> {
  const share = json(await service.client.post('/v2/queues/q/share', { paths: ['messages'], methods, expires }))
  return new URLSearchParams({
    url_signature: share.signature,
    url_methods: share.methods.join(','),
    url_paths: share.paths.join(','),
    url_expires: share.expires,
    project_id: share.project,
  }).toString()
}

describe('an event stream', () => {
  test('shows each message that is posted from now on as a listing does, with its marker as id', async () => {
    await post('before')
    const stream = await follow()
    assert.equal(stream.status, 200)
    assert.deepEqual(stream.headers, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    })
    assert.match(stream.text, /^retry: 2000\nid: [0-9a-f]+\n\n$/)
    const begun = stream.text
    const ids = await post({ order: 1017 }, 'two\nlines', 'häß🙂')
    const { messages } = json(await service.client.get(`${MESSAGES}?ids=${ids.join(',')}`))
    assert.deepEqual(
      stream.events.map(({ data }) => JSON.parse(data)),
      messages,
    )
    assert.match(stream.text.slice(begun.length), /^(id: [0-9a-f]+\ndata: \{"id": .*\}\n\n){3}$/)
  })

  test('begins behind a marker, the id of a message, or at the beginning', async () => {
    const [first] = await post(1, 2, 3)
    const page = json(await service.client.get(`${MESSAGES}?echo=true&limit=2`))
    const marker = new URLSearchParams(page.links[0].href.split('?')[1]).get('marker')
    assert.deepEqual((await follow(`${MESSAGES}?marker=${marker}`)).bodies, [3])
    assert.deepEqual((await follow(`${MESSAGES}?marker=${first}`)).bodies, [2, 3])
    assert.deepEqual((await follow(`${MESSAGES}?marker=0`)).bodies, [1, 2, 3])
  })

  test('that is broken anywhere goes on with the next message', async () => {
    const seen: unknown[] = []
    let lastId: string | undefined
    for (let i = 0; i < 30; i++) {
      const stream = await follow(MESSAGES, lastId === undefined ? {} : { 'last-event-id': lastId })
      if (i % 3 !== 0) await post(2 * i)
      await stream.close()
      seen.push(...stream.bodies)
      // What connects again without having seen anything goes on behind the same event.
      lastId = stream.lastId || lastId
      if (i % 2 === 0) await post(2 * i + 1)
    }
    const end = await follow(MESSAGES, { 'last-event-id': lastId as string })
    const { messages } = json(await service.client.get(`${MESSAGES}?echo=true&limit=20`))
    const all = [...messages]
    for (let next = messages.at(-1); next; next = all.at(-1)) {
      const more = json(await service.client.get(`${MESSAGES}?echo=true&limit=20&marker=${next.id}`)).messages
      if (more.length === 0) break
      all.push(...more)
    }
    assert.deepEqual(
      [...seen, ...end.bodies],
      all.map(({ body }) => body),
    )
  })

  test('goes on behind the last event rather than behind the marker of its address', async () => {
    const [, second] = await post(1, 2, 3)
    const stream = await follow(`${MESSAGES}?marker=0`, { 'last-event-id': second as string })
    assert.deepEqual(stream.bodies, [3])
  })

  test('goes through many pages in order', async () => {
    const bodies = Array.from({ length: 105 }, (_, i) => i)
    for (let i = 0; i < bodies.length; i += 15) await post(...bodies.slice(i, i + 15))
    assert.deepEqual((await follow(`${MESSAGES}?marker=0`)).bodies, bodies)
  })

  test('shows a delayed message when its delay is over, behind what was there before', async () => {
    await service.client.put('/v2/queues/q', { _default_message_delay: 5 })
    const stream = await follow()
    const all = await follow(`${MESSAGES}?include_delayed=true`)
    await service.client.post(MESSAGES, { messages: [{ body: 'late', delay: 10 }] })
    await service.client.post(MESSAGES, { messages: [{ body: 'at once', delay: 0 }] })
    await settled()
    assert.deepEqual(stream.bodies, ['at once'])
    assert.deepEqual(all.bodies, ['late', 'at once'])
    await pass(10)
    assert.deepEqual(stream.bodies, ['at once', 'late'])
    assert.deepEqual(all.bodies, ['late', 'at once'])
    assert.deepEqual((await follow(MESSAGES, { 'last-event-id': stream.events[0]?.id as string })).bodies, ['late'])
    const resumed = await follow(`${MESSAGES}?include_delayed=true`, { 'last-event-id': all.events[0]?.id as string })
    assert.deepEqual(resumed.bodies, ['at once'])
  })

  test('shows what a queue encrypts as it was posted', async () => {
    await restart({ OS_TRANSPORT__MESSAGE_ENCRYPTION_KEY: 'a key that only tests know' })
    await service.client.put('/v2/queues/q', { _enable_encrypt_messages: true })
    const stream = await follow()
    await post({ secret: 'häß🙂' })
    assert.deepEqual(stream.bodies, [{ secret: 'häß🙂' }])
  })

  test('shows a message again that comes back from the dead letters, once', async () => {
    await service.client.put('/v2/queues/q', { _dead_letter_queue: 'dead', _max_claim_count: 1 })
    const stream = await follow()
    await post('again')
    const { headers } = await service.client.post('/v2/queues/q/claims')
    await service.client.delete(headers['location'] as string)
    await service.client.post('/v2/queues/q/claims')
    await service.client.post('/v2/queues/dead/redrive')
    await settled()
    assert.deepEqual(stream.bodies, ['again', 'again'])
    assert.deepEqual((await follow(MESSAGES, { 'last-event-id': stream.events[0]?.id as string })).bodies, ['again'])
  })

  test('leaves out what its own client posts, unless it is to echo', async () => {
    const quiet = await follow(MESSAGES, { 'client-id': CLIENT_ID })
    const echoing = await follow(`${MESSAGES}?echo=true`, { 'client-id': CLIENT_ID })
    await post(1)
    await service.client.with({ 'Client-ID': OTHER_CLIENT_ID }).post(MESSAGES, { messages: [{ body: 2 }] })
    await settled()
    assert.deepEqual(quiet.bodies, [2])
    assert.deepEqual(echoing.bodies, [1, 2])
  })

  test('leaves out what is claimed, unless it is to include that', async () => {
    await post(1, 2)
    await service.client.post('/v2/queues/q/claims?limit=1')
    assert.deepEqual((await follow(`${MESSAGES}?marker=0`)).bodies, [2])
    assert.deepEqual((await follow(`${MESSAGES}?marker=0&include_claimed=true`)).bodies, [1, 2])
  })

  test('of a queue that does not exist shows what comes when it does, also when it was broken before', async () => {
    const stream = await follow()
    const { lastId } = await follow()
    await post(1)
    assert.deepEqual(stream.bodies, [1])
    assert.deepEqual((await follow(MESSAGES, { 'last-event-id': lastId })).bodies, [1])
    await service.client.delete('/v2/queues/q')
    await post(2)
    assert.deepEqual(stream.bodies, [1, 2])
  })

  test('is there for topics, with their paths', async () => {
    const stream = await follow('/v2/topics/news/messages')
    const [id] = idsIn(await service.client.post('/v2/topics/news/messages', { messages: [{ body: 'hello' }] }))
    await settled()
    assert.equal(JSON.parse(stream.events[0]?.data as string).href, `/v2/topics/news/messages/${id}`)
  })

  test('says something every 15 seconds, whether messages come or not, for all of a process at once', async () => {
    const stream = await follow()
    await pass(10)
    const later = await follow()
    await pass(5)
    assert.deepEqual([stream.comments, later.comments], [1, 1])
    await pass(15)
    assert.deepEqual([stream.comments, later.comments], [2, 2])
    assert.ok(stream.text.endsWith(':\n\n'))
  })

  test('holds one page for whoever does not read on, and then goes on with what is there', async () => {
    const { body } = await service.handle({
      id: 'req-test',
      method: 'GET',
      target: `${MESSAGES}?marker=0`,
      headers: { accept: 'text/event-stream', 'client-id': OTHER_CLIENT_ID, 'x-project-id': PROJECT },
      readBody: () => ({ bytes: null, text: '' }),
    })
    assert.ok(typeof body === 'object' && Symbol.asyncIterator in body)
    const chunks = body[Symbol.asyncIterator]()
    const dataIn = (text: string) => text.match(/^data: /gm)?.length ?? 0
    await chunks.next()
    const first = chunks.next()
    await settled()
    for (let i = 0; i < 5; i++) await post(...Array.from({ length: 20 }, () => 'x'))
    await pass(60)
    const counts = [dataIn((await first).value)]
    for (let sum = counts[0] as number; sum < 100; sum += counts.at(-1) as number) {
      counts.push(dataIn((await chunks.next()).value))
    }
    assert.ok(
      counts.every((count) => count > 0 && count <= 20),
      `chunks of ${counts}`,
    )
    assert.ok(await waits(chunks.next()))
    await chunks.return?.()
  })

  test('ends with the credentials of who asked for it, and is not given again', async () => {
    await restart({ OS_HTTP__CREDENTIALS_IN_QUERY: 'true' })
    const query = await signedQuery('2026-03-01T10:01:00')
    const stream = await follow(`${MESSAGES}?${query}`)
    assert.equal(stream.status, 200)
    await post(1)
    assert.deepEqual(stream.bodies, [1])
    await pass(59)
    assert.ok(await waits(stream.ended))
    await pass(1)
    await stream.ended
    await post(2)
    assert.deepEqual(stream.bodies, [1])
    assert.equal((await follow(`${MESSAGES}?${query}`)).status, 404)
  })

  test('goes on when the storage could not be read for a while, which the operator is told once', async () => {
    let isDown = false
    await restart(
      {},
      {
        async openStorage(clock) {
          const storage = await openSqlite({ path: ':memory:', clock })
          const list: Storage['messages']['list'] = async (p) => {
            if (isDown) throw new StorageUnavailable('the disk is away')
            return storage.messages.list(p)
          }
          return { ...storage, messages: { ...storage.messages, list } }
        },
      },
    )
    const stream = await follow()
    isDown = true
    await post(1)
    await pass(5)
    assert.equal(service.troubles.length, 1)
    isDown = false
    await pass(5)
    assert.deepEqual(stream.bodies, [1])
    ;(service.troubles as unknown[]).length = 0
  })
})

describe('who may have one', () => {
  test('is told by the policy, as with a listing', async () => {
    const policy = (path: string) => (path === '/policy.yaml' ? 'messages:get_all: "role:reader"' : null)
    const files = { readFile: policy, stamp: policy, listFolder: () => null }
    await restart({ OS_OSLO_POLICY__POLICY_FILE: '/policy.yaml' }, {}, { files })
    const denied = await follow(MESSAGES, { 'x-roles': 'guest' })
    assert.equal(denied.status, 403)
    assert.equal(JSON.parse(denied.text).title, 'Not authorized')
    assert.equal((await follow(MESSAGES, { 'x-roles': 'reader' })).status, 200)
  })

  test('may say who asks in the query, where no header does', async () => {
    const stream = await follow(`${MESSAGES}?project_id=${PROJECT}&client_id=${CLIENT_ID}`, SAYING_NOTHING)
    assert.equal(stream.status, 200)
    await post('own')
    await service.client.with({ 'Client-ID': OTHER_CLIENT_ID }).post(MESSAGES, { messages: [{ body: 'other' }] })
    await settled()
    assert.deepEqual(stream.bodies, ['other'])
    const overruled = await follow(`${MESSAGES}?project_id=p2&client_id=${CLIENT_ID}&marker=0`)
    assert.deepEqual(overruled.bodies, ['own'])
    assert.equal((await follow(MESSAGES, SAYING_NOTHING)).status, 400)
    assertError(
      await service.client.with({ 'X-Project-Id': undefined }).get(`${MESSAGES}?project_id=${PROJECT}`),
      400,
      'Project-Id Missing',
    )
  })

  test('may show a signed URL in the query only where an option allows it', async () => {
    const key = { OS_SIGNED_URL__SECRET_KEY: 'what all of them know' }
    await restart(key)
    const query = await signedQuery()
    await restart({ ...key, ...KEYSTONE, OS_HTTP__CREDENTIALS_IN_QUERY: 'true' })
    const stream = await follow(`${MESSAGES}?${query}&client_id=${CLIENT_ID}`, SAYING_NOTHING)
    assert.equal(stream.status, 200)
    assert.equal((await follow(`/v2/queues/other/messages?${query}`)).status, 404)
    assert.equal((await follow(`${MESSAGES}?${query}`, { 'x-project-id': 'p2' })).status, 404)
    assert.equal((await service.client.get(`${MESSAGES}?${query}`)).status, 401)
    await restart({ ...key, ...KEYSTONE })
    assert.equal((await follow(`${MESSAGES}?${query}`)).status, 401)
  })

  test('is no page of another origin, unless that is allowed', async () => {
    const page = { host: 'localhost:8888', origin: PAGE, 'sec-fetch-site': 'cross-site' }
    assert.equal((await follow(MESSAGES, page)).status, 403)
    await restart({ OS_CORS__ALLOWED_ORIGIN: PAGE })
    const stream = await follow(MESSAGES, page)
    assert.equal(stream.status, 200)
    assert.equal(stream.headers['Access-Control-Allow-Origin'], PAGE)
    assert.equal(stream.headers['Vary'], 'Origin')
    await post(1)
    assert.deepEqual(stream.bodies, [1])
  })

  test('is in the audit log, once', async () => {
    const lines: string[] = []
    await restart({}, { audit: (line) => void lines.push(line) })
    const stream = await follow(`${MESSAGES}?auth_token=secret-in-query`)
    await stream.close()
    assert.equal(lines.length, 1)
    const { operation, permission, queue, outcome } = JSON.parse(lines[0] as string)
    assert.deepEqual(
      { operation, permission, queue, outcome },
      {
        operation: 'messages.follow',
        permission: 'messages:get_all',
        queue: 'q',
        outcome: 'success',
      },
    )
    assert.doesNotMatch(lines.join(), /secret-in-query/)
  })
})

test('the query says who asks only where there are events', async () => {
  const key = { OS_SIGNED_URL__SECRET_KEY: 'what all of them know' }
  await restart(key)
  const query = await signedQuery(undefined, ['GET', 'POST', 'DELETE'])
  await restart({ ...key, ...KEYSTONE, OS_HTTP__CREDENTIALS_IN_QUERY: 'true' })
  const asking = service.client.with({ Accept: 'text/event-stream, application/json;q=0.1' })
  assert.equal((await asking.delete(`${MESSAGES}?ids=a&${query}`)).status, 401)
  assert.equal((await asking.post(`${MESSAGES}?${query}`, { messages: [{ body: 1 }] })).status, 401)
  assert.equal((await asking.get(`/v2/queues?${query}`)).status, 401)
  await restart()
  const nobody = service.client.with({ Accept: 'text/event-stream, application/json;q=0.1', 'X-Project-Id': undefined })
  assertError(await nobody.get(`/v2/queues?project_id=${PROJECT}`), 400, 'Project-Id Missing')
})

describe('credentials in a query', () => {
  const SECRETS =
    'auth_token=secret-1&url_signature=secret-2&url_methods=secret-3&url_paths=secret-4&url_expires=secret-5'

  test('are in no line of the log', async () => {
    await restart({ OS_HTTP__CREDENTIALS_IN_QUERY: 'true' })
    await service.storage.close()
    for (const query of [
      SECRETS,
      `auth%5Ftoken=secret-6&limit=1`,
      `a=b&&auth_token=secret-7`,
      `?auth_token=secret-8`,
    ]) {
      const answer = await service.client.get(`/v2/queues?${query}`)
      assert.equal(answer.status, 503)
    }
    const lines = JSON.stringify(service.logged)
    assert.equal(service.logged.length, 4)
    assert.match(lines, /"target":"\/v2\/queues"/)
    assert.match(lines, /"target":"\/v2\/queues\?limit=1"/)
    assert.doesNotMatch(lines, /secret/)
    assert.doesNotMatch(service.troubles.map(String).join(), /secret/)
    ;(service.troubles as unknown[]).length = 0
  })

  test('are in no answer', async () => {
    await restart({ OS_HTTP__CREDENTIALS_IN_QUERY: 'true' })
    await post(1)
    const admin = service.client.with({ 'X-Roles': 'admin' })
    for (const target of [MESSAGES, '/v2/queues', '/v1.1/queues', '/v1/queues', '/v2/pools', '/v1/queues/q/messages']) {
      const answer = await admin.get(`${target}?${SECRETS}&limit=1&echo=true`)
      assert.ok(answer.status < 300, `${target}: ${answer.text}`)
      assert.doesNotMatch(JSON.stringify(answer), /secret|auth_token|url_/, target)
    }
  })
})

describe('a request for events', () => {
  test('with parameters that make no sense of a stream is refused, in JSON', async () => {
    for (const query of ['limit=5', 'wait=5', 'ids=a,b']) {
      const name = query.split('=')[0] as string
      const stream = await follow(`${MESSAGES}?${query}`)
      assert.equal(stream.status, 400, query)
      assert.equal(JSON.parse(stream.text).title, 'Invalid parameter')
      assert.match(JSON.parse(stream.text).description, new RegExp(`"${name}"`))
    }
    assert.equal((await follow(`${MESSAGES}?echo=maybe`)).status, 400)
    assert.equal((await follow('/v2/queues/a b/messages')).status, 400)
  })

  test('is answered in JSON where the client prefers that', async () => {
    await post(1)
    for (const accept of [
      'application/json, text/event-stream',
      'text/event-stream;q=0.5, */*',
      '*/*',
      'text/*;q=0.1, application/json',
    ]) {
      const answer = await service.client.get(`${MESSAGES}?limit=1`, { headers: { Accept: accept } })
      assert.equal(answer.headers['content-type'], 'application/json', accept)
    }
    for (const accept of [
      'text/event-stream, application/json;q=0.9',
      'text/event-stream; charset=utf-8',
      'text/event-stream, */*',
    ]) {
      assert.equal((await follow(MESSAGES, { accept })).headers['Content-Type'], 'text/event-stream', accept)
    }
  })

  test('is not acceptable where there are none', async () => {
    for (const target of [
      '/v2/queues',
      '/v2/queues/q',
      `${MESSAGES}/m`,
      '/v1/queues/q/messages',
      '/v1.1/queues/q/messages',
    ]) {
      assert.equal((await follow(target)).status, 406, target)
    }
    const headers = { Accept: 'text/event-stream' }
    assert.equal((await service.client.post(MESSAGES, { messages: [{ body: 1 }] }, { headers })).status, 406)
    assert.equal((await service.client.send('HEAD', MESSAGES, undefined, { headers })).status, 406)
  })
})

describe('over a connection', () => {
  /** Who watches a queue at present. */
  let watchers = 0
  /** Pages that were read. */
  let reads = 0
  let listener: Listener
  const sockets: TextSocket[] = []

  beforeEach(async () => {
    watchers = reads = 0
    await restart(
      { OS_TRANSPORT__MAX_MESSAGES_POST_SIZE: '2000000' },
      {
        async openStorage(clock) {
          const storage = await openSqlite({ path: ':memory:', clock })
          const list: Storage['messages']['list'] = (p) => {
            reads += 1
            return storage.messages.list(p)
          }
          const watch: Storage['watch'] = (queue, listener) => {
            watchers += 1
            const end = storage.watch(queue, listener)
            return () => {
              watchers -= 1
              end()
            }
          }
          return { ...storage, watch, messages: { ...storage.messages, list } }
        },
      },
    )
    listener = await listen(service.handle, listenerOptions())
  })
  afterEach(async () => {
    for (const { socket } of sockets.splice(0)) socket.destroy()
    await listener.close()
  })

  async function ask(target = MESSAGES): Promise<TextSocket> {
    const head = [`GET ${target} HTTP/1.1`, 'Host: localhost', 'Accept: text/event-stream', 'X-Project-ID: p1']
    const socket = await TextSocket.open(listener.port, `${head.join('\r\n')}\r\nClient-ID: ${OTHER_CLIENT_ID}\r\n\r\n`)
    sockets.push(socket)
    return socket
  }

  test('it is sent in chunks as it comes, and ends when the service does', async () => {
    const client = await ask()
    await client.reads('retry: 2000\n')
    assert.match(client.text, /\r\ntransfer-encoding: chunked\r\n/i)
    assert.doesNotMatch(client.text, /content-length/i)
    await post('now')
    await client.reads('"body": "now"}\n\n')
    await listener.close()
    assert.ok((await client.ended).endsWith('\r\n0\r\n\r\n'))
    assert.equal(watchers, 0)
  })

  test('the queue is not watched any more when its client has gone', async () => {
    const [stays, goes] = [await ask(), await ask()]
    await Promise.all([stays.reads('retry'), goes.reads('retry')])
    goes.socket.destroy()
    stays.socket.end()
    await until(async () => watchers === 0, 'the queue is still watched')
  })

  test('a client that reads slowly is read for slowly, and gets everything in order', { timeout: 60_000 }, async () => {
    const headers = { accept: 'text/event-stream', 'client-id': OTHER_CLIENT_ID, 'x-project-id': PROJECT }
    const [response] = (await once(
      get({ port: listener.port, path: MESSAGES, headers, agent: false }),
      'response',
    )) as [IncomingMessage]
    const text = 'x'.repeat(95_000)
    const posts = Array.from({ length: 15 }, (_, i) => Array.from({ length: 20 }, (_, j) => [20 * i + j, text]))
    for (const bodies of posts) await post(...bodies)
    await settled()
    assert.ok(reads < 10, `${reads} pages were read for a client that reads nothing`)
    const reader = new EventReader()
    for await (const chunk of response.setEncoding('utf8')) {
      reader.read(chunk)
      if (reader.events.length === 300) break
    }
    assert.deepEqual(reader.bodies, posts.flat())
  })
})
