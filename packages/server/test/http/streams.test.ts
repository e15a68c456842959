import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import type { Handle } from '../../src/http/handler.ts'
import { type Listener, type ListenerOptions, listen } from '../../src/http/listener.ts'
import type { HttpRequest } from '../../src/http/messages.ts'
import { MemoryBudget, PATIENCE_MS } from '../../src/platform/memory-budget.ts'
import { listenerOptions } from '../support/listener-options.ts'
import { settled } from '../support/settled.ts'
import { TextSocket } from '../support/text-socket.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const LAST_CHUNK = '0\r\n\r\n'
const MIB = 1024 * 1024
/** More than the buffers of the system hold. */
const HUGE = 'x'.repeat(32 * MIB)

/** A stream whose chunks a test gives by hand. */
class Source implements AsyncIterableIterator<string> {
  asked = 0
  /** Resolves when it is told that nobody wants more. */
  readonly returned = Promise.withResolvers<void>()
  returns = 0
  #settled = 0
  readonly #results: PromiseWithResolvers<IteratorResult<string>>[] = [];

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<string>> {
    this.asked += 1
    return this.#result(this.asked).promise
  }

  async return(): Promise<IteratorResult<string>> {
    this.returns += 1
    this.returned.resolve()
    return { done: true, value: undefined }
  }

  give(value: string): void {
    this.#settle().resolve({ done: false, value })
  }

  finish(): void {
    this.#settle().resolve({ done: true, value: undefined })
  }

  fail(error: unknown): void {
    this.#settle().reject(error)
  }

  #settle(): PromiseWithResolvers<IteratorResult<string>> {
    this.#settled += 1
    return this.#result(this.#settled)
  }

  #result(number: number): PromiseWithResolvers<IteratorResult<string>> {
    this.#results[number] ??= Promise.withResolvers()
    return this.#results[number]
  }
}

let source: Source
let troubles: { error: unknown; requestId: string | undefined }[]
let requests: HttpRequest[]
let listener: Listener | null
const sockets: TextSocket[] = []

beforeEach(() => {
  source = new Source()
  troubles = []
  requests = []
})

afterEach(async () => {
  for (const { socket } of sockets.splice(0)) socket.destroy()
  await listener?.close()
})

/** Answers `/silence` never, and everything else with the stream. */
const handle: Handle = async (request) => {
  requests.push(request)
  if (request.target === '/silence') return new Promise(() => {})
  return { status: 200, headers: { 'Content-Type': 'text/event-stream' }, body: source }
}

async function serve(options: Parameters<typeof listenerOptions>[0] = {}, by = handle): Promise<Listener> {
  const onTrouble: ListenerOptions['onTrouble'] = (error, { requestId }) => troubles.push({ error, requestId })
  listener = await listen(by, listenerOptions({ onTrouble, ...options }))
  return listener
}

async function ask(request = GET): Promise<TextSocket> {
  const socket = await TextSocket.open((listener as Listener).port, request)
  sockets.push(socket)
  return socket
}

/** Resolves when a client that asked just now has been cut off for its silence. */
async function silenceIsOver(): Promise<void> {
  await (await ask('GET /silence HTTP/1.1\r\nHost: a\r\n\r\n')).ended
}

/** A budget whose patience a test decides. */
function budgetOf(bytes: number): { budget: MemoryBudget; clock: ManualClock } {
  const clock = new ManualClock()
  return { budget: new MemoryBudget({ bytes, clock }), clock }
}

describe('a stream', () => {
  test('is sent chunk by chunk, as it comes', async () => {
    await serve()
    const client = await ask()
    await client.reads('\r\n\r\n')
    assert.match(client.text, /^HTTP\/1\.1 200 .*\r\ncontent-type: text\/event-stream\r\n/s)
    assert.match(client.text, /\r\ntransfer-encoding: chunked\r\n/i)
    source.give('one')
    await client.reads('3\r\none\r\n')
    source.give('')
    source.give('zwölf')
    await client.reads('6\r\nzw\xc3\xb6lf\r\n')
    source.finish()
    assert.ok((await client.ended).endsWith(`lf\r\n${LAST_CHUNK}`))
    assert.equal(source.returns, 0, 'it has ended by itself')
  })

  test('is asked for no more than the client takes, and what waits is counted', async () => {
    const { budget, clock } = budgetOf(64 * MIB)
    await serve({ budget, clock })
    const client = await ask()
    await client.reads('\r\n\r\n')
    client.socket.pause()
    source.give(HUGE)
    await settled()
    assert.equal(source.asked, 1)
    assert.ok(budget.held > HUGE.length / 2, `${budget.held} bytes are held`)
    client.socket.resume()
    source.finish()
    await client.ended
    assert.equal(source.asked, 2)
    assert.ok(client.text.length > HUGE.length)
    assert.equal(budget.held, 0)
  })

  test('loses its client when others need the memory that it does not take', async () => {
    const { budget, clock } = budgetOf(40 * MIB)
    await serve({ budget, clock })
    const client = await ask()
    await client.reads('\r\n\r\n')
    client.socket.pause()
    source.give(HUGE)
    await settled()
    clock.advance(PATIENCE_MS)
    assert.notEqual(budget.hold(30 * MIB, null), null)
    await source.returned.promise
  })

  test('that is silent loses nothing to others, however long', async () => {
    const { budget, clock } = budgetOf(MIB)
    await serve({ budget, clock })
    const client = await ask()
    source.give('y'.repeat(MIB / 2))
    await client.reads('y\r\n')
    clock.advance(PATIENCE_MS * 10)
    assert.notEqual(budget.hold(MIB, null), null)
    source.give('end')
    await client.reads('3\r\nend')
  })

  test('may be silent for longer than a connection that is asked for an answer', async () => {
    await serve({ silenceSeconds: 0.05 })
    const client = await ask()
    await client.reads('\r\n\r\n')
    await silenceIsOver()
    await silenceIsOver()
    source.give('still there')
    await client.reads('still there')
  })

  test('loses a client that takes nothing', async () => {
    const { budget, clock } = budgetOf(64 * MIB)
    await serve({ silenceSeconds: 0.05, budget, clock })
    const client = await ask()
    await client.reads('\r\n\r\n')
    client.socket.pause()
    source.give(HUGE)
    await source.returned.promise
    assert.equal(budget.held, 0)
    assert.equal(source.asked, 1)
  })

  for (const [how, leave] of [
    ['goes away', ({ socket }: TextSocket) => void socket.destroy()],
    ['breaks the connection', ({ socket }: TextSocket) => void socket.resetAndDestroy()],
    ['closes its side', ({ socket }: TextSocket) => void socket.end()],
  ] as const) {
    test(`ends when its client ${how}`, async () => {
      await serve()
      const client = await ask()
      source.give('one')
      await client.reads('one')
      const signal = requests[0]?.signal?.()
      leave(client)
      await source.returned.promise
      assert.equal(source.returns, 1)
      assert.ok(signal?.aborted)
      // As a wait does that is told to end.
      source.fail(new Error('aborted'))
      assert.ok(!(await client.ended).includes(LAST_CHUNK))
      await settled()
      assert.deepEqual(troubles, [])
    })
  }

  test('ends when its client has gone before it begins', async () => {
    const asked = Promise.withResolvers<void>()
    await serve({}, async (request) => {
      const gone = new Promise((resolve) => request.signal?.().addEventListener('abort', resolve))
      asked.resolve()
      await gone
      return handle(request)
    })
    const client = await ask()
    await asked.promise
    client.socket.destroy()
    await source.returned.promise
    assert.equal(source.returns, 1)
  })

  test('that fails breaks the connection and is reported once', async () => {
    await serve()
    const client = await ask()
    source.give('one')
    await client.reads('one')
    const error = new Error('broken')
    source.fail(error)
    assert.ok(!(await client.ended).includes(LAST_CHUNK))
    assert.deepEqual(troubles, [{ error, requestId: requests[0]?.id }])
    assert.equal(source.returns, 0, 'it has ended by itself')
  })

  test('that fails to end is reported', async () => {
    await serve()
    const error = new Error('broken')
    source.return = () => Promise.reject(error)
    const client = await ask()
    await client.reads('\r\n\r\n')
    await listener?.close()
    assert.deepEqual(troubles, [{ error, requestId: requests[0]?.id }])
  })

  test('may be a generator, whose end comes behind its next chunk', async () => {
    const released = Promise.withResolvers<void>()
    const next = Promise.withResolvers<void>()
    async function* chunks() {
      try {
        yield 'one'
        await next.promise
        yield 'two'
      } finally {
        released.resolve()
      }
    }
    await serve({}, async () => ({ status: 200, headers: {}, body: chunks() }))
    const client = await ask()
    await client.reads('one')
    await listener?.close()
    assert.ok((await client.ended).endsWith(LAST_CHUNK))
    next.resolve()
    await released.promise
  })

  test('in answer to HEAD is only its head, and ends', async () => {
    await serve()
    const client = await ask('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match(await client.ended, /^HTTP\/1\.1 200 .*\r\n\r\n$/s)
    assert.equal(source.asked, 0)
    assert.equal(source.returns, 1)
  })

  for (const version of ['', 'Connection: keep-alive\r\n']) {
    test(`over HTTP/1.0 ends with the connection ${version && '(keep-alive)'}`, async () => {
      await serve()
      const client = await ask(`GET / HTTP/1.0\r\n${version}\r\n`)
      source.give('one')
      await client.reads('one')
      source.give('two')
      await client.reads('two')
      source.finish()
      const text = await client.ended
      assert.doesNotMatch(text, /transfer-encoding|keep-alive/i)
      assert.ok(text.endsWith('\r\n\r\nonetwo'))
    })
  }
})

describe('a listener that closes', () => {
  test('ends its streams, silent ones too', async () => {
    await serve()
    const client = await ask()
    source.give('one')
    await client.reads('one')
    await listener?.close()
    assert.equal(source.returns, 1)
    assert.ok((await client.ended).endsWith(LAST_CHUNK))
  })

  test('ends a stream that begins only then', async () => {
    const asked = Promise.withResolvers<void>()
    const mayAnswer = Promise.withResolvers<void>()
    await serve({}, async (request) => {
      asked.resolve()
      await mayAnswer.promise
      return handle(request)
    })
    const client = await ask()
    await asked.promise
    const closed = listener?.close()
    mayAnswer.resolve()
    await closed
    assert.equal(source.returns, 1)
    assert.ok((await client.ended).endsWith(LAST_CHUNK))
  })

  test('sends the chunk that was begun to the end', async () => {
    await serve()
    const client = await ask()
    await client.reads('\r\n\r\n')
    client.socket.pause()
    source.give(HUGE)
    await settled()
    const closed = listener?.close()
    assert.equal(source.returns, 1)
    client.socket.resume()
    await closed
    assert.ok((await client.ended).length > HUGE.length)
    assert.ok(client.text.endsWith(LAST_CHUNK))
  })

  test('cuts off who does not take the end of a stream in time', async () => {
    const clock = new ManualClock()
    await serve({ closingSeconds: 5, clock })
    const client = await ask()
    await client.reads('\r\n\r\n')
    client.socket.pause()
    source.give(HUGE)
    await settled()
    const closed = listener?.close()
    clock.advance(5_000)
    await closed
  })
})
