/** Subscribers against a service that is as slow, deaf and short of words as a service can be. */
import assert from 'node:assert/strict'
import { afterEach, describe, mock, type TestContext, test } from 'node:test'
import { type SubscribeOptions, type Subscriber, Zaqar, type ZaqarOptions } from '../src/index.ts'
import { PushingService } from './support/pushing-service.ts'
import { Signal } from './support/signal.ts'

afterEach(() => mock.timers.reset())

function client(t: TestContext, { url }: PushingService, options: Partial<ZaqarOptions> = {}): Zaqar {
  const zaqar = new Zaqar({ url, project: 'demo', timeout: 5, retries: 0, ...options })
  t.after(async () => {
    zaqar.close()
    // What ends with it clears its timers by the clock that it has set them with.
    await new Promise(setImmediate)
  })
  return zaqar
}

/** A subscriber of `jobs`, and what it was told. */
class Told {
  readonly bodies: unknown[] = []
  readonly errors: unknown[] = []
  readonly changed = new Signal()
  readonly subscriber: Subscriber

  constructor(zaqar: Zaqar, options: SubscribeOptions = {}, handle: (body: unknown) => unknown = () => {}) {
    const onError = (error: unknown) => {
      this.errors.push(error)
      this.changed.tell()
    }
    this.subscriber = zaqar.queue('jobs').subscribe(
      async ({ body }) => {
        this.bodies.push(body)
        this.changed.tell()
        await handle(body)
      },
      { onError, ...options },
    )
  }

  count(wanted: number): Promise<void> {
    return this.changed.until(() => this.bodies.length >= wanted)
  }

  errorCount(wanted: number): Promise<void> {
    return this.changed.until(() => this.errors.length >= wanted)
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const SOCKET: SubscribeOptions = { transports: ['socket'], from: 'start' }

describe('a subscriber', () => {
  test('goes on behind the last message after each break, without gap or double', async (t) => {
    const service = await PushingService.start(t)
    const told = new Told(client(t, service), SOCKET)
    for (let last = 0; last < 40; last += 10) {
      service.post(...numbers(last + 1, last + 5))
      await told.count(last + 1)
      service.cut()
      service.post(...numbers(last + 6, last + 10))
      await told.count(last + 10)
    }
    assert.deepEqual(told.bodies, numbers(1, 40))
    await told.subscriber.stop()
    assert.equal(told.subscriber.marker, '40')
  })

  test('is told of what goes wrong once, however often it does', async (t) => {
    const service = await PushingService.start(t)
    service.refusal = 503
    const told = new Told(client(t, service), SOCKET)
    await service.service.asked('subscription_create', 3)
    service.refusal = null
    service.post(1)
    await told.count(1)
    assert.equal(told.errors.length, 1)
  })

  test('falls back from the socket to event streams to listings, and comes back to the socket', async (t) => {
    mock.timers.enable({ apis: ['Date', 'setTimeout'] })
    const service = await PushingService.start(t)
    service.service.refusal = 403
    const ways: unknown[] = []
    const told = new Told(client(t, service), { from: 'start', onTransport: (way) => ways.push(way) })
    service.post(1, 2)
    await told.count(2)
    assert.equal(told.subscriber.transport, 'events')
    service.refusesEvents = true
    service.cut()
    service.post(3)
    while (told.bodies.length < 3) {
      // The pauses between tries.
      mock.timers.tick(100)
      await new Promise(setImmediate)
    }
    assert.equal(told.subscriber.transport, 'poll')
    service.service.refusal = null
    await Promise.all([
      service.service.asked('subscription_create'),
      (async () => {
        while (service.subscriptions === 0) {
          mock.timers.tick(500)
          await new Promise(setImmediate)
        }
      })(),
    ])
    service.post(4)
    await told.count(4)
    assert.equal(told.subscriber.transport, 'socket')
    assert.deepEqual(ways, ['events', null, 'poll', null, 'socket'])
    assert.deepEqual(told.bodies, [1, 2, 3, 4])
  })

  test('whose handler is slower than pushes gives its subscription up, and takes it up again', async (t) => {
    const service = await PushingService.start(t)
    const gate = Promise.withResolvers<void>()
    const told = new Told(client(t, service), SOCKET, () => gate.promise)
    await service.service.asked('subscription_create')
    service.post(...numbers(1, 1500))
    await service.service.asked('subscription_delete')
    await service.service.asked('subscription_confirm')
    service.post(...numbers(1501, 1600))
    assert.equal(service.subscriptions, 0)
    gate.resolve()
    await told.count(1600)
    assert.deepEqual(told.bodies, numbers(1, 1600))
    // It has asked from behind what it had kept: a thousand, beside the one that was handled.
    assert.equal((await service.service.asked('subscription_create', 2)).body.marker, '1001')
    assert.deepEqual(told.errors, [])
  })

  test('keeps no more than so many bytes either', async (t) => {
    const service = await PushingService.start(t)
    const gate = Promise.withResolvers<void>()
    const told = new Told(client(t, service), SOCKET, () => gate.promise)
    await service.service.asked('subscription_create')
    const large = numbers(1, 20).map((i) => `${i}${'x'.repeat(1_000_000)}`)
    service.post(...large)
    await service.service.asked('subscription_delete')
    gate.resolve()
    await told.count(20)
    assert.deepEqual(
      told.bodies.map((body) => Number.parseInt(body as string, 10)),
      numbers(1, 20),
    )
  })

  test('tells of a handler that fails, and of nothing else when that fails too', async (t) => {
    const service = await PushingService.start(t)
    const complaints = t.mock.method(console, 'error', () => {})
    const fails = (body: unknown) => {
      if (body !== 2) throw new Error(`no ${body}`)
    }
    const errors: [string, string | undefined][] = []
    const onError: SubscribeOptions['onError'] = (error, message) => {
      errors.push([(error as Error).message, message?.id])
      throw new Error('no ears')
    }
    const told = new Told(client(t, service), { ...SOCKET, onError }, fails)
    service.post(1, 2, 3)
    await told.count(3)
    await told.subscriber.stop()
    assert.deepEqual(errors, [
      ['no 1', 'm1'],
      ['no 3', 'm3'],
    ])
    assert.deepEqual(
      complaints.mock.calls.map(({ arguments: [error] }) => error.message),
      ['no ears', 'no ears'],
    )
    assert.equal(service.service.peers.length, 1)
  })

  test('lets the service filter what is pushed, and filters the rest itself', async (t) => {
    const service = await PushingService.start(t)
    const filter = { n: [2] }
    const pushed = new Told(client(t, service), { ...SOCKET, filter })
    const { body } = await service.service.asked('subscription_create')
    assert.deepEqual(body.options, { _with_ids: true, _filter: filter })
    await pushed.subscriber.stop()
    const streamed = new Told(client(t, service), { from: 'start', transports: ['events'], filter })
    service.post({ n: 1 }, { n: 2 }, { n: 3 }, { n: 2, more: true })
    await streamed.count(2)
    assert.deepEqual(streamed.bodies, [{ n: 2 }, { n: 2, more: true }])
  })

  test('with a filter that is none ends at once', async (t) => {
    const service = await PushingService.start(t)
    const told = new Told(client(t, service), { filter: { n: 1 } })
    await assert.rejects(told.subscriber.ended, { name: 'BadRequest' })
    assert.deepEqual(service.service.peers, [])
  })

  test('that is not allowed to ends with the error where there is no other way', async (t) => {
    const service = await PushingService.start(t)
    service.refusal = 403
    const told = new Told(client(t, service), SOCKET)
    await assert.rejects(told.subscriber.ended, { name: 'Forbidden' })
  })
})

describe('a subscription that is gone without a word', () => {
  /** Lets half a minute pass, in which the connection is not silent. */
  async function look(zaqar: Zaqar): Promise<void> {
    for (let passed = 0; passed < 30_000; passed += 5_000) {
      mock.timers.tick(5_000)
      await zaqar.socket.request('get_home_doc', {})
    }
  }

  async function subscribed(t: TestContext) {
    mock.timers.enable({ apis: ['Date', 'setInterval'] })
    const service = await PushingService.start(t)
    const zaqar = client(t, service)
    const told = new Told(zaqar, SOCKET)
    service.post(1, 2)
    await told.count(2)
    await service.service.asked('subscription_confirm')
    return { service, zaqar, told }
  }

  test('is made again, from where it was', async (t) => {
    const { service, zaqar, told } = await subscribed(t)
    service.unsubscribeAll()
    service.post(3)
    await look(zaqar)
    await told.count(3)
    service.post(4)
    await told.count(4)
    assert.deepEqual(told.bodies, [1, 2, 3, 4])
    assert.deepEqual(told.errors, [])
  })

  test('or is there still: then nothing changes', async (t) => {
    const { service, zaqar, told } = await subscribed(t)
    await look(zaqar)
    await service.service.asked('subscription_create', 2)
    service.post(3)
    await told.count(3)
    assert.deepEqual(told.bodies, [1, 2, 3])
    assert.deepEqual(told.errors, [])
    assert.equal(service.subscriptions, 1)
  })

  test('and may not be made again is an error', async (t) => {
    const { service, zaqar, told } = await subscribed(t)
    service.unsubscribeAll()
    service.refusal = 403
    await look(zaqar)
    await assert.rejects(told.subscriber.ended, { name: 'Forbidden' })
  })

  test('is renewed before its ttl is over', async (t) => {
    const { service, zaqar, told } = await subscribed(t)
    const { body } = await service.service.asked('subscription_create')
    mock.timers.setTime(Date.now() + body.ttl * 800)
    await look(zaqar)
    await service.service.asked('subscription_create', 2)
    service.post(3)
    await told.count(3)
    assert.deepEqual(told.bodies, [1, 2, 3])
    assert.equal(service.subscriptions, 1)
  })
})

describe('stop', () => {
  for (const transport of ['socket', 'events', 'poll'] as const) {
    test(`waits for the handler, and nothing is called after it, over ${transport}`, async (t) => {
      const service = await PushingService.start(t)
      const gate = Promise.withResolvers<void>()
      let ended = 0
      const told = new Told(client(t, service), { from: 'start', transports: [transport] }, async () => {
        await gate.promise
        ended += 1
      })
      service.post(1, 2, 3)
      await told.count(1)
      const stopped = told.subscriber.stop().then(() => ended)
      gate.resolve()
      assert.equal(await stopped, 1)
      service.post(4)
      service.cut()
      await told.subscriber.ended
      await new Promise(setImmediate)
      assert.deepEqual([told.bodies, told.errors, told.subscriber.marker], [[1], [], '1'])
      assert.equal(told.subscriber.transport, null)
    })
  }

  test('ends the subscription, and leaves the socket to others', async (t) => {
    const service = await PushingService.start(t)
    const zaqar = client(t, service)
    const told = new Told(zaqar, SOCKET)
    service.post(1)
    await told.count(1)
    await told.subscriber.stop()
    await service.service.asked('subscription_delete')
    const next = new Told(zaqar, { ...SOCKET, from: told.subscriber.marker as string })
    service.post(2)
    await next.count(1)
    assert.deepEqual(next.bodies, [2])
    assert.equal(service.service.peers.length, 1)
  })

  test('before there is a connection ends at once', async (t) => {
    const service = await PushingService.start(t)
    service.service.isSilent = true
    const told = new Told(client(t, service), SOCKET)
    await service.service.changed.until(() => service.service.upgrades === 1)
    await told.subscriber.stop()
    assert.deepEqual(told.errors, [])
  })
})
