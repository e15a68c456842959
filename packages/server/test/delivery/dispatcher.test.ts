import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createModel, ManualClock } from 'zaqar-conformance'
import { readAttempts, readLogged } from '../../src/core/rules/attempts.ts'
import type { Answer } from '../../src/delivery/channel.ts'
import type { Parcel } from '../../src/delivery/deliver.ts'
import { Dispatcher, type DispatcherParts } from '../../src/delivery/dispatcher.ts'
import type { Health, Notification, Queue } from '../../src/model/model.ts'
import { STALE, type Storage, StorageUnavailable } from '../../src/storage/contract.ts'
import { settled } from '../support/settled.ts'
import { unwatchedDeliveries } from '../support/unwatched.ts'

const DELIVERED: Answer = { result: 'delivered', status: 200, reason: null, answer: '', retryAfterSeconds: null }
const FAILED: Answer = { result: 'failed', status: 500, reason: 'status 500', answer: 'oh', retryAfterSeconds: null }
/** Ten attempts in a row pause a receiver, so a policy with fewer says what the policy does. */
const THREE_TRIES = { _retry_policy: { retries_with_no_delay: 1, minimum_delay_retries: 1, maximum_delay_retries: 0 } }

/** A dispatcher on the model, with a receiver that does what the test says. */
class Scene {
  readonly clock = new ManualClock()
  readonly storage: Storage = createModel(this.clock)
  /** What came to a receiver, in order: the subscriber, and the bodies of the parcel. */
  readonly sent: string[] = []
  readonly troubles: unknown[] = []
  /** Messages that receivers have taken, by queue. */
  readonly delivered = new Map<string, number>()
  readonly #dispatchers: Dispatcher[] = []
  answer: (parcel: Parcel, signal: AbortSignal) => Answer | Promise<Answer> = () => DELIVERED

  start(parts: Partial<DispatcherParts> = {}): Dispatcher {
    const dispatcher = new Dispatcher({
      storage: this.storage,
      watchWork: (listener) => this.storage.watchWork(listener),
      clock: this.clock,
      hostOf: (subscriber) => new URL(subscriber).host,
      send: async (parcel, signal) => {
        const bodies = parcel.notifications.map(({ content }) =>
          content.kind === 'message' ? content.message.body : content.text,
        )
        this.sent.push(`${new URL(parcel.subscription.subscriber).pathname.slice(1)}: ${bodies.join(' ')}`)
        return this.answer(parcel, signal)
      },
      endSubscription: async (queue, { id }) => {
        await this.storage.subscriptions.delete({ queue, id, now: this.clock.now() })
      },
      terms: {
        leaseSeconds: 30,
        longestTrySeconds: 15,
        keep: { log: 20, failures: 20, failureSeconds: 3600 },
        requiresConfirmation: false,
      },
      atOnce: { all: 100, perHost: 10, perProject: 50 },
      closingSeconds: 10,
      longestBody: 4 << 20,
      startTimeLimit: (milliseconds, callback) => this.clock.at(this.clock.now() + milliseconds, callback),
      elapsed: () => 0,
      meter: unwatchedDeliveries(),
      delivered: ({ name }, messages) => this.delivered.set(name, (this.delivered.get(name) ?? 0) + messages),
      requests: () => 0,
      report: (error) => this.troubles.push(error),
      ...parts,
    })
    this.#dispatchers.push(dispatcher)
    return dispatcher
  }

  async queue(name = 'q', metadata = {}): Promise<Queue> {
    const key = { project: 'p', kind: 'queue', name } as const
    const text = JSON.stringify(metadata)
    return (await this.storage.queues.create({ key, metadata: text, now: this.clock.now() })).queue
  }

  async subscribe(queue: Queue, name: string, options = {}, host = 'one.example'): Promise<string> {
    await this.storage.subscriptions.create({
      queue,
      id: name,
      subscriber: `http://${host}/${name}`,
      ttlSeconds: 1_000_000,
      options: JSON.stringify(options),
      isListening: true,
      vault: null,
      now: this.clock.now(),
    })
    return name
  }

  async post(queue: Queue, ...bodies: unknown[]): Promise<void> {
    const messages = bodies.map((body) => ({ body: JSON.stringify(body), ttlSeconds: 3600, delaySeconds: 0 }))
    await this.storage.messages.append({ queue, clientId: 'c', messages, now: this.clock.now() })
    await settled()
  }

  async pass(seconds: number): Promise<void> {
    // Each timer on the way may begin what sets the next.
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1000)
      await settled()
    }
  }

  async failures(queue: Queue, id: string) {
    const page = await this.storage.deliveries.failures({ queue, id, after: null, limit: 100, now: this.clock.now() })
    assert.ok(page !== STALE && page !== null)
    return page.failures
  }

  async health(queue: Queue, id: string): Promise<Health | null> {
    const subscription = await this.storage.subscriptions.get({ queue, id, now: this.clock.now() })
    assert.ok(subscription !== STALE && subscription !== null)
    return subscription.health
  }

  async end(): Promise<void> {
    const closing = Promise.all(this.#dispatchers.map((dispatcher) => dispatcher.close()))
    await settled()
    this.clock.advance(60_000)
    await closing
  }
}

function scenario(title: string, run: (scene: Scene) => Promise<void>): void {
  test(title, async () => {
    const scene = new Scene()
    try {
      await run(scene)
      await settled()
      assert.deepEqual(scene.troubles, [])
    } finally {
      await scene.end()
    }
  })
}

/** Answers of a receiver that come when the test says so. */
function gate(): { answer(signal: AbortSignal): Promise<Answer>; open(): void } {
  const opened = Promise.withResolvers<Answer>()
  return {
    answer(signal) {
      const aborted = new Promise<Answer>((resolve) => signal.addEventListener('abort', () => resolve(FAILED)))
      return Promise.race([opened.promise, aborted])
    },
    open: () => opened.resolve(DELIVERED),
  }
}

describe('the dispatcher', () => {
  scenario('tells every subscription of every message, in order', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    await scene.subscribe(queue, 'b')
    scene.start()
    await scene.post(queue, 1, 2)
    await scene.post(queue, 3)
    const told = (name: string) => scene.sent.filter((line) => line.startsWith(name))
    assert.deepEqual(told('a'), ['a: 1', 'a: 2', 'a: 3'])
    assert.deepEqual(told('b'), ['b: 1', 'b: 2', 'b: 3'])
    assert.deepEqual(scene.delivered, new Map([['q', 6]]))
  })

  scenario('tells what was posted before it was there', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    await scene.post(queue, 1)
    scene.start()
    await settled()
    assert.deepEqual(scene.sent, ['a: 1'])
  })

  scenario('tells of a delayed message when its delay is over, though nobody asks', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    scene.start()
    const message = { body: '1', ttlSeconds: 3600, delaySeconds: 30 }
    await scene.storage.messages.append({ queue, clientId: 'c', messages: [message], now: scene.clock.now() })
    await scene.pass(29)
    assert.deepEqual(scene.sent, [])
    await scene.pass(1)
    assert.deepEqual(scene.sent, ['a: 1'])
  })

  scenario('tries again as the policy says, and records the failure at last', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', THREE_TRIES)
    scene.answer = () => FAILED
    scene.start()
    await scene.post(queue, 1)
    assert.equal(scene.sent.length, 2, 'the first, and the one without a delay')
    await scene.pass(4)
    assert.equal(scene.sent.length, 2)
    await scene.pass(1)
    assert.equal(scene.sent.length, 3)
    // The backoff of the policy that says nothing of it: 5, 10, 15, 20, 25.
    await scene.pass(75)
    assert.equal(scene.sent.length, 8)
    const [failure] = await scene.failures(queue, 'a')
    const { count, latest } = readAttempts(failure?.attempts ?? null)
    assert.equal(count, 8)
    assert.deepEqual([latest[0]?.status, latest[0]?.reason, latest[0]?.answer], [500, 'status 500', 'oh'])
    await scene.pass(300)
    assert.equal(scene.sent.length, 8)
  })

  scenario('a failing message holds up neither those behind it nor other subscriptions', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    await scene.subscribe(queue, 'b')
    scene.answer = ({ notifications, subscription }) => {
      const [first] = notifications
      const isBad = first?.content.kind === 'message' && first.content.message.body === '1'
      return isBad && subscription.id === 'a' ? FAILED : DELIVERED
    }
    scene.start()
    await scene.post(queue, 1, 2, 3)
    assert.ok(scene.sent.includes('a: 2') && scene.sent.includes('a: 3') && scene.sent.includes('b: 3'))
    scene.answer = () => DELIVERED
    await scene.pass(5)
    assert.equal(scene.sent.at(-1), 'a: 1')
    assert.equal(await scene.health(queue, 'a'), null)
  })

  scenario('later ones wait for a failing message where the subscription wants order', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', { _ordered: true })
    scene.answer = () => FAILED
    scene.start()
    await scene.post(queue, 1, 2)
    await scene.post(queue, 3)
    assert.deepEqual(new Set(scene.sent), new Set(['a: 1']))
    scene.answer = () => DELIVERED
    scene.sent.length = 0
    await scene.pass(30)
    assert.deepEqual(scene.sent, ['a: 1', 'a: 2', 'a: 3'])
  })

  scenario('waits as long as the receiver asks for', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    scene.answer = () => ({ ...FAILED, status: 429, retryAfterSeconds: 60 })
    scene.start()
    await scene.post(queue, 1)
    scene.answer = () => DELIVERED
    await scene.pass(59)
    assert.equal(scene.sent.length, 1)
    await scene.pass(1)
    assert.equal(scene.sent.length, 2)
  })

  scenario('a receiver that says that it is gone ends the subscription that wants it so', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', { _end_on_gone: true })
    await scene.subscribe(queue, 'b', THREE_TRIES)
    scene.answer = () => ({ ...FAILED, result: 'gone', status: 410 })
    scene.start()
    await scene.post(queue, 1)
    const left = await scene.storage.subscriptions.list({ queue, after: null, limit: 10, now: scene.clock.now() })
    assert.ok(left !== STALE)
    assert.deepEqual(
      left.map(({ id }) => id),
      ['b'],
    )
  })

  scenario('passes over what a filter does not want', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', { _filter: { kind: ['created'] } })
    scene.start()
    await scene.post(queue, { kind: 'created' }, { kind: 'deleted' }, 'text', { kind: 'created' })
    assert.deepEqual(scene.sent, ['a: {"kind":"created"}', 'a: {"kind":"created"}'])
  })

  scenario('sends a batch when it is full, or when its time has come', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', { _batch: { messages: 2, seconds: 20 } })
    scene.start()
    await scene.post(queue, 1, 2, 3)
    assert.deepEqual(scene.sent, ['a: 1 2'])
    await scene.pass(19)
    assert.equal(scene.sent.length, 1)
    await scene.pass(1)
    assert.deepEqual(scene.sent, ['a: 1 2', 'a: 3'])
  })

  scenario('a batch larger than what is taken in hand at first goes out whole', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', { _batch: { messages: 20, seconds: 300 } })
    scene.start()
    await scene.post(queue, ...Array.from({ length: 25 }, (_, n) => n))
    assert.equal(scene.sent.length, 1)
    assert.equal(scene.sent[0]?.split(' ').length, 21)
    await scene.pass(300)
    assert.equal(scene.sent.length, 2)
  })

  scenario('so does one of messages too long to be taken in hand at once', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', { _batch: { messages: 4, seconds: 300 } })
    scene.start()
    await scene.post(queue, ...Array.from({ length: 4 }, () => 'x'.repeat(20 * 1024)))
    assert.equal(scene.sent.length, 1)
    assert.equal(scene.sent[0]?.split(' ').length, 5)
  })

  scenario('what was tried is in the log, the latest last', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', THREE_TRIES)
    scene.answer = () => (scene.sent.length === 1 ? FAILED : DELIVERED)
    scene.start()
    await scene.post(queue, 1)
    const log = await scene.storage.deliveries.log({ queue, id: 'a', now: scene.clock.now() })
    assert.ok(log !== STALE && log !== null)
    assert.deepEqual(
      log.map(readLogged).map(({ status }) => status),
      [500, 200],
    )
  })
})

describe('a body that cannot be decrypted', () => {
  scenario('fails at last without being sent, and says nothing of the receiver', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', THREE_TRIES)
    const { deliveries, subscriptions } = scene.storage
    const unreadable = (notifications: readonly Notification[]): Notification[] =>
      notifications.map((one) => {
        if (one.content.kind === 'announcement' || one.content.message.body !== '1') return one
        return { ...one, content: { kind: 'message', message: { ...one.content.message, body: '' } } }
      })
    const sealed: typeof deliveries = {
      ...deliveries,
      async lease(p) {
        const { leases, next } = await deliveries.lease(p)
        return { leases: leases.map((one) => ({ ...one, notifications: unreadable(one.notifications) })), next }
      },
      async settle(p) {
        const settled = await deliveries.settle(p)
        return settled === 'lost' ? settled : { ...settled, notifications: unreadable(settled.notifications) }
      },
    }
    scene.start({ storage: { deliveries: sealed, subscriptions } })
    await scene.post(queue, 1, 2)
    await scene.pass(100)
    assert.deepEqual(scene.sent, ['a: 2'])
    assert.equal(await scene.health(queue, 'a'), null)
    const [failure] = await scene.failures(queue, 'a')
    assert.match(readAttempts(failure?.attempts ?? null).latest[0]?.reason ?? '', /decrypted/)
  })
})

describe('a receiver that fails for long', () => {
  scenario(
    'is left alone for a while, then tried with one message, and has all the rest when it is well',
    async (scene) => {
      const queue = await scene.queue()
      await scene.subscribe(queue, 'a')
      scene.answer = () => FAILED
      scene.start()
      await scene.post(queue, 1)
      for (let n = 2; (await scene.health(queue, 'a'))?.pausedUntil == null; n++) {
        assert.ok(n < 100, 'it is never paused')
        await scene.pass(1)
        await scene.post(queue, n)
      }
      const tries = scene.sent.length
      await scene.post(queue, 'later')
      assert.equal(scene.sent.length, tries, 'it is tried while it is paused')
      scene.answer = () => DELIVERED
      await scene.pass(600)
      assert.equal(await scene.health(queue, 'a'), null)
      assert.ok(scene.sent.includes('a: "later"'))
    },
  )

  scenario('what waited for it longer than its retries would have taken is recorded as failed', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    scene.answer = () => FAILED
    scene.start()
    for (let n = 0; n < 30; n++) {
      await scene.post(queue, n)
      await scene.pass(1)
    }
    await scene.pass(1800)
    const failed = await scene.failures(queue, 'a')
    assert.equal(failed.length, 20, 'as many as are kept')
    const log = await scene.storage.deliveries.log({ queue, id: 'a', now: scene.clock.now() })
    assert.ok(log !== STALE && log !== null)
    const tries = scene.sent.length
    await scene.pass(600)
    assert.equal(scene.sent.length, tries, 'nothing is owed any more')
  })
})

describe('few at once', () => {
  scenario('a host that does not answer delays nobody else', async (scene) => {
    const queue = await scene.queue()
    for (let i = 0; i < 10; i++) await scene.subscribe(queue, `dead${i}`, {}, 'dead.example')
    for (let i = 0; i < 10; i++) await scene.subscribe(queue, `well${i}`, {}, 'well.example')
    const silent = gate()
    scene.answer = ({ subscription }, signal) =>
      subscription.id.startsWith('dead') ? silent.answer(signal) : DELIVERED
    scene.start({ atOnce: { all: 100, perHost: 2, perProject: 50 } })
    await scene.post(queue, 1)
    assert.equal(scene.sent.filter((line) => line.startsWith('well')).length, 10)
    assert.equal(scene.sent.filter((line) => line.startsWith('dead')).length, 2)
    silent.open()
    await settled()
    await scene.pass(20)
    assert.equal(scene.sent.length, 20)
  })

  scenario('a project that keeps many receivers busy delays no other', async (scene) => {
    const queue = await scene.queue()
    for (let i = 0; i < 10; i++) await scene.subscribe(queue, `a${i}`, {}, `host${i}.example`)
    const key = { project: 'other', kind: 'queue', name: 'q' } as const
    const other = (await scene.storage.queues.create({ key, metadata: '{}', now: scene.clock.now() })).queue
    await scene.subscribe(other, 'b')
    const silent = gate()
    scene.answer = ({ queue }, signal) => (queue.project === 'p' ? silent.answer(signal) : DELIVERED)
    scene.start({ atOnce: { all: 100, perHost: 10, perProject: 3 } })
    await scene.post(queue, 1)
    await scene.post(other, 2)
    assert.equal(scene.sent.filter((line) => line.startsWith('a')).length, 3)
    assert.ok(scene.sent.includes('b: 2'))
    silent.open()
    await settled()
    await scene.pass(20)
    assert.equal(scene.sent.length, 11)
  })
})

describe('ending the service', () => {
  scenario('waits for tries under way, and hands the rest back at once', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    const slow = gate()
    scene.answer = (_parcel, signal) => slow.answer(signal)
    const first = scene.start()
    await scene.post(queue, 1, 2)
    const closing = first.close()
    await settled()
    slow.open()
    await closing
    assert.deepEqual(scene.sent, ['a: 1'])
    scene.answer = () => DELIVERED
    scene.start()
    await settled()
    assert.deepEqual(scene.sent, ['a: 1', 'a: 2'])
  })

  scenario('ends tries that take too long, which do not count as failed', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    scene.answer = (_parcel, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(FAILED), { once: true }))
    const first = scene.start()
    await scene.post(queue, 1)
    const closing = first.close()
    await settled()
    scene.clock.advance(10_000)
    await closing
    assert.equal(await scene.health(queue, 'a'), null)
    scene.answer = () => DELIVERED
    scene.start()
    await settled()
    assert.deepEqual(scene.sent, ['a: 1', 'a: 1'])
  })
})

describe('a node that has died', () => {
  scenario('has its work taken over when its leases end', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    await scene.post(queue, 1)
    const batch = { notifications: 10, bytes: 1000 }
    await scene.storage.deliveries.lease({ limit: 10, seconds: 30, batch, now: scene.clock.now() })
    scene.start()
    await scene.pass(29)
    assert.deepEqual(scene.sent, [])
    await scene.pass(1)
    assert.deepEqual(scene.sent, ['a: 1'])
  })
})

test('a storage that cannot answer is asked again, and everything is delivered in the end', async () => {
  const scene = new Scene()
  const queue = await scene.queue()
  await scene.subscribe(queue, 'a')
  const { deliveries, subscriptions } = scene.storage
  let isWell = false
  const failing = {
    ...deliveries,
    lease: (p: Parameters<typeof deliveries.lease>[0]) =>
      isWell ? deliveries.lease(p) : Promise.reject(new StorageUnavailable('away')),
  }
  scene.start({ storage: { deliveries: failing, subscriptions } })
  await scene.post(queue, 1)
  isWell = true
  await scene.pass(2)
  assert.deepEqual(scene.sent, ['a: 1'])
  assert.ok(scene.troubles.every((trouble) => trouble instanceof StorageUnavailable))
  await scene.end()
})

scenario('what was delivered is not delivered again though the storage could not be told at once', async (scene) => {
  const queue = await scene.queue()
  await scene.subscribe(queue, 'a')
  const { deliveries, subscriptions } = scene.storage
  let isWell = false
  const failing: typeof deliveries = {
    ...deliveries,
    settle: (p) => (isWell ? deliveries.settle(p) : Promise.reject(new StorageUnavailable('away'))),
  }
  scene.start({ storage: { deliveries: failing, subscriptions } })
  await scene.post(queue, 1)
  await scene.pass(5)
  isWell = true
  await scene.pass(60)
  assert.deepEqual(scene.sent, ['a: 1'])
  const log = await deliveries.log({ queue, id: 'a', now: scene.clock.now() })
  assert.ok(log !== STALE)
  assert.equal(log?.length, 1)
})

describe('a subscription that is changed while it is told', () => {
  scenario('is told as it is from then on', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    scene.answer = async ({ notifications: [first] }) => {
      const isFirst = first?.content.kind === 'message' && first.content.message.body === '0'
      if (isFirst) {
        const options = JSON.stringify({ _filter: { n: [1] } })
        await scene.storage.subscriptions.update({ queue, id: 'a', options, now: scene.clock.now() })
      }
      return DELIVERED
    }
    await scene.post(queue, ...Array.from({ length: 8 }, (_, n) => n))
    await scene.post(queue, { n: 1 }, { n: 2 })
    scene.start()
    await settled()
    assert.ok(scene.sent.includes('a: {"n":1}'))
    assert.ok(!scene.sent.includes('a: {"n":2}'))
  })

  scenario('has the health of the subscriber that it has by then', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a')
    scene.answer = async ({ subscription: { subscriber } }) => {
      if (subscriber.endsWith('/b')) return FAILED
      const changed = { queue, id: 'a', subscriber: 'http://one.example/b', isListening: true, now: scene.clock.now() }
      await scene.storage.subscriptions.update(changed)
      return DELIVERED
    }
    await scene.post(queue, ...Array.from({ length: 9 }, (_, n) => n))
    scene.start()
    await settled()
    assert.ok(scene.sent.includes('b: 8'))
    assert.ok(((await scene.health(queue, 'a'))?.failures ?? 0) > 0)
  })

  test('misses nothing that is posted after it has confirmed, in the very answer to the question', async () => {
    const scene = new Scene()
    const queue = await scene.queue()
    const now = () => scene.clock.now()
    const { subscriptions, deliveries } = scene.storage
    const terms = {
      subscriber: 'http://one.example/a',
      ttlSeconds: 1000,
      options: '{}',
      isListening: false,
      vault: null,
    }
    await subscriptions.create({ queue, id: 'a', ...terms, now: now() })
    await deliveries.announce({ queue, id: 'a', text: '"confirm?"', now: now() })
    scene.answer = async ({ notifications: [first] }) => {
      if (first?.content.kind === 'announcement') {
        await subscriptions.confirm({ queue, id: 'a', confirmed: true, isListening: true, now: now() })
        const message = { body: '1', ttlSeconds: 3600, delaySeconds: 0 }
        await scene.storage.messages.append({ queue, clientId: 'c', messages: [message], now: now() })
      }
      return DELIVERED
    }
    const keep = { log: 20, failures: 20, failureSeconds: 3600 }
    scene.start({ terms: { leaseSeconds: 30, longestTrySeconds: 15, keep, requiresConfirmation: true } })
    await settled()
    assert.deepEqual(scene.sent, ['a: "confirm?"', 'a: 1'])
    await scene.end()
  })
})

describe('a fault of ours', () => {
  test('counts as a failure, so that it is not met for ever', async () => {
    const scene = new Scene()
    const queue = await scene.queue()
    await scene.subscribe(queue, 'a', THREE_TRIES)
    scene.answer = () => {
      throw new Error('a bug')
    }
    scene.start()
    await scene.post(queue, 1)
    await scene.pass(100)
    assert.equal((await scene.failures(queue, 'a')).length, 1)
    assert.equal(scene.troubles.length, scene.sent.length)
    await scene.end()
  })
})

describe('a request that would be too long', () => {
  scenario('is not sent, and others are', async (scene) => {
    const queue = await scene.queue()
    const post_data = Array.from({ length: 20 }, () => '"$zaqar_message$"').join()
    await scene.subscribe(queue, 'a', { ...THREE_TRIES, post_data })
    await scene.subscribe(queue, 'b')
    scene.start()
    await scene.post(queue, 'x'.repeat(200_000))
    await scene.pass(100)
    assert.equal(scene.sent.length, 1)
    const [failure] = await scene.failures(queue, 'a')
    assert.match(readAttempts(failure?.attempts ?? null).latest[0]?.reason ?? '', /too long/)
  })
})

scenario('a project with more subscriptions than places leaves places to others', async (scene) => {
  const queue = await scene.queue()
  for (let i = 0; i < 20; i++) await scene.subscribe(queue, `a${i}`, {}, `host${i}.example`)
  const key = { project: 'other', kind: 'queue', name: 'q' } as const
  const other = (await scene.storage.queues.create({ key, metadata: '{}', now: scene.clock.now() })).queue
  await scene.subscribe(other, 'b')
  const silent = gate()
  scene.answer = ({ queue }, signal) => (queue.project === 'p' ? silent.answer(signal) : DELIVERED)
  scene.start({ atOnce: { all: 10, perHost: 10, perProject: 5 } })
  await scene.post(queue, 1)
  await scene.post(other, 2)
  await scene.pass(10)
  assert.ok(scene.sent.includes('b: 2'))
  silent.open()
  await scene.pass(20)
  assert.equal(scene.sent.length, 21)
})
