import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import type { Handle } from '../../src/http/handler.ts'
import { type Listener, listen, type Upgrade } from '../../src/http/listener.ts'
import { listenerOptions } from '../support/listener-options.ts'
import { TextSocket } from '../support/text-socket.ts'

const REQUEST = 'GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'
/** More than the buffers of the system hold. */
const HUGE = 'x'.repeat(32 * 1024 * 1024)

/** Says back what it is told; what `huge` is answered with is more than anybody takes at once. */
const echo: Upgrade = {
  protocol: 'echo',
  take(_request, socket, head) {
    taken.push(socket)
    socket.write(SWITCHED)
    socket.write(head)
    socket.on('data', (data) => socket.write(String(data) === 'huge' ? HUGE : data))
    socket.on('end', () => socket.end())
    return () => {
      told += 1
      if (!isDeaf) socket.end('bye')
    }
  },
}

let taken: Socket[]
let told: number
/** Whether it does not do what it is told. */
let isDeaf: boolean
let listener: Listener
const sockets: TextSocket[] = []

beforeEach(() => {
  taken = []
  told = 0
  isDeaf = false
})

afterEach(async () => {
  for (const { socket } of sockets.splice(0)) socket.destroy()
  await listener.close()
})

/** Answers `/silence` never, and everything else with its path. */
const handle: Handle = async ({ target }) =>
  target === '/silence' ? new Promise(() => {}) : { status: 200, headers: {}, body: target }

async function serve(options: Parameters<typeof listenerOptions>[0] = {}, by = handle): Promise<void> {
  listener = await listen(by, listenerOptions({ upgrade: echo, ...options }))
}

async function open(request = REQUEST): Promise<TextSocket> {
  const socket = await TextSocket.open(listener.port, request)
  sockets.push(socket)
  return socket
}

async function upgraded(): Promise<TextSocket> {
  const client = await open()
  await client.reads(SWITCHED)
  return client
}

describe('a connection that is upgraded', () => {
  test('is handed over with what has arrived behind the request', async () => {
    await serve()
    const client = await open(`${REQUEST}hello`)
    await client.reads(`${SWITCHED}hello`)
    client.write(' again')
    await client.reads('hello again')
  })

  test('may have been used before', async () => {
    await serve()
    const client = await open('GET /first HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.reads('/first')
    client.write(REQUEST)
    await client.reads(SWITCHED)
  })

  for (const [what, request] of [
    ['for another protocol', REQUEST.replace('Upgrade: echo', 'Upgrade: h2c')],
    ['in HTTP/1.0', REQUEST.replace('HTTP/1.1', 'HTTP/1.0')],
    ['with a body', REQUEST.replace('Host: a', 'Host: a\r\nContent-Length: 2').concat('{}')],
  ] as const) {
    test(`is not, when it is asked ${what}: the answer comes over HTTP`, async () => {
      await serve()
      const client = await open(request)
      await client.reads('/echo')
      assert.match(client.text, /^HTTP\/1\.1 200 /)
      assert.deepEqual(taken, [])
    })
  }

  test('is not by a request with two hosts', async () => {
    await serve()
    const client = await open(REQUEST.replace('Host: a', 'Host: a\r\nHost: b'))
    await client.reads('HTTP/1.1 400 ')
    assert.deepEqual(taken, [])
  })

  test('is not behind requests without their answer', async () => {
    const mayAnswer = Promise.withResolvers<void>()
    await serve({}, async (request) => {
      await mayAnswer.promise
      return handle(request)
    })
    const client = await open(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${REQUEST}`)
    mayAnswer.resolve()
    await client.reads('/echo')
    assert.ok(client.text.indexOf('/first') < client.text.indexOf('/echo'))
    assert.deepEqual(taken, [])
  })

  test('is not where there is nothing to take it over', async () => {
    await serve({ upgrade: null })
    const client = await open()
    await client.reads('/echo')
    assert.match(client.text, /^HTTP\/1\.1 200 /)
  })

  test('may be silent for longer than one that is asked for an answer', async () => {
    await serve({ silenceSeconds: 0.05 })
    const client = await upgraded()
    for (let rounds = 0; rounds < 2; rounds++) {
      // Cut off when as much time has passed.
      await (await open('GET /silence HTTP/1.1\r\nHost: a\r\n\r\n')).ended
    }
    client.write('still there')
    await client.reads('still there')
  })

  test('is cut off when its client takes nothing', async () => {
    await serve({ silenceSeconds: 0.05 })
    const client = await upgraded()
    client.socket.pause()
    client.write('huge')
    await once(taken[0] as Socket, 'close')
  })

  test('may break, and nobody else notices', async () => {
    await serve()
    const broken = await upgraded()
    const [socket] = taken as [Socket]
    const closed = new Promise((resolve) => socket.once('close', resolve))
    broken.socket.resetAndDestroy()
    await closed
    const other = await open(`${REQUEST}hello`)
    await other.reads('hello')
  })

  test('counts in the limit of connections', async () => {
    await serve({ maxConnections: 1 })
    const client = await upgraded()
    assert.equal(await (await open()).ended, '')
    const closed = once(taken[0] as Socket, 'close')
    client.socket.destroy()
    await closed
    await upgraded()
  })
})

describe('a listener that closes', () => {
  test('tells upgraded connections to end, once, and waits for them', async () => {
    await serve()
    const client = await upgraded()
    const closed = listener.close()
    await listener.close()
    await closed
    assert.equal(told, 1)
    assert.equal(await client.ended, `${SWITCHED}bye`)
  })

  test('tells one that is upgraded only then', async () => {
    await serve()
    const client = await open('GET /first HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.reads('/first')
    const half = REQUEST.length / 2
    client.write(REQUEST.slice(0, half))
    // What came before this has arrived.
    await (await open('GET /second HTTP/1.1\r\nHost: a\r\n\r\n')).reads('/second')
    const closed = listener.close()
    client.write(REQUEST.slice(half))
    await client.reads('bye')
    await closed
    assert.equal(told, 1)
  })

  test('cuts off those that do not end in time', async () => {
    const clock = new ManualClock()
    await serve({ closingSeconds: 5, clock })
    isDeaf = true
    const client = await upgraded()
    const closed = listener.close()
    client.write('still there')
    await client.reads('still there')
    clock.advance(5_000)
    await closed
    assert.equal(await client.ended, `${SWITCHED}still there`)
  })
})
