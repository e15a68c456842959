import assert from 'node:assert/strict'
import type { Queue, QueueHandle } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { failed, postponed, type Scene, toldBy } from '../scene.ts'
import type { It } from './case.ts'

/** What a subscription was told of in vain, and the log of its deliveries. */
export function failureCases(it: It): void {
  it('what has failed is recorded, and owed no more', async (scene) => {
    const queue = await subscribed(scene)
    const { now } = scene
    const [id] = await scene.postWith(queue, { clientId: 'ada', ttlSeconds: 60 }, 'a')
    scene.pass(5)
    const lease = await scene.leaseOne()
    await scene.settle(lease, { outcomes: postponed(lease.notifications, scene.now + 5000, '[1]') })
    scene.pass(5)
    const again = await scene.leaseOne()
    const attempts = '[{"at": 1.0, "0": 2}]'
    await scene.settle(again, { outcomes: failed(again.notifications, scene.now + 600_000, attempts) })
    const message = { id, body: '"a"', clientId: 'ada', ttlSeconds: 60, delaySeconds: 0, createdAt: now }
    const { failures } = await scene.failures(queue)
    assert.deepEqual(failures, [{ message, since: now, attempts, failedAt: scene.now }])
    scene.pass(120)
    assert.deepEqual(await scene.owed(), {})
    assert.deepEqual((await scene.failures(queue)).failures, failures, 'the message itself has expired')
  })

  it('a delayed message that has failed is recorded as it was posted', async (scene) => {
    const queue = await subscribed(scene)
    const { now } = scene
    const [id] = await scene.postWith(queue, { delaySeconds: 10, ttlSeconds: 60 }, 'a')
    scene.pass(15)
    await fail(scene)
    const message = { id, body: '"a"', clientId: 'poster', ttlSeconds: 60, delaySeconds: 10, createdAt: now }
    const expected = { message, since: now + 10_000, attempts: '[1, 2]', failedAt: scene.now }
    assert.deepEqual((await scene.failures(queue)).failures, [expected])
  })

  it('failures are listed in the order of failing, page by page', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b', 'c', 'd', 'e')
    const lease = await scene.leaseOne()
    const [a, b, c, d] = lease.notifications
    assert(a && b && c && d)
    const until = scene.now + 600_000
    await scene.settle(lease, {
      outcomes: [...postponed([a], scene.now + 1000), ...failed([b, c], until), ...postponed([d], scene.now + 500)],
    })
    scene.clock.advance(500)
    await fail(scene)
    scene.clock.advance(500)
    await fail(scene)
    assert.deepEqual(await scene.failed(queue), ['b', 'c', 'd', 'e', 'a'])
    const first = await scene.failures(queue, { limit: 2 })
    const second = await scene.failures(queue, { after: first.marker, limit: 2 })
    const third = await scene.failures(queue, { after: second.marker, limit: 2 })
    const pages = [first, second, third].map(({ failures }) => failures.map(({ message }) => JSON.parse(message.body)))
    assert.deepEqual(pages, [['b', 'c'], ['d', 'e'], ['a']])
    assert.deepEqual(await scene.failures(queue, { after: third.marker }), { failures: [], marker: null })
    assert.deepEqual(await scene.replay(queue), [b, c, d, lease.notifications[4], a].map(idOf))
    await scene.post(queue, 'f')
    await fail(scene)
    const after = { after: third.marker }
    assert.deepEqual(
      await scene.failed(queue, after),
      ['a', 'b', 'c', 'd', 'e', 'f'],
      'what failed again stands behind',
    )
  })

  // Of two engines each has markers that the other can read.
  it.needing('oneEngine', 'what is no marker of the queue is no marker', async (scene) => {
    const [queue, other] = [await subscribed(scene), await scene.queue('other')]
    await scene.subscribe(other, 'o')
    await scene.post(other, 'x')
    await scene.post(queue, 'a', 'b')
    await fail(scene)
    const { marker } = await scene.failures(other, { id: 'o' })
    assert.notEqual(marker, null)
    for (const after of [marker, ...malformedIds]) assert.deepEqual(await scene.failed(queue, { after }), ['a', 'b'])
  })

  it('a record ends at its very instant', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const lease = await scene.leaseOne()
    const [a, b] = lease.notifications
    assert(a && b)
    const outcomes = [...failed([a], scene.now + 20_000), ...failed([b], scene.now + 10_000)]
    await scene.settle(lease, { outcomes })
    scene.passAlmost(10)
    assert.deepEqual(await scene.failed(queue), ['a', 'b'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.failed(queue), ['a'])
    assert.deepEqual(await scene.replay(queue, { messageIds: [idOf(b)] }), [])
    scene.pass(10)
    assert.deepEqual(await scene.failures(queue), { failures: [], marker: null })
    assert.deepEqual(await scene.replay(queue), [])
    assert.deepEqual(await scene.owed(), {})
  })

  it('the latest failures stay, as many as are kept', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b', 'c')
    await fail(scene, { failures: 2 })
    assert.deepEqual(await scene.failed(queue), ['b', 'c'])
    await scene.post(queue, 'd')
    await fail(scene, { failures: 2 })
    assert.deepEqual(await scene.failed(queue), ['c', 'd'])
    await scene.post(queue, 'e')
    await fail(scene, { failures: 0 })
    assert.deepEqual(await scene.failed(queue), [])
    assert.deepEqual(await scene.owed(), {})
  })

  it('what has expired is none of those that are kept', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    await fail(scene, { failures: 2 })
    await scene.post(queue, 'b')
    const lease = await scene.leaseOne()
    await scene.settle(lease, {
      outcomes: failed(lease.notifications, scene.now + 1000),
      keep: { log: 0, failures: 2 },
    })
    scene.pass(1)
    await scene.post(queue, 'c')
    await fail(scene, { failures: 2 })
    assert.deepEqual(await scene.failed(queue), ['a', 'c'])
  })

  it('an announcement that has failed leaves no record', async (scene) => {
    const queue = await subscribed(scene)
    await scene.announce(queue, 'x')
    await scene.post(queue, 'a')
    await fail(scene)
    assert.deepEqual(await scene.failed(queue), ['a'])
    assert.deepEqual(await scene.owed(), {})
  })

  it('each subscription has its own', async (scene) => {
    const queue = await subscribed(scene)
    await scene.subscribe(queue, 'other')
    await scene.post(queue, 'a')
    const { leases } = await scene.lease()
    for (const lease of leases) {
      if (lease.subscription.id === 's') await scene.settle(lease, { outcomes: failed(lease.notifications, FAR) })
      else await scene.finish(lease, { log: ['1'] })
    }
    assert.deepEqual(await scene.failed(queue), ['a'])
    assert.deepEqual(await scene.failed(queue, { id: 'other' }), [])
    assert.deepEqual(await scene.replay(queue, { id: 'other' }), [])
    assert.deepEqual([await scene.log(queue), await scene.log(queue, 'other')], [[], ['1']])
    await scene.replay(queue)
    assert.deepEqual(await scene.owed(), { s: ['a'] })
  })

  it('failures stay when their subscription stops listening, or has another subscriber', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    await fail(scene)
    await scene.confirm(queue, 's', false)
    const { subscriptions } = scene.storage
    const change = { subscriber: 'http://new.example/', isListening: true }
    await subscriptions.update({ queue, id: 's', ...change, now: scene.now })
    assert.deepEqual(await scene.failed(queue), ['a'])
    await scene.replay(queue)
    assert.deepEqual(await scene.deliver(), { s: ['a'] })
  })

  it('a deleted or expired subscription takes its failures and its log with it', async (scene) => {
    const queue = await scene.queue()
    for (const expires of [false, true]) {
      await scene.subscribe(queue, 's', { ttlSeconds: 60 })
      await scene.post(queue, 'a')
      await fail(scene)
      if (expires) scene.pass(60)
      else await scene.unsubscribe(queue)
      await assertAbsent(scene, queue, 's')
      await scene.subscribe(queue, 's')
      assert.deepEqual([await scene.failed(queue), await scene.log(queue)], [[], []])
      assert.deepEqual(await scene.replay(queue), [])
      assert.deepEqual(await scene.owed(), {})
      await scene.unsubscribe(queue)
    }
  })

  it('an id of another queue, project or kind, or a malformed one, names nothing', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    await fail(scene)
    const strangers = [
      await scene.queue('other'),
      await scene.queue('jobs', { kind: 'topic' }),
      await scene.queue('jobs', { project: 'beta' }),
    ]
    for (const stranger of strangers) await assertAbsent(scene, stranger, 's')
    for (const id of malformedIds) await assertAbsent(scene, queue, id)
    assert.deepEqual(await scene.failed(queue), ['a'])
    assert.deepEqual(await scene.replay(queue, { messageIds: malformedIds }), [])
    assert.deepEqual(await scene.failed(queue), ['a'])
  })

  it('a queue that has changed or gone is stale for deliveries, too', async (scene) => {
    const old = await subscribed(scene)
    await scene.post(old, 'a')
    await fail(scene)
    const { storage, now } = scene
    const assertStale = async (queue: QueueHandle) => {
      const { deliveries } = storage
      const answers = await Promise.all([
        deliveries.announce({ queue, id: 's', text: 'x', now }),
        deliveries.failures({ queue, id: 's', after: null, limit: 10, now }),
        deliveries.replay({ queue, id: 's', messageIds: null, since: null, limit: 10, now }),
        deliveries.log({ queue, id: 's', now }),
      ])
      assert.deepEqual(answers, Array(4).fill(STALE))
    }
    const queue = await storage.queues.update({ queue: old, metadata: '{"colour": "red"}', now })
    assert(queue !== STALE)
    await assertStale(old)
    assert.deepEqual(await scene.owed(), {})
    assert.deepEqual(await scene.failed(queue), ['a'])
    await storage.queues.delete({ queue, now })
    await assertStale(queue)
  })
}

/** What has failed is owed again. */
export function replayCases(it: It): void {
  it('what is replayed is owed at once, in the order of the feed, as if it was never tried', async (scene) => {
    const queue = await subscribed(scene)
    const ids = await scene.post(queue, 'a', 'b', 'c')
    const lease = await scene.leaseOne()
    const [a, b, c] = lease.notifications
    assert(a && b && c)
    const outcomes = [...postponed([a], scene.now), ...failed([b, c], scene.now + 600_000)]
    await scene.settle(lease, { outcomes })
    await fail(scene)
    await scene.post(queue, 'd')
    scene.pass(5)
    assert.deepEqual(await scene.replay(queue), [ids[1], ids[2], ids[0]])
    assert.deepEqual(await scene.failed(queue), [])
    const again = await scene.leaseOne()
    assert.deepEqual(toldBy(again.notifications), ['a', 'b', 'c', 'd'])
    const [first] = again.notifications
    assert.deepEqual([first?.content, first?.since, first?.attempts], [a.content, a.since, null])
    await scene.finish(again)
    assert.deepEqual(await scene.owed(), {})
    assert.deepEqual(await scene.replay(queue), [])
  })

  it('those of the ids are replayed, whatever the limit', async (scene) => {
    const queue = await subscribed(scene)
    const [a, b, c] = await scene.post(queue, 'a', 'b', 'c', 'd')
    assert(a && b && c)
    await fail(scene)
    const messageIds = [c, 'unknown', a, c]
    assert.deepEqual(await scene.replay(queue, { messageIds, limit: 1 }), [a, c])
    assert.deepEqual(await scene.failed(queue), ['b', 'd'])
    assert.deepEqual(await scene.replay(queue, { messageIds: [] }), [])
    assert.deepEqual(await scene.replay(queue, { messageIds: [a] }), [], 'it is owed, it has not failed')
    assert.deepEqual(await scene.deliver(), { s: ['a', 'c'] })
  })

  it('the first of those that failed since then are replayed', async (scene) => {
    const queue = await subscribed(scene)
    const ids: string[] = []
    for (const word of ['a', 'b', 'c', 'd']) {
      scene.pass(10)
      ids.push(await scene.postOne(queue, word))
      await fail(scene)
    }
    const [a, b, c] = ids
    assert(a && b && c)
    const since = scene.now - 20_000
    assert.deepEqual(await scene.replay(queue, { since, messageIds: [a, c] }), [c])
    assert.deepEqual(await scene.replay(queue, { since, limit: 1 }), [b], 'it failed at that very instant')
    assert.deepEqual(await scene.failed(queue), ['a', 'd'])
    assert.deepEqual(await scene.replay(queue, { since: scene.now + 1 }), [])
    assert.deepEqual(await scene.replay(queue, { limit: 1 }), [a])
    assert.deepEqual(await scene.failed(queue), ['d'])
    assert.deepEqual(await scene.deliver(), { s: ['a', 'b', 'c'] })
  })

  it('what was replayed may fail again', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    await fail(scene)
    await scene.replay(queue)
    const lease = await scene.leaseOne()
    scene.pass(1)
    await scene.settle(lease, { outcomes: failed(lease.notifications.slice(0, 1), scene.now + 60_000, '[3]') })
    const { failures } = await scene.failures(queue)
    assert.deepEqual(
      failures.map(({ message, attempts, failedAt }) => [message.body, attempts, failedAt]),
      [['"a"', '[3]', scene.now]],
    )
    assert.deepEqual(await scene.deliver(), { s: ['b'] })
  })

  it('what is replayed during a lease is among its next', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    await fail(scene)
    await scene.post(queue, 'b', 'c')
    const batch = { notifications: 1, bytes: 1_000_000 }
    const lease = await scene.leaseOne({ batch })
    await scene.replay(queue)
    const next = { seconds: 60, batch: { ...batch, notifications: 10 } }
    assert.deepEqual(toldBy((await scene.finish(lease, { next })).notifications), ['a', 'c'])
  })

  it('nothing is replayed to who does not listen', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    await fail(scene)
    await scene.confirm(queue, 's', false)
    const terms = { queue, id: 's', messageIds: null, since: null, limit: 10 }
    assert.equal(await scene.storage.deliveries.replay({ ...terms, now: scene.now }), null)
    assert.deepEqual(await scene.failed(queue), ['a'])
  })

  it('what was replayed is not owed any more to who stops listening', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    await fail(scene)
    await scene.replay(queue)
    await scene.confirm(queue, 's', false)
    await scene.confirm(queue, 's', true)
    assert.deepEqual(await scene.owed(), {})
    assert.deepEqual(await scene.failed(queue), [])
  })
}

/** What settlements say of recent deliveries. */
export function logCases(it: It): void {
  it('the log holds the latest texts, letter by letter', async (scene) => {
    const queue = await subscribed(scene)
    assert.deepEqual(await scene.log(queue), [])
    const write = async (log: readonly string[], kept = 3) => {
      await scene.post(queue, 'a')
      await scene.finish(await scene.leaseOne(), { log, keep: { log: kept, failures: 10 } })
    }
    await write(['{"b": 1.0, "0": 2}', '"ä"'])
    assert.deepEqual(await scene.log(queue), ['{"b": 1.0, "0": 2}', '"ä"'])
    await write(['1', '2'])
    assert.deepEqual(await scene.log(queue), ['"ä"', '1', '2'])
    await write([])
    assert.deepEqual(await scene.log(queue), ['"ä"', '1', '2'])
    await write(['3', '4', '5', '6'])
    assert.deepEqual(await scene.log(queue), ['4', '5', '6'])
    await write(['7'], 0)
    assert.deepEqual(await scene.log(queue), [])
    await write(['8'])
    assert.deepEqual(await scene.log(queue), ['8'])
  })

  it('a lease that goes on has written, too', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const batch = { notifications: 1, bytes: 1_000_000 }
    const lease = await scene.leaseOne({ batch })
    const health = { failures: 1, failingSince: scene.now, pausedUntil: null }
    await scene.settle(lease, {
      outcomes: failed(lease.notifications, scene.now + 60_000),
      log: ['1'],
      health,
      next: { seconds: 60, batch },
    })
    assert.deepEqual(await scene.log(queue), ['1'])
    assert.deepEqual(await scene.failed(queue), ['a'])
    assert.deepEqual((await scene.subscription(queue))?.health, health)
  })
}

/** Far beyond the end of any case. */
const FAR = Date.UTC(2100, 0, 1)

/** A queue with a subscription. */
async function subscribed(scene: Scene): Promise<Queue> {
  const queue = await scene.queue()
  await scene.subscribe(queue)
  return queue
}

/** All that is owed by now fails at last. */
async function fail(scene: Scene, { failures = 10 } = {}): Promise<void> {
  const { leases } = await scene.lease()
  for (const lease of leases) {
    const outcomes = failed(lease.notifications, scene.now + 600_000)
    await scene.settle(lease, { outcomes, keep: { log: 10, failures } })
  }
}

async function assertAbsent({ storage, now }: Scene, queue: QueueHandle, id: string): Promise<void> {
  const { deliveries } = storage
  assert.equal(await deliveries.announce({ queue, id, text: 'x', now }), false)
  assert.equal(await deliveries.failures({ queue, id, after: null, limit: 10, now }), null)
  assert.equal(await deliveries.replay({ queue, id, messageIds: null, since: null, limit: 10, now }), null)
  assert.equal(await deliveries.log({ queue, id, now }), null)
}

function idOf(notification: Parameters<typeof toldBy>[0][number] | undefined): string {
  assert(notification?.content.kind === 'message')
  return notification.content.message.id
}
