import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { BadRequest, Timeout, Unavailable, Unreachable, Zaqar, ZaqarError, type ZaqarOptions } from '../src/http.ts'
import {
  answer,
  bytes,
  headOf,
  resetAtOnce,
  resetWhenAsked,
  type Step,
  silence,
  startUglyServer,
  type UglyServer,
} from './ugly-server.ts'

const HOUR_MS = 3_600_000
const MESSAGES = { messages: [], links: [] }
const POSTED = answer(201, { resources: ['/v2/queues/jobs/messages/1'] })
const LISTED = answer(200, MESSAGES)
const CHUNKED = { 'Transfer-Encoding': 'chunked' }
const HALF = headOf(200, { 'Content-Length': '100' }) + JSON.stringify(MESSAGES)

interface Asked {
  readonly server: UglyServer
  readonly queue: ReturnType<Zaqar['queue']>
}

/** A client of a server that does these steps. */
async function ask(t: TestContext, steps: readonly Step[], options: ZaqarOptions = {}): Promise<Asked> {
  const server = await startUglyServer(t, ...steps)
  return { server, queue: new Zaqar({ url: server.url, project: 'demo', ...options }).queue('jobs') }
}

async function errorOf(promise: Promise<unknown>): Promise<ZaqarError> {
  const error = await promise.then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => error,
  )
  return error instanceof ZaqarError ? error : assert.fail(String(error))
}

/** In none of them an answer came to its end. */
const LOST: Readonly<Record<string, Step>> = {
  'a connection that is reset before the request': resetAtOnce,
  'a connection that is reset after the request': resetWhenAsked,
  'an answer that is cut in half': bytes(HALF, 'end'),
  'an answer that is reset in its midst': bytes(HALF, 'reset'),
  'a chunked answer without its last chunk': bytes(`${headOf(200, CHUNKED)}2\r\n{}\r\n`, 'end'),
  'an answer that is no HTTP': bytes('SSH-2.0-OpenSSH_10.1\r\n\r\n', 'end'),
}

for (const [name, step] of Object.entries(LOST)) {
  describe(name, () => {
    test('is no answer: what is safe to repeat is sent again, a post with its key', async (t) => {
      const { server, queue } = await ask(t, [step, POSTED])
      assert.equal(await queue.post('a'), '1')
      const keys = new Set(server.requests.map(({ headers }) => headers['idempotency-key']))
      assert.deepEqual([keys.size, server.left()], [1, 0])
    })

    test('is an error where a request may have taken something', async (t) => {
      const { server, queue } = await ask(t, [step, answer(200, { messages: [] })])
      const error = await errorOf(queue.pop())
      assert.ok(error instanceof Unreachable)
      assert.deepEqual([error.code, error.status, error.isFinal, server.left()], ['unreachable', 0, false, 1])
    })
  })
}

describe('an answer that does not come in time', () => {
  const late: Readonly<Record<string, Step>> = {
    'since there is none': silence,
    'to its end': bytes(`${headOf(200, CHUNKED)}2\r\n{}\r\n`),
  }
  for (const [name, step] of Object.entries(late)) {
    test(`${name} is not waited for, and asked for once more`, async (t) => {
      const { server, queue } = await ask(t, [step, LISTED])
      assert.deepEqual((await queue.list({ timeout: 0.3 })).messages, [])
      assert.equal(server.requests.length, 2)
    })
  }

  test('is an error in the end, and what comes late is for nobody', async (t) => {
    let answerLate: (() => void) | undefined
    const late: Step = {
      on: 'request',
      act(socket) {
        answerLate = () => socket.write(`${headOf(200, { 'Content-Length': '2' })}{}`)
      },
    }
    const { queue } = await ask(t, [late, LISTED], { retries: 0, timeout: 0.1 })
    const error = await errorOf(queue.list())
    assert.ok(error instanceof Timeout)
    assert.match(error.message, /0\.1 s/)
    answerLate?.()
    assert.deepEqual((await queue.list({ timeout: 30 })).messages, [])
  })

  test('does not matter to who ends the call by a signal', async (t) => {
    const stop = new AbortController()
    const stopWhenAsked: Step = { on: 'request', act: () => stop.abort(new Error('enough')) }
    const { server, queue } = await ask(t, [stopWhenAsked, LISTED])
    await assert.rejects(queue.list({ signal: stop.signal }), /enough/)
    await assert.rejects(queue.list({ signal: stop.signal }), /enough/)
    assert.equal(server.requests.length, 1)
  })
})

describe('a service that is busy', () => {
  const hours = (count: number) => new Date(Date.UTC(2026, 0, 1) + count * HOUR_MS).toUTCString()
  const busy = (headers: Record<string, string>) => answer(503, { title: 'Service temporarily unavailable' }, headers)

  test('is asked again when it says: in seconds, or by its own clock', async (t) => {
    const steps = [busy({ 'Retry-After': '0' }), busy({ Date: hours(7), 'Retry-After': hours(7) }), LISTED]
    const { server, queue } = await ask(t, steps)
    assert.deepEqual((await queue.list()).messages, [])
    assert.equal(server.left(), 0)
  })

  test('is asked again whatever was asked: it has not served it', async (t) => {
    const { queue } = await ask(t, [busy({ 'Retry-After': 'soon' }), answer(200, { messages: [] })])
    assert.deepEqual(await queue.pop(), [])
  })

  const long: readonly (readonly [string, Record<string, string>, number])[] = [
    ['in seconds', { 'Retry-After': '7200' }, 7200],
    ['by a date', { Date: hours(-1), 'Retry-After': hours(1) }, 7200],
  ]
  for (const [how, headers, seconds] of long) {
    test(`is not waited for by the hour, which it asks for ${how}: who called hears of it`, async (t) => {
      const { server, queue } = await ask(t, [busy(headers), LISTED])
      const error = await errorOf(queue.list())
      assert.ok(error instanceof Unavailable)
      assert.deepEqual([error.retryAfterSeconds, server.left()], [seconds, 1])
    })
  }

  test('by a date without a clock of its own is read by that of this machine', async (t) => {
    const { queue } = await ask(t, [busy({ 'Retry-After': hours(0) }), LISTED])
    assert.deepEqual((await queue.list()).messages, [])
  })
})

describe('an answer of somebody else', () => {
  const page = '<!doctype html><title>Bad gateway</title>'

  test('that the service is not there is waited over where that is safe', async (t) => {
    const gateway = answer(502, page, { 'Content-Type': 'text/html' })
    const { server, queue } = await ask(t, [gateway, POSTED, gateway])
    assert.equal(await queue.post('a'), '1')
    const error = await errorOf(queue.pop())
    assert.deepEqual([error.code, error.status, error.message], ['server_error', 502, 'The service answered 502'])
    assert.equal(server.left(), 0)
  })

  const strange: Readonly<Record<string, Step>> = {
    'that is empty': answer(200),
    'that is a page': answer(200, page, { 'Content-Type': 'text/html' }),
    'that is JSON, but a text': answer(200, '"hello"'),
    'that is JSON, but null': answer(200, 'null'),
    'that is another document': answer(200, { ok: true }),
    'that is a list': answer(200, []),
    'that says there is nothing to say': answer(204),
    'that is too long': {
      on: 'request',
      act(socket) {
        socket.write(headOf(200))
        const some = Buffer.alloc(2 ** 20, ' ')
        const more = () => {
          while (socket.writable && socket.write(some));
        }
        socket.on('drain', more)
        more()
      },
    },
  }
  for (const [name, step] of Object.entries(strange)) {
    test(`${name} is an error that says so`, async (t) => {
      const { server, queue } = await ask(t, [step, LISTED])
      const error = await errorOf(queue.list())
      assert.equal(error.code, 'unexpected_answer')
      assert.match(error.message, /something else may be at this address/)
      assert.equal(server.left(), 1, 'and is not asked again')
    })
  }

  test('that leads elsewhere is not followed, so nobody else is shown the token', async (t) => {
    const elsewhere = await startUglyServer(t, LISTED)
    for (const status of [301, 302, 307, 308]) {
      const { queue } = await ask(t, [answer(status, '', { Location: elsewhere.url })], { auth: { token: 'secret' } })
      const error = await errorOf(queue.list())
      assert.deepEqual([error.code, error.status], ['unexpected_answer', status])
      assert.match(error.message, /give that one as `url`/)
    }
    assert.deepEqual(elsewhere.requests, [])
  })
})

test('an answer that calls its JSON something else is taken', async (t) => {
  const { queue } = await ask(t, [answer(200, MESSAGES, { 'Content-Type': 'text/plain' })])
  assert.deepEqual((await queue.list()).messages, [])
})

test('an error without a class of its own is a wrong request, whatever stands in it', async (t) => {
  for (const [status, body] of [
    [405, ''],
    [413, '{"title": null}'],
    [415, 'null'],
    [431, '[1]'],
  ] as const) {
    const { queue } = await ask(t, [answer(status, body)])
    const error = await errorOf(queue.post('a'))
    assert.ok(error instanceof BadRequest)
    assert.deepEqual([error.status, error.message, error.isFinal], [status, `The service answered ${status}`, true])
  }
})

test('who follows for ever goes on where it was when answers are ugly, and ends when that has no sense', async (t) => {
  const message = (id: string) => ({ id, href: `/v2/queues/jobs/messages/${id}`, ttl: 60, age: 0, body: id })
  const pageWith = (id: string) =>
    answer(200, {
      messages: [message(id)],
      links: [{ rel: 'next', href: `/v2/queues/jobs/messages?marker=after-${id}` }],
    })
  const steps = [pageWith('1'), resetWhenAsked, pageWith('2'), answer(403, { title: 'Forbidden' })]
  const { server, queue } = await ask(t, steps, { retries: 0 })
  const ids: string[] = []
  const follow = async () => {
    for await (const { id } of queue.messages({ wait: true })) ids.push(id)
  }
  const error = await errorOf(follow())
  assert.deepEqual([error.code, ids], ['forbidden', ['1', '2']])
  const markers = server.requests.map(({ target }) => new URLSearchParams(target.split('?')[1]).get('marker'))
  assert.deepEqual(markers, [null, 'after-1', 'after-1', 'after-2'])
})
