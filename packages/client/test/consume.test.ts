import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { type ConsumeOptions, Consumer, type MessageHandler } from '../src/consume.ts'
import type { Message } from '../src/documents.ts'
import { BadRequest, ClaimLost, Forbidden, Unauthenticated, Unreachable } from '../src/errors.ts'
import { Zaqar } from '../src/http.ts'
import { answer, ModelService, pass, type SentRequest, settle } from './support/model-service.ts'

let service: ModelService
let errors: { readonly error: unknown; readonly id: string | null }[]
let consumers: Consumer<number>[]

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  service = new ModelService()
  errors = []
  consumers = []
})

afterEach(async () => {
  const stopped = Promise.all(consumers.map((consumer) => consumer.stop({ release: true })))
  await pass(2_000, 100)
  await stopped
  mock.timers.reset()
})

function consume(handler: MessageHandler<number>, options: ConsumeOptions = {}): Consumer<number> {
  const queue = new Zaqar({ url: 'http://service.test', fetch: service.fetch }).queue('jobs')
  const onError = (error: unknown, message: Message | null) => errors.push({ error, id: message?.id ?? null })
  const consumer = new Consumer<number>(queue, handler, { onError, ...options })
  consumers.push(consumer)
  return consumer
}

function takes(): SentRequest[] {
  return service.sent.filter(({ method }) => method === 'POST')
}

/** A handler whose ends are in the hands of the test. */
function held() {
  const begun: number[] = []
  const signals: AbortSignal[] = []
  const ends = new Map<number, PromiseWithResolvers<void>>()
  const handler: MessageHandler<number> = ({ body }, { signal }) => {
    begun.push(body)
    signals.push(signal)
    const end = Promise.withResolvers<void>()
    ends.set(body, end)
    return end.promise
  }
  return {
    begun,
    signals,
    handler,
    end: (body: number) => ends.get(body),
    finish: (body: number) => ends.get(body)?.resolve(),
  }
}

describe('a consumer', () => {
  test('hands over one message after the other, and deletes each as it takes the next', async () => {
    service.post(1, 2, 3)
    const seen: number[] = []
    consume(({ body }) => seen.push(body))
    await settle()
    assert.deepEqual(seen, [1, 2, 3])
    assert.deepEqual(service.messages, [])
    assert.deepEqual(
      service.sent.map(({ method, path, query, body }) => [method, path, `${query}`, body.delete]),
      [
        ['POST', '/claims', 'limit=1&wait=20', []],
        ['POST', '/claims', 'limit=1&wait=0', [{ id: 'm1', claim_id: 'c1' }]],
        ['POST', '/claims', 'limit=1&wait=0', [{ id: 'm2', claim_id: 'c2' }]],
        ['POST', '/claims', 'limit=1&wait=0', [{ id: 'm3', claim_id: 'c3' }]],
        ['POST', '/claims', 'limit=1&wait=20', []],
      ],
    )
    service.post(4)
    await pass(200)
    assert.deepEqual(seen, [1, 2, 3, 4])
    assert.equal(service.mostHeld, 1)
  })

  test('says how long its claims live', async () => {
    service.post(1)
    consume(() => {}, { ttl: 90, grace: 70 })
    await settle()
    assert.deepEqual([takes()[0]?.body.ttl, takes()[0]?.body.grace], [90, 70])
  })

  test('runs as many handlers as it may, and claims ahead as much as it may', async () => {
    service.post(...Array.from({ length: 30 }, (_, i) => i))
    const { begun, handler, finish } = held()
    consume(handler, { concurrency: 3, prefetch: 8 })
    await settle()
    assert.deepEqual(begun, [0, 1, 2])
    assert.equal(service.held().length, 8)
    for (let i = 0; i < 30; i++) {
      finish(i)
      await pass(30)
    }
    assert.equal(begun.length, 30)
    assert.equal(service.mostHeld, 8)
    assert.deepEqual(service.messages, [])
  })

  test('takes and deletes many at once', async () => {
    service.post(...Array.from({ length: 1000 }, (_, i) => i))
    let handled = 0
    consume(() => handled++, { concurrency: 50 })
    await settle()
    for (let waited = 0; handled < 1000; waited++) {
      assert.ok(waited < 100)
      await settle()
    }
    await pass(30)
    assert.ok(service.sent.length < 1000 / 15, `${service.sent.length} requests`)
    assert.deepEqual(service.messages, [])
  })

  test('deletes what is done while a take waits, no more than a page at once', async () => {
    service.post(...Array.from({ length: 30 }, (_, i) => i))
    const { handler, finish } = held()
    consume(handler, { concurrency: 40, prefetch: 40 })
    await settle()
    for (let i = 0; i < 30; i++) finish(i)
    await pass(10)
    assert.equal(service.messages.length, 30)
    await pass(20)
    assert.equal(service.messages.length, 0)
    const deletes = service.sent.filter(({ method }) => method === 'DELETE')
    assert.deepEqual(
      deletes.map(({ query }) => [query.getAll('ids').length, query.get('claim_ids')]),
      [
        [20, 'c1'],
        [10, 'c2'],
      ],
    )
  })

  test('repeats a take whose answer was lost with the same key and body, and handles its messages once', async () => {
    service.post(1, 2)
    const seen: number[] = []
    let takesSent = 0
    service.fateOf = ({ method }) => (method === 'POST' && takesSent++ % 3 !== 2 ? 'answer lost' : 'served')
    consume(({ body }) => seen.push(body))
    await pass(5_000)
    assert.deepEqual(seen, [1, 2])
    const bodies = Map.groupBy(takes(), ({ key }) => key)
    assert.equal(bodies.size, 4)
    for (const same of bodies.values()) assert.equal(new Set(same.map(({ body }) => JSON.stringify(body))).size, 1)
    assert.equal(takes().length, 10)
    assert.deepEqual(errors, [])
  })

  test('outlives a service that is gone for long, and says so', async () => {
    service.post(1)
    service.fateOf = () => 'lost'
    const seen: number[] = []
    consume(({ body }) => seen.push(body))
    await pass(120_000, 200)
    assert.equal(new Set(takes().map(({ key }) => key)).size, 1)
    service.fateOf = () => 'served'
    await pass(31_000, 200)
    assert.deepEqual(seen, [1])
    assert.ok(errors.length > 1 && errors.every(({ error }) => error instanceof Unreachable))
  })

  test('renews first what may have ended while the answer was under way', async () => {
    service.post(1)
    let isCut = true
    service.fateOf = ({ method }) => (isCut && method === 'POST' ? 'answer lost' : 'served')
    const { begun, handler } = held()
    consume(handler)
    await pass(40_000, 100)
    isCut = false
    await pass(31_000, 100)
    assert.deepEqual(begun, [1])
    assert.equal(service.sent.find(({ method }) => method === 'PATCH')?.path, `/claims/${service.messages[0]?.claimId}`)
  })

  test('does without finish and take, and without waiting', async () => {
    service.isUpstream = true
    service.post(1, 2, 3)
    const seen: number[] = []
    consume(({ body }) => seen.push(body), { prefetch: 2 })
    await pass(100)
    assert.deepEqual(seen, [1, 2, 3])
    assert.deepEqual(service.messages, [])
    assert.equal(service.mostHeld, 2)
    const before = takes().length
    await pass(10_000, 50)
    assert.equal(takes().length, before + 10)
  })

  test('takes options that make sense', () => {
    assert.throws(() => consume(() => {}, { concurrency: 0 }), /`concurrency` is a whole number from 1 on, not 0/)
    assert.throws(() => consume(() => {}, { prefetch: 1.5 }), /`prefetch`/)
  })
})

describe('a claim', () => {
  test('is renewed when half of its life is over, for as long as its handler runs', async () => {
    service.post(1)
    const { handler, finish, signals } = held()
    consume(handler, { ttl: 60 })
    await pass(300_000, 500)
    const renewals = service.sent.filter(({ method }) => method === 'PATCH')
    assert.ok(renewals.length === 9 || renewals.length === 10, `${renewals.length} renewals`)
    assert.equal(service.held().length, 1)
    finish(1)
    await settle()
    assert.deepEqual(service.messages, [])
    assert.equal(signals[0]?.aborted, false)
  })

  test('that has ended too early stops its handlers, and what they say counts as nothing', async () => {
    service.post(1, 2)
    const { begun, signals, handler, finish } = held()
    consume(handler, { prefetch: 2 })
    await settle()
    service.endClaims()
    await pass(30_100, 100)
    assert.equal(signals[0]?.aborted, true)
    assert.deepEqual(
      errors.map(({ error, id }) => [error instanceof ClaimLost, id]),
      [[true, 'm1']],
    )
    finish(1)
    await pass(200)
    assert.deepEqual(begun, [1, 1])
    assert.deepEqual(
      service.messages.map(({ id, claimCount }) => [id, claimCount]),
      [
        ['m1', 2],
        ['m2', 2],
      ],
    )
  })

  test('that is lost takes no place of those that run', async () => {
    service.post(1, 2)
    const { begun, handler } = held()
    consume(handler)
    await settle()
    service.endClaims()
    await pass(120_000, 500)
    assert.deepEqual(begun, [1])
    assert.equal(service.held().length, 0)
  })

  test('whose renewal does not arrive is renewed until its end, and then lost', async () => {
    service.post(1)
    const { signals, handler } = held()
    consume(handler)
    await settle()
    service.fateOf = () => 'lost'
    await pass(59_000, 500)
    assert.equal(signals[0]?.aborted, false)
    await pass(2_000, 500)
    assert.equal(signals[0]?.aborted, true)
    assert.ok(errors.some(({ error, id }) => error instanceof ClaimLost && id === 'm1'))
  })

  test('goes with its queue, and the consumer goes on', async () => {
    service.post(1, 2)
    const { begun, signals, handler, finish } = held()
    consume(handler, { concurrency: 2 })
    await settle()
    service.deleteQueue()
    await pass(30_100, 100)
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, true],
    )
    finish(1)
    finish(2)
    service.post(3)
    await pass(200)
    assert.deepEqual(begun, [1, 2, 3])
  })

  test('that does not hold a finished message any more loses this one alone', async () => {
    service.post(1, 2, 3)
    const { handler, finish } = held()
    consume(handler, { concurrency: 3, prefetch: 3 })
    await settle()
    const [, second] = service.messages
    assert.ok(second)
    second.claimId = 'of somebody else'
    for (const body of [1, 2, 3]) finish(body)
    await pass(50)
    assert.deepEqual(
      errors.map(({ error, id }) => [error instanceof ClaimLost, id]),
      [[true, 'm2']],
    )
    assert.deepEqual(
      service.messages.map(({ id }) => id),
      ['m2'],
    )
  })
})

describe('a handler that fails', () => {
  test('gets its message again before the next, later each time', async () => {
    service.post(1, 2)
    const times: [number, number][] = []
    consume(({ body }) => {
      times.push([body, Date.now()])
      if (body === 1 && times.length < 4) throw new Error('not yet')
    })
    await pass(10_000)
    assert.deepEqual(
      times.map(([body]) => body),
      [1, 1, 1, 1, 2],
    )
    const pauses = times.slice(1, 4).map(([, time], i) => Math.round((time - (times[i]?.[1] ?? 0)) / 100) / 10)
    assert.deepEqual(pauses, [1, 2, 4])
    assert.deepEqual(
      errors.map(({ error, id }) => [(error as Error).message, id]),
      [
        ['not yet', 'm1'],
        ['not yet', 'm1'],
        ['not yet', 'm1'],
      ],
    )
    assert.equal(service.mostHeld, 1)
  })

  test('lets the others of its claim be done, and counts for its own message alone', async () => {
    service.post(1, 2, 3, 4)
    const { handler, finish, end, begun } = held()
    consume(handler, { concurrency: 4, prefetch: 4, retryDelay: 0.5 })
    await settle()
    end(2)?.reject(new Error('no'))
    finish(1)
    finish(3)
    await pass(5_000)
    assert.deepEqual(
      service.messages.map(({ id, claimCount }) => [id, claimCount]),
      [
        ['m2', 1],
        ['m4', 1],
      ],
    )
    finish(4)
    await pass(200)
    assert.deepEqual(begun, [1, 2, 3, 4, 2])
    assert.deepEqual(
      service.messages.map(({ id, claimCount }) => [id, claimCount]),
      [['m2', 2]],
    )
  })

  test('fails alike whether it throws or rejects; what it answers need be no promise', async () => {
    service.post(1, 2, 3)
    let failures = 0
    consume(
      ({ body }): unknown => {
        if (failures < 2 && body < 3) {
          failures += 1
          if (body === 1) throw new Error('thrown')
          return Promise.reject(new Error('rejected'))
        }
        return body
      },
      { concurrency: 3 },
    )
    await pass(2_000)
    assert.deepEqual(service.messages, [])
    assert.deepEqual(
      errors.map(({ error }) => (error as Error).message),
      ['thrown', 'rejected'],
    )
  })

  test('is told to the console in one line where nobody else wants to know', async () => {
    const log = mock.method(console, 'error', () => {})
    const queue = new Zaqar({ url: 'http://service.test', fetch: service.fetch }).queue('jobs')
    service.post(1)
    const consumer = new Consumer<number>(queue, () => Promise.reject(new Error('no')), {})
    consumers.push(consumer)
    await settle()
    assert.deepEqual(
      log.mock.calls.map((call) => call.arguments),
      [['zaqar-client: queue jobs, message m1: Error: no']],
    )
    log.mock.restore()
  })

  test('is no matter of the one who is told: the consumer goes on when that fails too', async () => {
    const log = mock.method(console, 'error', () => {})
    service.post(1)
    let calls = 0
    const onError = () => {
      throw new Error('worse')
    }
    consume(() => (calls++ === 0 ? Promise.reject(new Error('no')) : null), { onError })
    await pass(2_000)
    assert.deepEqual(service.messages, [])
    assert.match(String(log.mock.calls[0]?.arguments[0]), /Error: worse/)
    log.mock.restore()
  })
})

describe('a consumer that is stopped', () => {
  test('waits for its handlers, deletes what is done, and gives back the rest', async () => {
    service.post(1, 2, 3, 4)
    const { begun, handler, finish } = held()
    const consumer = consume(handler, { concurrency: 2, prefetch: 4 })
    await settle()
    let isOver = false
    const stopped = consumer.stop().then(() => {
      isOver = true
    })
    await pass(90_000, 500)
    assert.equal(isOver, false)
    assert.equal(service.held().length, 4)
    finish(1)
    finish(2)
    await stopped
    await consumer.stop()
    await consumer.ended
    assert.deepEqual(begun, [1, 2])
    assert.deepEqual(
      service.messages.map(({ id }) => id),
      ['m3', 'm4'],
    )
    assert.deepEqual(service.held(), [])
  })

  test('leaves nothing claimed by a take that was under way', async () => {
    const consumer = consume(() => {})
    await pass(1_050)
    service.fateOf = ({ method }) => (method === 'POST' ? 'answer lost' : 'served')
    service.post(0)
    await pass(100)
    service.post(1, 2)
    const stopped = consumer.stop()
    await settle()
    service.fateOf = () => 'served'
    await pass(10_000, 100)
    await stopped
    assert.ok(service.messages.length > 0)
    assert.deepEqual(service.held(), [])
  })

  test('cuts a waiting take off', async () => {
    const consumer = consume(() => {})
    await settle()
    await consumer.stop()
    assert.deepEqual(
      takes().map(({ query }) => query.get('wait')),
      ['20', '0'],
    )
    assert.equal(new Set(takes().map(({ key }) => key)).size, 1)
  })

  test('does not keep back what has failed', async () => {
    service.post(1)
    const consumer = consume(() => Promise.reject(new Error('no')), { retryDelay: 60 })
    await settle()
    assert.equal(service.held().length, 1)
    const stopped = consumer.stop()
    await pass(100)
    await stopped
    assert.equal(service.held().length, 0)
  })

  for (const [how, leave] of [
    [
      'stop({ release: true })',
      (consumer: Consumer<number>, _: AbortController) => void consumer.stop({ release: true }),
    ],
    ['its signal', (_: Consumer<number>, controller: AbortController) => controller.abort()],
  ] as const) {
    test(`with ${how} aborts its handlers, and gives back what they do not finish in a moment`, async () => {
      service.post(1, 2, 3)
      const { signals, handler, finish } = held()
      const controller = new AbortController()
      const consumer = consume(handler, { concurrency: 2, prefetch: 3, signal: controller.signal })
      await settle()
      leave(consumer, controller)
      assert.ok(signals.every(({ aborted }) => aborted))
      finish(1)
      await pass(2_000, 100)
      await consumer.ended
      assert.deepEqual(
        service.messages.map(({ id }) => id),
        ['m2', 'm3'],
      )
      assert.deepEqual(service.held(), [])
      finish(2)
      await pass(1_000)
      assert.equal(service.messages.length, 2)
    })
  }

  test('before it began takes nothing', async () => {
    const consumer = consume(() => {}, { signal: AbortSignal.abort() })
    await consumer.ended
    assert.deepEqual(service.sent, [])
  })

  test('while the service is gone gives up in the end, and says so', async () => {
    service.post(1)
    const { handler, finish } = held()
    const consumer = consume(handler)
    await settle()
    service.fateOf = () => 'lost'
    const stopped = consumer.stop()
    finish(1)
    await pass(60_000, 200)
    await stopped
    assert.ok(errors.some(({ error }) => error instanceof Unreachable))
  })
})

describe('a consumer ends by itself', () => {
  for (const [status, kind] of [
    [400, BadRequest],
    [401, Unauthenticated],
    [403, Forbidden],
  ] as const) {
    test(`when it is answered ${status}, since going on has no sense`, async () => {
      service.instead = ({ method }) => (method === 'POST' ? answer(status, { title: 'No' }) : undefined)
      const consumer = consume(() => {})
      await settle()
      await assert.rejects(consumer.ended, kind)
      await consumer.stop()
      assert.equal(errors.length, 1)
      assert.equal(takes().length, 1)
    })
  }

  test('and nobody need look at it', async () => {
    service.instead = () => answer(403, { title: 'Forbidden' })
    consume(() => {})
    await settle()
    assert.ok(errors[0]?.error instanceof Forbidden)
  })

  test('in order: what runs is done with first', async () => {
    service.post(1, 2)
    const { handler, finish } = held()
    const consumer = consume(handler, { concurrency: 2 })
    await settle()
    service.instead = ({ method }) => (method === 'POST' ? answer(403, { title: 'Forbidden' }) : undefined)
    finish(1)
    await pass(30_000, 500)
    finish(2)
    await pass(100)
    await assert.rejects(consumer.ended, Forbidden)
    assert.deepEqual(service.messages, [])
  })
})
