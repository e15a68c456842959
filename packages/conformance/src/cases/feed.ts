import assert from 'node:assert/strict'
import type { DeadLetterPolicy, Notification } from 'zaqar/storage'
import { done, failed, postponed, toldBy } from '../scene.ts'
import type { It } from './case.ts'

const bury: DeadLetterPolicy = { queue: 'dead', maxClaimCount: 0, ttlSeconds: null }
const one = 'http://one.example/'

/** What subscriptions are owed. */
export function feedCases(it: It): void {
  it('a lease shows the queue, the subscription and the message as it was posted', async (scene) => {
    const queue = await scene.queue()
    const subscription = await scene.subscribe(queue, 's', { options: '{"b": 1.0, "0": 2}', vault: '{"k": [1.0]}' })
    const { now } = scene
    const [id] = await scene.postWith(queue, { clientId: 'ada', ttlSeconds: 600 }, 'a')
    scene.pass(5)
    const { leases } = await scene.lease({ seconds: 30 })
    const message = { id, body: '"a"', clientId: 'ada', ttlSeconds: 600, delaySeconds: 0, createdAt: now }
    assert.deepEqual(
      leases.map(({ id: _id, notifications, ...lease }) => ({
        ...lease,
        notifications: notifications.map(({ ref: _ref, ...notification }) => notification),
      })),
      [
        {
          queue,
          subscription,
          endsAt: now + 35_000,
          notifications: [{ content: { kind: 'message', message }, since: now, attempts: null }],
        },
      ],
    )
  })

  it('a body comes back letter by letter', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const bodies = ['{"b": 1.0, "0": [1e2, "\\u00e4"]}', 'null', '"\u{1f600} ä\\n"', '-0.0', '[]']
    const messages = bodies.map((body) => ({ body, ttlSeconds: 60, delaySeconds: 0 }))
    await scene.storage.messages.append({ queue, clientId: 'poster', messages, now: scene.now })
    const { notifications } = await scene.leaseOne()
    assert.deepEqual(
      notifications.map(({ content }) => content.kind === 'message' && content.message.body),
      bodies,
    )
  })

  it('each subscription is owed each message from its beginning on, in the order of posting', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'before')
    await scene.subscribe(queue, 's1')
    await scene.post(queue, 'a', 'b')
    await scene.subscribe(queue, 's2')
    await scene.post(queue, 'c')
    scene.pass(1)
    await scene.post(queue, 'd', 'e')
    assert.deepEqual(await scene.deliver(), { s1: ['a', 'b', 'c', 'd', 'e'], s2: ['c', 'd', 'e'] })
    assert.deepEqual(await scene.deliver(), {})
    await scene.post(queue, 'f')
    assert.deepEqual(await scene.deliver(), { s1: ['f'], s2: ['f'] })
  })

  it('whatever becomes of a message, it is owed', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const id = await scene.postOne(queue, 'deleted')
    await scene.delete(queue, id)
    await scene.post(queue, 'popped')
    await scene.pop(queue)
    await scene.post(queue, 'claimed and deleted')
    const claim = await scene.claim(queue)
    await scene.deleteMany(
      queue,
      claim.messages.map((message) => message.id),
      [claim.id],
    )
    await scene.postWith(queue, { ttlSeconds: 10 }, 'expired')
    await scene.post(queue, 'a dead letter')
    scene.pass(10)
    await scene.tryClaim(queue, { deadLetter: bury })
    await scene.post(queue, 'finished')
    const { id: claimId, messages } = await scene.claim(queue)
    await scene.exchange(
      queue,
      messages.map((message) => ({ id: message.id, claimId })),
    )
    await scene.post(queue, 'purged')
    await scene.storage.messages.purge({ queue, now: scene.now })
    const words = ['deleted', 'popped', 'claimed and deleted', 'expired', 'a dead letter', 'finished', 'purged']
    assert.deepEqual(await scene.deliver(), { s: words })
  })

  it('claims, renewals and releases tell nobody again', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'a')
    assert.deepEqual(await scene.deliver(), { s: ['a'] })
    const { id } = await scene.claim(queue, { ttlSeconds: 60 })
    await scene.renew(queue, id)
    await scene.release(queue, id)
    await scene.claim(queue, { ttlSeconds: 60 })
    scene.pass(60)
    assert.deepEqual(await scene.deliver(), {})
  })

  it('a POST that is repeated is owed once', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const post = () =>
      scene.storage.messages.append({
        queue,
        clientId: 'poster',
        messages: [{ body: '"a"', ttlSeconds: 60, delaySeconds: 0 }],
        idempotency: { key: 'key', digest: 'digest', expiresAt: scene.now + 300_000 },
        now: scene.now,
      })
    await post()
    await post()
    assert.deepEqual(await scene.deliver(), { s: ['a'] })
    await post()
    assert.deepEqual(await scene.deliver(), {})
  })

  it('dead letters and redrives tell nobody again', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.subscribe(queue, 's1')
    await scene.subscribe(dead, 's2')
    await scene.post(queue, 'a', 'b')
    assert.deepEqual(await scene.deliver(), { s1: ['a', 'b'] })
    await scene.tryClaim(queue, { deadLetter: bury })
    assert.deepEqual(await scene.deliver(), {})
    assert.equal((await scene.redrive(dead)).length, 2)
    assert.deepEqual(await scene.deliver(), {})
    await scene.pop(queue, 1, { deadLetter: bury })
    assert.equal((await scene.redrive(dead)).length, 2)
    assert.deepEqual(await scene.deliver(), {})
    await scene.post(dead, 'c')
    assert.deepEqual(await scene.deliver(), { s2: ['c'] })
  })

  it('what is imported is owed to nobody, what is imported with a delay when that is over', async (scene) => {
    const source = await scene.queue('source')
    await scene.post(source, 'a')
    const { now } = scene
    const delayed = await scene.postOne(source, 'delayed', { delaySeconds: 20, ttlSeconds: 100, clientId: 'ada' })
    const { messages, end } = await scene.export(source)
    for (const [index, place] of [end, null].entries()) {
      const queue = await scene.queue(`target ${index}`)
      await scene.subscribe(queue, `s${index}`)
      await scene.import(queue, messages, place)
      await scene.import(queue, messages, place)
      await scene.post(queue, 'posted')
    }
    assert.deepEqual(await scene.deliver(), { s0: ['posted'], s1: ['posted'] })
    scene.passAlmost(20)
    assert.deepEqual(await scene.deliver(), {})
    scene.clock.advance(1)
    const { leases } = await scene.lease()
    const message = { id: delayed, body: '"delayed"', clientId: 'ada', ttlSeconds: 100, delaySeconds: 20 }
    assert.deepEqual(
      leases.map(({ notifications }) => notifications.map(({ content, since }) => ({ content, since }))),
      Array(2).fill([{ content: { kind: 'message', message: { ...message, createdAt: now } }, since: now + 20_000 }]),
    )
  })

  it.needing('oneEngine', 'what arrives from another store is owed to nobody', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.subscribe(dead)
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { ...bury, elsewhere: true } })
    const [departure] = await scene.departures()
    assert(departure)
    await scene.import(dead, [{ ...departure.message, departure: departure.id }])
    assert.deepEqual(await scene.listed(dead), ['a'])
    assert.deepEqual(await scene.deliver(), {})
  })

  it('the same name in another project or of another kind has another feed', async (scene) => {
    const queues = [
      await scene.queue('jobs'),
      await scene.queue('jobs', { kind: 'topic' }),
      await scene.queue('jobs', { project: 'beta' }),
      await scene.queue('other'),
    ]
    for (const queue of queues) await scene.subscribe(queue, `${queue.project} ${queue.kind} ${queue.name}`)
    for (const queue of queues) await scene.post(queue, `${queue.kind} of ${queue.project}`)
    assert.deepEqual(await scene.owed(), {
      'alpha queue jobs': ['queue of alpha'],
      'alpha topic jobs': ['topic of alpha'],
      'beta queue jobs': ['queue of beta'],
      'alpha queue other': ['queue of alpha'],
    })
  })

  it('subscriptions of the same id in other queues have nothing in common', async (scene) => {
    const [queue, other] = [await scene.queue(), await scene.queue('jobs', { project: 'beta' })]
    await scene.subscribe(queue)
    await scene.subscribe(other)
    await scene.post(queue, 'a')
    await scene.post(other, 'b')
    const { leases } = await scene.lease()
    const [mine, theirs] = leases.sort((a, b) => (a.queue.project < b.queue.project ? -1 : 1))
    assert(mine && theirs)
    assert.deepEqual([toldBy(mine.notifications), toldBy(theirs.notifications)], [['a'], ['b']])
    await scene.finish(mine, { log: ['"mine"'] })
    await scene.settle(theirs)
    assert.deepEqual([await scene.log(queue), await scene.log(other)], [['"mine"'], []])
    assert.deepEqual(await scene.deliver(), { s: ['b'] })
  })

  it('300 subscriptions of a queue get each message once', async (scene) => {
    const queue = await scene.queue()
    const expected: Record<string, string[]> = {}
    for (let n = 0; n < 300; n += 1) {
      await scene.subscribe(queue, `s${n}`)
      expected[`s${n}`] = ['a', 'b', 'c']
    }
    await scene.post(queue, 'a', 'b')
    await scene.post(queue, 'c')
    assert.deepEqual(await scene.deliver(), expected)
    assert.deepEqual(await scene.deliver(), {})
  })

  it('a subscription that does not listen is owed no message', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's', { isListening: false })
    await scene.post(queue, 'before')
    assert.deepEqual(await scene.deliver(), {})
    await scene.confirm(queue, 's', true)
    assert.equal((await scene.subscription(queue))?.isListening, true)
    assert.deepEqual(await scene.deliver(), {})
    await scene.post(queue, 'a')
    await scene.confirm(queue, 's', true)
    assert.deepEqual(await scene.owed(), { s: ['a'] }, 'who listens already goes on')
  })

  it('one that stops listening is owed no message any more, one that begins is told from then on', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's')
    await scene.subscribe(queue, 'other')
    await scene.post(queue, 'a', 'b', 'c')
    const { leases } = await scene.lease()
    for (const lease of leases) {
      const [first, ...rest] = lease.notifications
      assert(first)
      await scene.settle(lease, {
        outcomes: [...postponed([first], scene.now + 10_000), ...done(rest.slice(0, 1))],
      })
    }
    await scene.confirm(queue, 's', false)
    await scene.post(queue, 'd')
    scene.pass(10)
    assert.deepEqual(await scene.owed(), { other: ['a', 'c', 'd'] })
    await scene.confirm(queue, 's', true)
    assert.deepEqual(await scene.owed(), { other: ['a', 'c', 'd'] })
    await scene.post(queue, 'e')
    assert.deepEqual(await scene.deliver(), { s: ['e'], other: ['a', 'c', 'd', 'e'] })
  })

  it('another subscriber goes on where the one before was, if it listens', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's1')
    await scene.subscribe(queue, 's2')
    await scene.subscribe(queue, 's3')
    await scene.post(queue, 'a', 'b')
    const { leases } = await scene.lease()
    const health = { failures: 1, failingSince: scene.now, pausedUntil: scene.now + 90_000 }
    for (const lease of leases) {
      const outcomes = postponed(lease.notifications.slice(0, 1), scene.now + 10_000)
      await scene.settle(lease, { outcomes, health, restsUntil: scene.now + 90_000 })
    }
    const { subscriptions } = scene.storage
    const change = { queue, now: scene.now, ttlSeconds: 86_400 }
    await subscriptions.update({ ...change, id: 's1', subscriber: 'http://new.example/1', isListening: true })
    await subscriptions.update({ ...change, id: 's2', subscriber: 'http://new.example/2', isListening: false })
    await subscriptions.update({ ...change, id: 's3', subscriber: 'http://s3.example/', isListening: false })
    const [first, second, third] = await Promise.all(['s1', 's2', 's3'].map((id) => scene.subscription(queue, id)))
    assert.deepEqual([first?.isListening, first?.health], [true, null])
    assert.deepEqual([second?.isListening, second?.health], [false, null])
    assert.deepEqual([third?.isListening, third?.health], [true, health], 'it is the same subscriber')
    assert.deepEqual(await scene.owed(), { s1: ['b'] }, 'it does not rest any more')
    scene.pass(10)
    assert.deepEqual(await scene.owed(), { s1: ['a', 'b'] })
    scene.pass(80)
    await subscriptions.update({ ...change, id: 's2', subscriber: one, isListening: true, now: scene.now })
    assert.deepEqual(await scene.owed(), { s1: ['a', 'b'], s3: ['a', 'b'] })
  })

  it('a deleted subscription takes all that it is owed with it', async (scene) => {
    const queue = await scene.queue()
    for (const purges of [false, true]) {
      await scene.subscribe(queue)
      await scene.post(queue, 'a', 'b')
      const lease = await scene.leaseOne()
      const outcomes = postponed(lease.notifications.slice(0, 1), scene.now)
      await scene.settle(lease, { outcomes, log: ['1'], restsUntil: scene.now + 60_000 })
      if (purges) await scene.storage.subscriptions.purge({ queue, now: scene.now })
      else await scene.unsubscribe(queue)
      assert.deepEqual((await scene.lease()).leases, [])
      await scene.subscribe(queue)
      assert.deepEqual(await scene.owed(), {})
      assert.deepEqual(await scene.log(queue), [])
      await scene.post(queue, 'c')
      assert.deepEqual(await scene.deliver(), { s: ['c'] }, 'a new one of the same id does not rest')
      await scene.unsubscribe(queue)
    }
  })

  it('a subscription that has expired is owed nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's', { ttlSeconds: 60 })
    await scene.post(queue, 'a')
    scene.passAlmost(60)
    assert.deepEqual(await scene.owed(), { s: ['a'] })
    scene.clock.advance(1)
    assert.deepEqual((await scene.lease()).leases, [])
    await scene.post(queue, 'b')
    await scene.subscribe(queue)
    assert.deepEqual(await scene.owed(), {})
  })

  it('a queue takes its feed with it', async (scene) => {
    const old = await scene.queue()
    await scene.subscribe(old)
    await scene.post(old, 'a')
    await scene.postWith(old, { delaySeconds: 10 }, 'delayed')
    await scene.storage.queues.delete({ queue: old, now: scene.now })
    assert.deepEqual((await scene.lease()).leases, [])
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'b')
    scene.pass(10)
    assert.deepEqual(await scene.deliver(), { s: ['b'] })
  })

  it('a queue that changes keeps its feed, and a lease shows it as it is', async (scene) => {
    const created = await scene.queue()
    await scene.subscribe(created)
    await scene.post(created, 'a')
    const metadata = '{"colour": "red"}'
    const queue = await scene.storage.queues.update({ queue: created, metadata, now: scene.now })
    const lease = await scene.leaseOne()
    assert.deepEqual(lease.queue, queue)
    assert.deepEqual(toldBy(lease.notifications), ['a'])
    await scene.storage.queues.update({ queue: lease.queue, metadata: '{}', now: scene.now })
    await scene.finish(lease)
    assert.deepEqual(await scene.owed(), {})
  })
}

/** Delayed messages, which are owed from the end of their delay on. */
export function delayedFeedCases(it: It): void {
  it('a delayed message is owed from the end of its delay on', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const { now } = scene
    await scene.postWith(queue, { delaySeconds: 10, ttlSeconds: 100 }, 'a')
    assert.deepEqual(await scene.owed(), {})
    scene.passAlmost(10)
    assert.deepEqual(await scene.owed(), {})
    scene.clock.advance(1)
    const { notifications } = await scene.leaseOne()
    const [first] = notifications
    assert(first?.content.kind === 'message')
    const { delaySeconds, ttlSeconds, createdAt } = first.content.message
    assert.deepEqual([delaySeconds, ttlSeconds, createdAt, first.since], [10, 100, now, now + 10_000])
  })

  it('they are owed in the order in which their delays end, and of one instant in that of posting', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.postWith(queue, { delaySeconds: 20 }, 'late 1')
    await scene.postWith(queue, { delaySeconds: 10 }, 'early')
    await scene.post(queue, 'now')
    scene.pass(5)
    await scene.postWith(queue, { delaySeconds: 15 }, 'late 2')
    scene.pass(10)
    await scene.post(queue, 'between')
    scene.pass(5)
    await scene.post(queue, 'last')
    assert.deepEqual(await scene.deliver(), { s: ['now', 'early', 'between', 'late 1', 'late 2', 'last'] })
  })

  it('they are owed also when nobody looks until long after, and they have expired', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const { now } = scene
    await scene.postWith(queue, { delaySeconds: 20, ttlSeconds: 30 }, 'b')
    await scene.postWith(queue, { delaySeconds: 10, ttlSeconds: 11 }, 'a')
    scene.pass(7200)
    const lease = await scene.leaseOne()
    assert.deepEqual(toldBy(lease.notifications), ['a', 'b'])
    assert.deepEqual(
      lease.notifications.map(({ since }) => since),
      [now + 10_000, now + 20_000],
    )
  })

  it('a message that does not outlive its delay is owed to nobody', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.postWith(queue, { delaySeconds: 10, ttlSeconds: 10 }, 'as long')
    await scene.postWith(queue, { delaySeconds: 10, ttlSeconds: 5 }, 'shorter')
    scene.pass(10)
    assert.deepEqual(await scene.owed(), {})
    scene.pass(60)
    assert.deepEqual(await scene.owed(), {})
  })

  it('what was removed before its delay was over is owed to nobody, what was removed then is', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const deleted = await scene.postOne(queue, 'deleted', { delaySeconds: 10 })
    const many = await scene.postOne(queue, 'deleted with others', { delaySeconds: 10 })
    const kept = await scene.postOne(queue, 'deleted when it was there', { delaySeconds: 10 })
    scene.passAlmost(10)
    await scene.delete(queue, deleted)
    await scene.deleteMany(queue, [many])
    scene.clock.advance(1)
    await scene.delete(queue, kept)
    assert.deepEqual(await scene.deliver(), { s: ['deleted when it was there'] })
    await scene.postWith(queue, { delaySeconds: 10 }, 'purged')
    scene.passAlmost(10)
    await scene.storage.messages.purge({ queue, now: scene.now })
    await scene.postWith(queue, { delaySeconds: 10 }, 'purged when it was there')
    scene.pass(10)
    await scene.storage.messages.purge({ queue, now: scene.now })
    assert.deepEqual(await scene.deliver(), { s: ['purged when it was there'] })
  })

  it('what is taken by a claim or a pop in the first instant is owed', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.postWith(queue, { delaySeconds: 10 }, 'a', 'b', 'c')
    scene.pass(10)
    assert.deepEqual(await scene.pop(queue, 1), ['a'])
    const { id, messages } = await scene.claim(queue, { limit: 1 })
    await scene.delete(queue, messages[0]?.id ?? '', id)
    await scene.tryClaim(queue, { deadLetter: bury })
    assert.deepEqual(await scene.deliver(), { s: ['a', 'b', 'c'] })
  })

  it('it counts who listens when the delay ends', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'stops')
    await scene.subscribe(queue, 'deleted')
    await scene.subscribe(queue, 'begins', { isListening: false })
    await scene.subscribe(queue, 'deaf', { isListening: false })
    await scene.postWith(queue, { delaySeconds: 10 }, 'a')
    scene.pass(5)
    await scene.subscribe(queue, 'subscribes')
    await scene.confirm(queue, 'stops', false)
    await scene.confirm(queue, 'begins', true)
    await scene.unsubscribe(queue, 'deleted')
    scene.pass(5)
    await scene.subscribe(queue, 'too late')
    await scene.confirm(queue, 'deaf', true)
    await scene.confirm(queue, 'stops', true)
    assert.deepEqual(await scene.deliver(), { subscribes: ['a'], begins: ['a'] })
  })

  it('nobody who begins later is told, also where nobody looked in between', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 'short', { ttlSeconds: 15 })
    await scene.subscribe(queue, 'shorter', { ttlSeconds: 5 })
    await scene.postWith(queue, { delaySeconds: 10 }, 'a')
    await scene.postWith(queue, { delaySeconds: 20 }, 'b')
    scene.pass(30)
    await scene.subscribe(queue, 'late')
    assert.deepEqual(await scene.owed(), {})
    await scene.post(queue, 'c')
    assert.deepEqual(await scene.deliver(), { late: ['c'] })
  })

  it('a life that is lengthened in time lets a subscription hear it', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's', { ttlSeconds: 5 })
    await scene.postWith(queue, { delaySeconds: 10 }, 'a')
    scene.pass(4)
    await scene.storage.subscriptions.update({ queue, id: 's', ttlSeconds: 60, now: scene.now })
    scene.pass(30)
    assert.deepEqual(await scene.deliver(), { s: ['a'] })
  })
}

/** What is announced to a subscription about itself. */
export function announcementCases(it: It): void {
  it('an announcement is owed at once, also to a subscription that does not listen', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's', { isListening: false })
    const { now } = scene
    const text = '{"confirm": 1.0}'
    assert.equal(await scene.announce(queue, text), true)
    await scene.post(queue, 'a')
    const lease = await scene.leaseOne()
    assert.deepEqual(
      lease.notifications.map(({ ref: _ref, ...notification }) => notification),
      [{ content: { kind: 'announcement', text }, since: now, attempts: null }],
    )
    await scene.finish(lease)
    assert.deepEqual(await scene.owed(), {})
  })

  it('nothing is announced to a subscription that is not there', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's', { ttlSeconds: 60 })
    assert.equal(await scene.announce(queue, 'a', 'unknown'), false)
    assert.equal(await scene.announce(await scene.queue('other'), 'a'), false)
    scene.pass(60)
    assert.equal(await scene.announce(queue, 'a'), false)
    assert.deepEqual((await scene.lease()).leases, [])
  })

  it('an announcement comes before new messages, none is lost beside the other', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'a')
    await scene.announce(queue, 'x')
    await scene.post(queue, 'b')
    const batch = { notifications: 2, bytes: 1_000_000 }
    const first = await scene.leaseOne({ batch })
    assert.deepEqual(toldBy(first.notifications), ['x', 'a'])
    await scene.finish(first)
    assert.deepEqual(await scene.deliver(), { s: ['b'] })
  })

  it('a newer announcement takes the place of one that is still owed', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.subscribe(queue, 'other')
    await scene.announce(queue, 'theirs', 'other')
    await scene.announce(queue, 'x')
    await scene.announce(queue, 'y')
    await scene.post(queue, 'a')
    assert.deepEqual(await scene.owed(), { s: ['y', 'a'], other: ['theirs', 'a'] })
    const { leases } = await scene.lease()
    for (const lease of leases) {
      const [announcement] = lease.notifications
      assert(announcement)
      await scene.settle(lease, { outcomes: postponed([announcement], scene.now + 10_000) })
    }
    await scene.announce(queue, 'z')
    assert.deepEqual(await scene.owed(), { s: ['z', 'a'], other: ['a'] }, 'it is due at once')
    scene.pass(10)
    assert.deepEqual(await scene.deliver(), { s: ['z', 'a'], other: ['theirs', 'a'] })
  })

  it('a settlement passes over an announcement that was replaced', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const becoming = {
      done: (notifications: readonly Notification[]) => done(notifications),
      postponed: (notifications: readonly Notification[]) => postponed(notifications, scene.now),
      failed: (notifications: readonly Notification[]) => failed(notifications, scene.now + 600_000),
    }
    for (const [word, outcomesOf] of Object.entries(becoming)) {
      await scene.announce(queue, 'x')
      await scene.post(queue, word)
      const lease = await scene.leaseOne({ batch: { notifications: 1, bytes: 1_000_000 } })
      assert.deepEqual(toldBy(lease.notifications), ['x'])
      await scene.announce(queue, 'y')
      const outcomes = outcomesOf(lease.notifications)
      const next = { seconds: 60, batch: { notifications: 10, bytes: 1_000_000 } }
      const answer = await scene.settle(lease, { outcomes, next })
      assert.deepEqual(toldBy(answer.notifications), ['y', word])
      await scene.settle(lease, { outcomes: done(answer.notifications) })
      assert.deepEqual(await scene.owed(), {})
    }
  })

  it('one that stops listening is owed its announcement still', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.announce(queue, 'x')
    await scene.post(queue, 'a')
    const lease = await scene.leaseOne()
    await scene.settle(lease, { outcomes: postponed(lease.notifications, scene.now + 10_000) })
    await scene.confirm(queue, 's', false)
    assert.deepEqual(await scene.owed(), {})
    scene.pass(10)
    assert.deepEqual(await scene.owed(), { s: ['x'] })
    const { subscriptions } = scene.storage
    await subscriptions.update({ queue, id: 's', subscriber: one, isListening: false, now: scene.now })
    assert.deepEqual(await scene.owed(), { s: ['x'] })
    await scene.confirm(queue, 's', true)
    assert.deepEqual(await scene.deliver(), { s: ['x'] })
  })

  it('an announcement to one subscription is not owed to another', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's')
    await scene.subscribe(queue, 'other')
    await scene.announce(queue, 'x')
    assert.deepEqual(await scene.deliver(), { s: ['x'] })
  })
}
