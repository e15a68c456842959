import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import type { Handle } from '../../src/http/handler.ts'
import { type Listener, listen } from '../../src/http/listener.ts'
import { MemoryBudget, PATIENCE_MS } from '../../src/platform/memory-budget.ts'
import { WireError } from '../../src/wire/wire-error.ts'
import { listenerOptions } from '../support/listener-options.ts'
import { RawSocket } from '../support/raw-socket.ts'

const KIB = 1024
const BUDGET = 4 * KIB * KIB
const BODY_BYTES = 250 * KIB

const open: { destroy(): void }[] = []
const listeners: Listener[] = []
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  await Promise.all(listeners.splice(0).map((listener) => listener.close()))
})

async function serve(handle: Handle, bytes = BUDGET) {
  const clock = new ManualClock()
  const budget = new MemoryBudget({ bytes, clock })
  const listener = await listen(
    handle,
    listenerOptions({ budget, clock, maxBodyBytes: () => 256 * KIB, maxConnections: 5000 }),
  )
  listeners.push(listener)
  const raw = async () => {
    const socket = await RawSocket.connect(listener.port)
    open.push(socket)
    return socket
  }
  return { port: listener.port, clock, budget, raw }
}

const post = (bytes: number) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`

/** Reads bodies and answers how long they were. */
const measure: Handle = async ({ readBody }) => {
  try {
    return { status: 200, headers: {}, body: String((await readBody()).bytes) }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return { status: error.status, headers: error.headers, body: '' }
  }
}

/** Resolves as soon as `is` says so; looks after every turn of the event loop. */
async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise(setImmediate)
}

describe('bodies that come and do not end', () => {
  test('take no more than the budget; further ones are refused for a while, small ones are not', async () => {
    const service = await serve(measure)
    const halves = await Promise.all(Array.from({ length: 40 }, service.raw))
    await Promise.all(halves.map((socket) => socket.write(post(BODY_BYTES) + 'x'.repeat(BODY_BYTES - 1))))
    await until(() => service.budget.held > BUDGET / 2)
    const large = await service.raw()
    await large.write(post(BODY_BYTES) + 'x'.repeat(BODY_BYTES))
    const refusal = await large.answer()
    assert.equal(refusal?.status, 503)
    assert.equal(refusal?.headers.get('retry-after'), '1')
    const small = await service.raw()
    await small.write(`${post(1000)}${'x'.repeat(1000)}`)
    assert.equal((await small.answer())?.body, '1000')
    assert.ok(service.budget.held <= BUDGET, `${service.budget.held}`)
  })

  test('are given up for others when they have made no progress', async () => {
    const service = await serve(measure)
    const halves = await Promise.all(Array.from({ length: 7 }, service.raw))
    await Promise.all(halves.map((socket) => socket.write(post(BODY_BYTES))))
    await until(() => service.budget.held > 7 * 2 * BODY_BYTES)
    service.clock.advance(PATIENCE_MS)
    const large = await service.raw()
    await large.write(post(BODY_BYTES) + 'x'.repeat(BODY_BYTES))
    assert.equal((await large.answer())?.body, String(BODY_BYTES))
    const refusal = await Promise.race(halves.map((socket) => socket.answer()))
    assert.equal(refusal?.status, 503)
    assert.equal(refusal?.headers.get('retry-after'), '1')
    assert.equal(refusal?.headers.get('connection'), 'close')
  })

  test('in chunks count like others as soon as they are no longer small', async () => {
    const service = await serve(measure)
    const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    const sockets = await Promise.all(Array.from({ length: 40 }, service.raw))
    await Promise.all(sockets.map((socket) => socket.write(`${chunked}8000\r\n${'x'.repeat(0x8000)}\r\n`)))
    await until(() => service.budget.held > BUDGET / 2)
    assert.ok(service.budget.held <= BUDGET)
    const small = await service.raw()
    await small.write(`${chunked}5\r\nhello\r\n0\r\n\r\n`)
    assert.equal((await small.answer())?.body, '5')
  })

  test('give back what they held when their clients go', async () => {
    const service = await serve(measure)
    const half = await service.raw()
    await half.write(post(BODY_BYTES))
    await until(() => service.budget.held > 0)
    half.destroy()
    await until(() => service.budget.held === 0)
  })
})

describe('a body', () => {
  test('of one who is refused is never kept', async () => {
    let most = 0
    const service = await serve(async () => {
      await new Promise(setImmediate)
      most = Math.max(most, service.budget.held)
      return { status: 401, headers: {}, body: '' }
    })
    const socket = await service.raw()
    await socket.write(post(BODY_BYTES) + 'x'.repeat(BODY_BYTES))
    assert.equal((await socket.answer())?.status, 401)
    // No more than Node has read before anybody could say no.
    assert.ok(most < 100 * KIB, `${most}`)
    await socket.write(`${post(3)}abc`)
    assert.equal((await socket.answer())?.status, 401)
  })

  test('is not read before the turn of its request', async () => {
    const turn = Promise.withResolvers<void>()
    let begun = 0
    const service = await serve(async (request) => {
      begun += 1
      await turn.promise
      return measure(request)
    })
    const socket = await service.raw()
    const sent = socket.write((post(BODY_BYTES) + 'x'.repeat(BODY_BYTES)).repeat(40))
    const other = await service.raw()
    await other.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => begun === 2)
    assert.ok(service.budget.held < 3 * BODY_BYTES, `${service.budget.held}`)
    turn.resolve()
    await sent
    for (let i = 0; i < 40; i++) assert.equal((await socket.answer())?.body, String(BODY_BYTES))
  })
})

describe('requests behind one that waits', () => {
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

  test('are read no further than Node reads at one time, and answered all the same', async () => {
    const end = Promise.withResolvers<typeof EMPTY>()
    let served = 0
    const service = await serve(
      ({ target }) => {
        served += 1
        return target === '/wait' ? end.promise : Promise.resolve(EMPTY)
      },
      1024 * KIB * KIB,
    )
    const eager = await service.raw()
    const sent = eager.write(get.replace('/', '/wait') + get.repeat(6_000))
    const other = await service.raw()
    for (let i = 0; i < 100; i++) {
      await other.write(get)
      await other.answer()
    }
    const most = service.budget.held
    assert.ok(most < 12 * KIB * KIB, `${most}`)
    end.resolve(EMPTY)
    await sent
    await until(() => served === 6_101)
    assert.ok(service.budget.held < 12 * KIB * KIB)
  })

  test('are counted, and whoever sends too many for the budget loses the connection', async () => {
    const end = Promise.withResolvers<typeof EMPTY>()
    const service = await serve(({ target }) => (target === '/wait' ? end.promise : Promise.resolve(EMPTY)))
    const greedy = await Promise.all(Array.from({ length: 10 }, service.raw))
    const wait = get.replace('/', '/wait')
    await Promise.all(greedy.map((socket) => socket.write(wait + get.repeat(1000))))
    const modest = await service.raw()
    await modest.write(get.repeat(5))
    for (let i = 0; i < 5; i++) assert.equal((await modest.answer())?.status, 200)
    assert.ok(service.budget.held <= BUDGET, `${service.budget.held}`)
    const ends = greedy.map((socket) => socket.answer())
    assert.equal(await Promise.race(ends), null)
    end.resolve(EMPTY)
  })
})

const EMPTY = { status: 200, headers: {}, body: '' }

describe('answers', () => {
  // No buffer of the system holds all of it.
  const ANSWER = 'x'.repeat(8 * KIB * KIB)

  async function ask(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').pause()
    open.push(socket)
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    return socket
  }

  test('that nobody takes are counted until they are taken', async () => {
    const service = await serve(async () => ({ status: 200, headers: {}, body: ANSWER }))
    const socket = await ask(service.port)
    await until(() => service.budget.held > KIB * KIB)
    socket.resume()
    await until(() => service.budget.held === 0)
  })

  test('that nobody takes make room for others', async () => {
    const service = await serve(async () => ({ status: 200, headers: {}, body: ANSWER }))
    const slow = await Promise.all([ask(service.port), ask(service.port), ask(service.port)])
    await until(() => service.budget.held > BUDGET)
    const ends = slow.map((socket) => once(socket, 'close'))
    service.clock.advance(PATIENCE_MS)
    await service.budget.wait(BUDGET / 4)
    for (const socket of slow) socket.on('error', () => {}).resume()
    await Promise.race(ends)
  })

  test('that are the same for everybody are not counted', async () => {
    const shared = Buffer.from(ANSWER)
    const service = await serve(async () => ({ status: 200, headers: {}, body: shared }))
    const socket = await ask(service.port)
    socket.resume()
    const [first] = await once(socket, 'data')
    assert.ok(first.length > 0)
    assert.equal(service.budget.held, 0)
  })
})
