/** WebSockets on a real port, at a time that the test decides. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { afterEach, describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WebSocket } from 'ws'
import { type Listener, listen } from '../../src/http/listener.ts'
import { ownPortHandle } from '../../src/websocket/own-port.ts'
import { FrameSocket, frame, OPCODE } from '../support/frame-socket.ts'
import { listenerOptions } from '../support/listener-options.ts'
import { RawSocket } from '../support/raw-socket.ts'
import { settled } from '../support/settled.ts'
import { SocketClient } from '../support/socket-client.ts'
import { type SocketService, socketServices } from '../support/socket-service.ts'
import { TextSocket } from '../support/text-socket.ts'
import { until } from '../support/until.ts'

const start = socketServices()
const CALM = { OS_DRIVERS_TRANSPORT_WEBSOCKET__PING_INTERVAL: '3600' }
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

const message = (body: unknown) => ({ body, ttl: 300 })

/** A request for an upgrade, as text. */
const handshake = (...headers: readonly string[]): string =>
  [
    'GET /any/path?x=1 HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    ...headers,
    '',
    '',
  ].join('\r\n')

/** Of what is still needed. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

/** Moves the clock so that every second is seen. */
async function pass(service: SocketService, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    service.clock.advance(1_000)
    await settled()
  }
}

describe('a handshake', () => {
  for (const version of ['13', '8']) {
    test(`in version ${version} is accepted at any path, whatever else it offers`, async () => {
      const { port } = await start()
      const offers = ['Sec-WebSocket-Protocol: a, b', 'Sec-WebSocket-Extensions: permessage-deflate']
      const client = await TextSocket.open(port, handshake(`Sec-WebSocket-Version: ${version}`, ...offers))
      await client.reads('\r\n\r\n')
      assert.match(client.text, /^HTTP\/1\.1 101 /)
      assert.match(client.text, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/)
      assert.doesNotMatch(client.text, /Protocol:|Extensions:/)
      client.socket.destroy()
    })
  }

  for (const [what, headers, status] of [
    ['in another version', ['Sec-WebSocket-Version: 7'], 400],
    ['without a version', [], 400],
    ['by a page of another origin', ['Sec-WebSocket-Version: 13', 'Origin: http://evil.example'], 403],
    [
      'by a page of another origin in version 8',
      ['Sec-WebSocket-Version: 8', 'Sec-WebSocket-Origin: http://evil.example'],
      403,
    ],
  ] as const) {
    test(`${what} is refused with ${status}`, async () => {
      const service = await start()
      const socket = await RawSocket.connect(service.port)
      await socket.write(handshake(...headers))
      const answer = await socket.answer()
      assert.equal(answer?.status, status)
      assert.ok(JSON.parse(answer.body).description.length > 0)
      if (status === 400) assert.equal(answer.headers.get('sec-websocket-version'), '13, 8')
      service.clock.advance(1_000)
      assert.deepEqual(await socket.answers(), [], 'the connection ends, though its client does not')
      socket.destroy()
    })
  }

  test('by a page whose origin is allowed is accepted', async () => {
    const service = await start({ OS_CORS__ALLOWED_ORIGIN: 'https://app.example' })
    const client = await service.connect({ origin: 'https://app.example' })
    assert.equal((await client.ask('queue_list')).status, 200)
  })

  test('without a good key is refused', async () => {
    const { port } = await start()
    const socket = await RawSocket.connect(port)
    await socket.write(handshake('Sec-WebSocket-Version: 13').replace(KEY, 'short'))
    assert.equal((await socket.answer())?.status, 400)
    socket.destroy()
  })

  test('is not there where the operator wants none', async () => {
    const { port } = await start({ OS_DRIVERS_TRANSPORT_WEBSOCKET__ENABLED: 'false' })
    const socket = await RawSocket.connect(port)
    await socket.write(handshake('Sec-WebSocket-Version: 13'))
    assert.equal((await socket.answer())?.status, 404)
    socket.destroy()
  })
})

describe('the port of its own', () => {
  let listener: Listener
  afterEach(() => listener.close())

  async function open(env: Record<string, string> = {}): Promise<void> {
    const service = await start({ OS_DRIVERS_TRANSPORT_WEBSOCKET__PORT: '0', ...env })
    const { clock, upgradeAtOwnPort: upgrade } = service
    listener = await listen(ownPortHandle, listenerOptions({ clock, upgrade }))
  }

  async function status(text: string): Promise<number | undefined> {
    const socket = await RawSocket.connect(listener.port)
    await socket.write(text)
    const answer = await socket.answer()
    socket.destroy()
    return answer?.status
  }

  test('shows a page to GET, refuses other methods, and speaks WebSocket', async () => {
    await open()
    const answer = await fetch(`http://127.0.0.1:${listener.port}/`)
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/html; charset=utf-8'])
    assert.match(await answer.text(), /WebSocket/)
    assert.equal((await fetch(`http://127.0.0.1:${listener.port}/v2/queues`, { method: 'POST' })).status, 405)
    const client = await SocketClient.open(listener.port)
    assert.equal((await client.ask('queue_list')).status, 200)
    client.ws.terminate()
  })

  test('looks at the port of the host where one is configured', async () => {
    await open({ OS_DRIVERS_TRANSPORT_WEBSOCKET__EXTERNAL_PORT: '443' })
    const to = (host: string) => handshake('Sec-WebSocket-Version: 13').replace('127.0.0.1', host)
    assert.equal(await status(to('127.0.0.1:9000')), 400)
    assert.equal(await status(to('127.0.0.1:443')), 101)
    assert.equal(await status(to('127.0.0.1')), 101)
  })
})

describe('a connection', () => {
  test('gets what is posted to a queue that it has subscribed to, behind the answer to its subscription', async () => {
    const service = await start()
    const client = await service.connect()
    const other = await service.connect()
    client.send('subscription_create', { queue_name: 'kit' })
    assert.equal((await client.next()).headers.status, 201)
    await other.ask('message_post', { queue_name: 'kit', messages: [message(1), message({ a: 'ü' })] })
    const notification = { ttl: 300, Message_Type: 'Notification', queue_name: 'kit' }
    assert.deepEqual(
      [await client.next(), await client.next()],
      [
        { ...notification, body: 1 },
        { ...notification, body: { a: 'ü' } },
      ],
    )
    client.ws.close()
    await client.closed
    await until(() => service.endedSockets.length === 1)
    const [ended] = service.endedSockets
    assert.deepEqual(ended, {
      clientAddress: '127.0.0.1',
      seconds: 0,
      requests: 1,
      subscriptions: 1,
      pushed: 2,
      code: 1005,
    })
    const { body } = await other.ask('subscription_list', { queue_name: 'kit' })
    assert.deepEqual(body.subscriptions, [])
  })

  test('is answered while one of its requests waits, and that one when there is something', async () => {
    const service = await start()
    const client = await service.connect()
    client.send('claim_create', { queue_name: 'kit', wait: 20 })
    assert.equal((await client.ask('queue_list')).status, 200)
    client.send('message_post', { queue_name: 'kit', messages: [message('at last')] })
    const answers = [await client.next(), await client.next()]
    const claimed = answers.find(({ request }) => request.action === 'claim_create')
    assert.equal(claimed.body.messages[0].body, 'at last')
  })

  test('may ask for much at once, and is answered in order', async () => {
    const service = await start()
    const client = await service.connect()
    for (let i = 0; i < 300; i++)
      client.send('queue_create', { queue_name: `q${i}`, metadata: { x: 'x'.repeat(2_000) } })
    for (let i = 0; i < 300; i++) assert.equal((await client.next()).body, `Queue q${i} created.`)
  })

  test('that waits with much keeps little of it', async () => {
    const service = await start(CALM)
    const clients = await Promise.all(Array.from({ length: 10 }, () => service.connect()))
    const parts = Array.from({ length: 85_000 }, () => ({}))
    const finished = [{ id: 'a', claim_id: 'b', x: parts }]
    // What the first such request leaves behind for good.
    assert.equal(
      (await (clients[0] as SocketClient).ask('claim_create', { queue_name: 'kit', delete: finished })).status,
      200,
    )
    const before = heapUsed()
    for (const client of clients) {
      for (let i = 0; i < 3; i++) client.send('claim_create', { queue_name: 'kit', wait: 20, delete: finished })
      assert.equal((await client.ask('queue_list')).status, 200)
    }
    const grown = (heapUsed() - before) / 30
    assert.ok(grown < 1_000_000, `${grown} bytes for each request of ${JSON.stringify(finished).length}`)
  })

  test('may have many requests that wait read at once, and is read on', async () => {
    const service = await start()
    const client = await service.connect()
    for (let i = 0; i < 50; i++) client.send('claim_create', { queue_name: 'kit', wait: 20 })
    assert.equal((await client.ask('queue_list')).status, 200)
  })

  test('is told with 1009 that a message is too large', async () => {
    const service = await start()
    const client = await service.connect()
    client.ws.send('x'.repeat(400_000))
    assert.equal((await client.closed).code, 1009)
  })

  test('may send what HTTP takes', async () => {
    const service = await start()
    const client = await service.connect()
    const body = { queue_name: 'kit', messages: [message('x'.repeat(250_000))] }
    assert.equal((await client.ask('message_post', body)).status, 201)
  })

  test('is pinged, and cut off when it does not answer until the next ping', async () => {
    const service = await start()
    const client = await service.connect()
    const deaf = await service.connect({ autoPong: false })
    for (let rounds = 0; rounds < 3; rounds++) {
      const pinged = once(client.ws, 'ping')
      await pass(service, 30)
      await pinged
      // Its pong has arrived when it has an answer.
      assert.equal((await client.ask('queue_list')).status, 200)
      await pass(service, 1)
    }
    assert.equal((await deaf.closed).code, 1006)
    assert.equal(client.ws.readyState, WebSocket.OPEN)
  })

  test('has its pings answered', async () => {
    const service = await start()
    const client = await service.connect()
    client.ws.ping('are you there?')
    const [payload] = await once(client.ws, 'pong')
    assert.equal(String(payload), 'are you there?')
  })

  test('is closed when it asks for nothing for long, unless messages are pushed to it', async () => {
    const service = await start({ ...CALM, OS_DRIVERS_TRANSPORT_WEBSOCKET__IDLE_TIMEOUT: '10' })
    const idle = await service.connect()
    const subscribed = await service.connect()
    await subscribed.ask('subscription_create', { queue_name: 'kit' })
    const waiting = await service.connect()
    waiting.send('claim_create', { queue_name: 'kit', wait: 20 })
    // What came before this has been read.
    await subscribed.ask('queue_list')
    service.clock.advance(10_000)
    assert.equal((await idle.closed).code, 1008)
    assert.equal((await subscribed.ask('queue_list')).status, 200)
    assert.equal(waiting.ws.readyState, WebSocket.OPEN)
  })
})

describe('a reader who takes nothing', () => {
  /** More than the buffers of the system hold. */
  const LARGE = 'x'.repeat(200_000)

  test('of what is pushed loses the connection with 1013, others get everything, and its marker covers the rest', async () => {
    const service = await start(CALM)
    const poster = await service.connect()
    const slow = await service.connect()
    const swift = await service.connect()
    const subscription = { queue_name: 'kit', options: { _with_ids: true } }
    for (const client of [slow, swift]) await client.ask('subscription_create', subscription)
    slow.ws.pause()
    const MESSAGES = 100
    for (let i = 0; i < MESSAGES; i++) {
      const posted = { queue_name: 'kit', messages: [message(`${i} ${LARGE}`)] }
      assert.equal((await poster.ask('message_post', posted)).status, 201)
      assert.match((await swift.next()).body, new RegExp(`^${i} `))
    }
    await pass(service, 5)
    slow.ws.resume()
    assert.equal((await slow.closed).code, 1013)
    const last = slow.unread.at(-1)
    assert.ok(slow.unread.length < MESSAGES, `${slow.unread.length} were taken`)
    const again = await service.connect()
    await again.ask('subscription_create', { ...subscription, marker: last.marker })
    for (let i = slow.unread.length; i < MESSAGES; i++) assert.match((await again.next()).body, new RegExp(`^${i} `))
  })

  test('at once, but something every few seconds, gets everything', async () => {
    const service = await start(CALM)
    const poster = await service.connect()
    const slow = await service.connect()
    await slow.ask('subscription_create', { queue_name: 'kit' })
    slow.ws.pause()
    const ROUNDS = 5
    const MESSAGES = 150
    for (let i = 0; i < MESSAGES; i++)
      await poster.ask('message_post', { queue_name: 'kit', messages: [message(LARGE)] })
    for (let round = 0; round < ROUNDS; round++) {
      await pass(service, 2)
      slow.ws.resume()
      for (let i = 0; i < MESSAGES / ROUNDS; i++) await slow.next()
      slow.ws.pause()
    }
    assert.equal(slow.ws.readyState, WebSocket.OPEN)
  })

  test('of answers is not asked for more, and goes on when it takes them', async () => {
    const service = await start(CALM)
    const client = await service.connect()
    await client.ask('message_post', { queue_name: 'kit', messages: [message(LARGE)] })
    client.ws.pause()
    const REQUESTS = 60
    for (let i = 0; i < REQUESTS; i++)
      client.send('message_list', { queue_name: 'kit', echo: true, limit: (i % 20) + 1 })
    client.ws.resume()
    for (let i = 0; i < REQUESTS; i++) assert.equal((await client.next()).request.body.limit, (i % 20) + 1)
  })
})

describe('who takes no answer for a minute is cut off, whatever it sends', () => {
  for (const [what, end] of [
    ['while it is served', async () => {}],
    ['while the service ends', (service: SocketService) => service.shutDown()],
  ] as const) {
    test(what, async () => {
      const service = await start(CALM)
      const client = await service.connect()
      const other = await service.connect()
      for (let i = 0; i < 20; i++)
        await client.ask('message_post', { queue_name: 'kit', messages: [message('x'.repeat(200_000))] })
      client.ws.pause()
      const all = { queue_name: 'kit', echo: true, limit: 20 }
      for (let i = 0; i < 10; i++) client.send('message_list', all)
      // Meanwhile it is served as well, until nothing more is taken.
      for (let i = 0; i < 10; i++) assert.equal((await other.ask('message_list', all)).status, 200)
      other.ws.terminate()
      await until(() => service.endedSockets.length === 1)
      const ended = end(service)
      for (let halves = 0; halves < 3; halves++) {
        await pass(service, 30)
        client.send('ping_node')
      }
      client.ws.terminate()
      await until(() => service.endedSockets.length === 2)
      assert.equal(service.endedSockets[1]?.code, 1013)
      await ended
    })
  }
})

describe('where memory is short', () => {
  test('what comes behind the end of a connection takes none of it', async () => {
    const idle = { OS_DRIVERS_TRANSPORT_WEBSOCKET__IDLE_TIMEOUT: '10' }
    const service = await start({ ...CALM, ...idle }, {}, { budgetBytes: 1024 * 1024 })
    const greedy = await FrameSocket.open(service.port)
    service.clock.advance(10_000)
    assert.equal(await greedy.closeCode(), 1008)
    const COUNT = 8
    const large = frame({ opcode: OPCODE.text, payload: 'x'.repeat(200_000) })
    for (let i = 0; i < COUNT; i++) await greedy.write(large)
    const honest = await service.connect()
    const posted = { queue_name: 'kit', messages: [message('x'.repeat(200_000))] }
    for (let i = 0; i < COUNT; i++) assert.equal((await honest.ask('message_post', posted)).status, 201)
    greedy.socket.destroy()
  })

  const PART = Buffer.concat([frame({ opcode: OPCODE.text, announced: 250_000n }), Buffer.alloc(240_000)])

  test('who sends messages in part is kept out, or gives way to others who go on; small requests are served', async () => {
    const service = await start(CALM, {}, { budgetBytes: 1024 * 1024 })
    const honest = await service.connect()
    const greedy = await Promise.all(Array.from({ length: 8 }, () => FrameSocket.open(service.port)))
    const codes = greedy.map((socket) => socket.closeCode())
    for (const socket of greedy) await socket.write(PART)
    assert.equal(await Promise.race(codes), 1013)
    assert.equal((await honest.ask('queue_list')).status, 200)
    service.clock.advance(1_000)
    const large = { queue_name: 'kit', messages: [message('x'.repeat(200_000))] }
    assert.equal((await honest.ask('message_post', large)).status, 201)
    for (const { socket } of greedy) socket.destroy()
  })
})

describe('at the end of the service', () => {
  test('connections are closed with 1001 behind what is under way, and requests that wait are answered', async () => {
    const service = await start()
    const idle = await service.connect()
    const waiting = await service.connect()
    await waiting.ask('subscription_create', { queue_name: 'kit' })
    waiting.send('claim_create', { queue_name: 'other', wait: 20 })
    assert.equal((await waiting.ask('queue_list')).status, 200)
    await service.shutDown()
    assert.equal((await waiting.next()).headers.status, 204)
    assert.equal((await waiting.closed).code, 1001)
    assert.equal((await idle.closed).code, 1001)
  })
})
