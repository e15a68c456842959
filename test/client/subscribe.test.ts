/** Subscribers against a service, on each way, and from one to another. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test'
import { Packr } from 'msgpackr'
import {
  type Queue,
  type SubscribeOptions,
  type Subscriber,
  type Topic,
  Zaqar,
  type ZaqarError,
  type ZaqarOptions,
} from 'zaqar-client'
import { until } from '../../packages/server/test/support/until.ts'
import { type Service, startService } from '../support/service.ts'
import { type Gate, openGate } from './gate.ts'

let service: Service
let gate: Gate
/** Each test has one of its own. */
let project = 0

before(async () => {
  service = await startService()
  gate = await openGate(service.url)
})

after(async () => {
  await gate.close()
  await service.stop()
})

beforeEach(() => {
  project += 1
  gate.refusesUpgrades = false
  gate.refusesEvents = false
})

function client(t: TestContext, options: Partial<ZaqarOptions> = {}): Zaqar {
  const zaqar = new Zaqar({ url: gate.url, project: `project-${project}`, ...options })
  t.after(() => zaqar.close())
  return zaqar
}

/** A subscriber, and what it was told. */
class Told {
  readonly bodies: unknown[] = []
  readonly errors: unknown[] = []
  readonly subscriber: Subscriber
  #changed = Promise.withResolvers<void>()

  constructor(topic: Topic | Queue, options: SubscribeOptions = {}, handle: (body: unknown) => unknown = () => {}) {
    this.subscriber = topic.subscribe(
      async ({ body }) => {
        await handle(body)
        this.bodies.push(body)
        this.#wake()
      },
      {
        onError: (error) => {
          this.errors.push(error)
          this.#wake()
        },
        ...options,
      },
    )
  }

  /** Resolves when so many have come. */
  async count(wanted: number): Promise<void> {
    while (this.bodies.length < wanted) await this.#changed.promise
  }

  async errorCount(wanted: number): Promise<void> {
    while (this.errors.length < wanted) await this.#changed.promise
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Posts marks until one has come: from then on the subscriber is told of what is posted. */
async function begun(topic: Topic | Queue, told: Told): Promise<void> {
  while (told.bodies.length === 0) {
    await topic.post('mark')
    await Promise.race([told.count(1), new Promise((resolve) => setTimeout(resolve, 50))])
  }
}

const WAYS = ['socket', 'events', 'poll'] as const

for (const way of WAYS) {
  describe(`over ${way}`, () => {
    test('a subscriber is told of what is posted from now on, in order, whoever posts and claims it', async (t) => {
      const zaqar = client(t)
      const jobs = zaqar.queue('jobs')
      await jobs.postAll(Array.from({ length: 15 }, () => ({ body: 'before' })))
      await jobs.post('last')
      const told = new Told(jobs, { transports: [way] })
      await begun(jobs, told)
      assert.equal(told.subscriber.transport, way)
      await told.subscriber.stop()
      assert.ok(
        told.bodies.every((body) => body === 'mark'),
        JSON.stringify(told.bodies),
      )
      const next = new Told(jobs, { transports: [way], from: told.subscriber.marker as string })
      await jobs.claim({ limit: 20 })
      await jobs.postAll([{ body: 1 }, { body: { two: 2 } }])
      const isNew = (body: unknown) => body !== 'mark'
      while (!next.bodies.some((body) => typeof body === 'object')) await next.count(next.bodies.length + 1)
      assert.deepEqual(next.bodies.filter(isNew), [1, { two: 2 }])
      assert.deepEqual([...told.errors, ...next.errors], [])
    })

    test('bodies are read by what the client was given for it', async (t) => {
      const isLarge = (value: unknown) => typeof value === 'number' && !Number.isSafeInteger(value)
      const parse = (json: string) => JSON.parse(json, (_key, value) => (isLarge(value) ? 'large' : value))
      const jobs = client(t, { parse }).queue('jobs')
      await jobs.post({ n: 2 ** 60 })
      const told = new Told(jobs, { transports: [way], from: 'start' })
      await told.count(1)
      assert.deepEqual(told.bodies, [{ n: 'large' }])
    })

    test('a topic is followed from its start', async (t) => {
      const news = client(t).topic('news')
      await news.postAll(Array.from({ length: 45 }, (_, i) => ({ body: i })))
      const told = new Told(news, { transports: [way], from: 'start' })
      await told.count(45)
      await news.post(45)
      await told.count(46)
      assert.deepEqual(
        told.bodies,
        Array.from({ length: 46 }, (_, i) => i),
      )
    })

    test('only what a filter lets through is handed over', async (t) => {
      const jobs = client(t).queue('jobs')
      await jobs.postAll([{ body: { n: 1 } }, { body: { n: 2 } }, { body: 'three' }, { body: { n: 4 } }])
      const told = new Told(jobs, { transports: [way], from: 'start', filter: { n: [{ numeric: ['>=', 2] }] } })
      await told.count(2)
      assert.deepEqual(told.bodies, [{ n: 2 }, { n: 4 }])
    })

    test('a subscriber that stops in the midst goes on behind the last message that it has handled', async (t) => {
      const jobs = client(t).queue('jobs')
      await jobs.postAll(Array.from({ length: 10 }, (_, i) => ({ body: i })))
      const told: Told = new Told(jobs, { transports: [way], from: 'start' }, (body) => {
        if (body === 3) void told.subscriber.stop()
      })
      await told.subscriber.ended
      assert.deepEqual(told.bodies, [0, 1, 2, 3])
      const next = new Told(jobs, { transports: [way], from: told.subscriber.marker as string })
      await next.count(6)
      assert.deepEqual(next.bodies, [4, 5, 6, 7, 8, 9])
    })
  })
}

test('a handler that fails is told of, and the next message follows', async (t) => {
  const jobs = client(t).queue('jobs')
  await jobs.postAll([{ body: 1 }, { body: 2 }, { body: 3 }])
  const told = new Told(jobs, { from: 'start' }, (body) => {
    if (body === 2) throw new Error('no two')
  })
  await told.count(2)
  assert.deepEqual(told.bodies, [1, 3])
  assert.match(String(told.errors), /no two/)
})

test('what the socket cannot do an event stream does, and what that cannot, polls', async (t) => {
  const zaqar = client(t)
  const jobs = zaqar.queue('jobs')
  gate.refusesUpgrades = true
  const told = new Told(jobs, { from: 'start' })
  await jobs.post(1)
  await told.count(1)
  assert.equal(told.subscriber.transport, 'events')
  gate.refusesEvents = true
  gate.cut()
  await jobs.post(2)
  await told.count(2)
  await jobs.post(3)
  await told.count(3)
  assert.equal(told.subscriber.transport, 'poll')
  assert.deepEqual(told.bodies, [1, 2, 3])
})

test('no message is lost, repeated or out of order while ways break and change', { timeout: 60_000 }, async (t) => {
  const zaqar = client(t)
  const jobs = zaqar.queue('jobs')
  const told = new Told(jobs, { from: 'start' })
  const all = Array.from({ length: 160 }, (_, i) => i)
  for (const i of all) {
    await jobs.post(i)
    if (i % 20 === 19) {
      gate.refusesUpgrades = i % 3 === 0
      gate.refusesEvents = i % 5 === 0
      gate.cut()
    }
  }
  await told.count(all.length)
  assert.deepEqual(told.bodies, all)
})

test('no message is lost, repeated or out of order when the service is killed and comes back', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-subscribe-'))
  let own = await startService({ dataDir })
  t.after(async () => {
    await own.kill()
    rmSync(dataDir, { recursive: true })
  })
  const zaqar = client(t, { url: own.url })
  const jobs = zaqar.queue('jobs')
  const told = new Told(jobs, { from: 'start' })
  const all = Array.from({ length: 100 }, (_, i) => i)
  const posting = (async () => {
    for (const i of all) {
      for (const key = crypto.randomUUID(); ; ) {
        if (
          await jobs.post(i, { idempotencyKey: key }).then(
            () => true,
            () => false,
          )
        )
          break
      }
    }
  })()
  await told.count(50)
  await own.kill()
  own = await startService({ dataDir, port: own.port })
  await posting
  await told.count(all.length)
  assert.deepEqual(told.bodies, all)
})

test('queues and a topic of the same name share a socket', async (t) => {
  const zaqar = client(t)
  const [a, b, topic] = [zaqar.queue('a'), zaqar.queue('b'), zaqar.topic('a')]
  const before = gate.upgrades
  const told = [a, b, topic].map((one) => new Told(one, { from: 'start' }))
  for (const [i, one] of [a, b, topic].entries()) await one.post(i)
  await Promise.all(told.map((one) => one.count(1)))
  assert.deepEqual(
    told.map(({ bodies }) => bodies),
    [[0], [1], [2]],
  )
  assert.deepEqual(await zaqar.socket.request('queue_list', {}), { queues: [{ name: 'a' }, { name: 'b' }] })
  assert.equal(gate.upgrades - before, 1)
  // Those of other tests may be closing.
  await until(async () => (await connections()) === 1)
})

/** Of the service, that are open now. */
async function connections(): Promise<number> {
  const headers = { 'Client-ID': crypto.randomUUID(), 'X-Project-ID': 'operator', 'X-Roles': 'admin' }
  const health = (await (await fetch(`${service.url}/v2/health`, { headers })).json()) as {
    sockets: { connections: number }
  }
  return health.sockets.connections
}

test('signed values are enough, and the way changes where they do not allow a subscription', async (t) => {
  const owner = client(t).queue('jobs')
  await owner.postAll([{ body: 1 }, { body: 2 }])
  const both = await owner.share({ methods: ['GET', 'POST', 'DELETE'], paths: ['messages', 'subscriptions'] })
  const pushed = new Told(client(t, { auth: { signed: both } }).queue('jobs'), { from: 'start' })
  await pushed.count(2)
  assert.equal(pushed.subscriber.transport, 'socket')
  const reads = await owner.share({ methods: ['GET'], paths: ['messages'] })
  const read = new Told(client(t, { auth: { signed: reads } }).queue('jobs'), { from: 'start' })
  await read.count(2)
  assert.equal(read.subscriber.transport, 'events')
  // Over HTTP, what a signature does not allow is not there.
  const other = new Told(client(t, { auth: { signed: reads } }).queue('other'))
  await other.errorCount(3)
  assert.deepEqual(
    other.errors.map((error) => (error as ZaqarError).status),
    [403, 404, 404],
  )
})

test('frames can be MessagePack', async (t) => {
  const msgpack = new Packr({ useRecords: false, int64AsType: 'number' })
  const zaqar = client(t, { msgpack })
  const body = { text: 'grün', large: 2 ** 40, list: [null, true, 1.5], nothing: undefined }
  const answer = await zaqar.socket.request('message_post', { queue_name: 'jobs', messages: [{ body, ttl: 300 }] })
  assert.equal((answer as { message_ids: string[] }).message_ids.length, 1)
  const told = new Told(zaqar.queue('jobs'), { from: 'start' })
  await told.count(1)
  assert.deepEqual(told.bodies, [{ text: 'grün', large: 2 ** 40, list: [null, true, 1.5] }])
})
