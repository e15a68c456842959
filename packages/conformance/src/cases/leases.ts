import assert from 'node:assert/strict'
import type { Instant, Queue, Storage } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { done, failed, postponed, type Scene, toldBy } from '../scene.ts'
import { Signals } from '../signal.ts'
import type { It } from './case.ts'

const MANY = 1_000_000

/** Who delivers to a subscription, and what becomes of what it was handed. */
export function leaseCases(it: It): void {
  it('nothing is leased where nothing is owed', async (scene) => {
    assert.deepEqual(await scene.lease(), { leases: [], next: null })
    const queue = await scene.queue()
    assert.deepEqual((await scene.lease()).leases, [])
    await scene.subscribe(queue)
    assert.deepEqual((await scene.lease()).leases, [])
    await scene.post(await scene.queue('other'), 'a')
    assert.deepEqual((await scene.lease()).leases, [])
  })

  it('a lease excludes others until it ends, at its very instant', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    const first = await scene.leaseOne({ seconds: 30 })
    assert.equal(first.endsAt, scene.now + 30_000)
    await scene.post(queue, 'b')
    scene.passAlmost(30)
    assert.deepEqual((await scene.lease()).leases, [])
    scene.clock.advance(1)
    const second = await scene.leaseOne()
    assert.deepEqual(toldBy(second.notifications), ['a', 'b'])
    assert.notEqual(second.id, first.id)
    await scene.finish(second)
    assert.deepEqual(await scene.owed(), {})
  })

  it.needing('severalProcesses', 'a lease excludes another client, which takes over when it ends', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const first = await scene.leaseOne({ seconds: 30 })
    await scene.clients.change()
    assert.deepEqual((await scene.lease()).leases, [])
    scene.pass(30)
    const second = await scene.leaseOne()
    assert.deepEqual(toldBy(second.notifications), ['a', 'b'])
    await scene.clients.change()
    assert.equal(await scene.trySettle(first, { outcomes: done(first.notifications) }), 'lost')
    await scene.clients.change()
    await scene.settle(second, { outcomes: done(second.notifications.slice(0, 1)) })
    await scene.clients.change()
    assert.deepEqual(await scene.owed(), { s: ['b'] })
  })

  it.needing('severalProcesses', 'what one client leases another may settle', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    const lease = await scene.leaseOne()
    await scene.clients.change()
    await scene.finish(lease)
    await scene.clients.change()
    assert.deepEqual(await scene.owed(), {})
  })

  it('what is delivered is owed no more, what is not named is owed as before', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b', 'c')
    const lease = await scene.leaseOne()
    const refs = lease.notifications.map(({ ref }) => ref)
    assert.equal(new Set(refs).size, 3)
    const { notifications } = await scene.settle(lease, { outcomes: done(lease.notifications.slice(0, 2)) })
    assert.deepEqual(notifications, [])
    assert.deepEqual(await scene.owed(), { s: ['c'] })
    assert.deepEqual(await scene.owed(), { s: ['c'] })
  })

  it('a lease goes on with the next notifications, and ends where there are none', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b', 'c')
    const batch = { notifications: 2, bytes: MANY }
    const lease = await scene.leaseOne({ seconds: 30, batch })
    assert.deepEqual(toldBy(lease.notifications), ['a', 'b'])
    await scene.post(queue, 'd')
    scene.pass(20)
    const next = { seconds: 30, batch }
    const answer = await scene.finish(lease, { next })
    assert.deepEqual(toldBy(answer.notifications), ['c', 'd'])
    assert.equal(answer.endsAt, scene.now + 30_000)
    scene.passAlmost(30)
    assert.deepEqual((await scene.lease()).leases, [], 'it lives beyond its first end')
    const last = await scene.settle(lease, { outcomes: done(answer.notifications), next })
    assert.deepEqual(last.notifications, [])
    assert.equal(await scene.trySettle(lease, { next }), 'lost')
    await scene.post(queue, 'e')
    assert.deepEqual(await scene.deliver(), { s: ['e'] }, 'nobody has to wait for its end')
  })

  it('a lease that goes on ends at its new instant', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const batch = { notifications: 1, bytes: MANY }
    const lease = await scene.leaseOne({ seconds: 30, batch })
    const answer = await scene.finish(lease, { next: { seconds: 10, batch } })
    assert.equal(answer.endsAt, scene.now + 10_000)
    scene.pass(10)
    assert.equal(await scene.trySettle(lease, { outcomes: done(answer.notifications) }), 'lost')
    assert.deepEqual(await scene.owed(), { s: ['b'] })
  })

  it('a lease that goes on shows what was changed meanwhile: options, confirmation, vault, subscriber', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b', 'c', 'd')
    const { subscriptions } = scene.storage
    const batch = { notifications: 1, bytes: MANY }
    const next = { seconds: 60, batch }
    const lease = await scene.leaseOne({ batch })
    await subscriptions.update({ queue, id: 's', options: '{"n": 1.0}', vault: '{"k": 1.0}', now: scene.now })
    const second = await scene.finish(lease, { next })
    assert.deepEqual(second.subscription, { ...lease.subscription, options: '{"n": 1.0}', vault: '{"k": 1.0}' })
    await scene.confirm(queue, 's', true)
    const health = { failures: 1, failingSince: scene.now, pausedUntil: null }
    const third = await scene.settle(lease, { outcomes: done(second.notifications), health, next })
    assert.deepEqual(third.subscription, { ...second.subscription, confirmed: true, health })
    const subscriber = 'http://new.example/'
    await subscriptions.update({ queue, id: 's', subscriber, vault: null, ttlSeconds: 600, now: scene.now })
    const changed = await scene.subscription(queue)
    const last = await scene.settle(lease, { outcomes: done(third.notifications) })
    assert.deepEqual(last.subscription, changed)
    assert.equal(last.subscription.subscriber, subscriber)
    assert.deepEqual(await scene.deliver(), { s: ['d'] })
  })

  it('a lease that goes on without an outcome hands out the same', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const batch = { notifications: 1, bytes: MANY }
    const lease = await scene.leaseOne({ batch })
    const answer = await scene.settle(lease, { next: { seconds: 60, batch } })
    assert.deepEqual(answer.notifications, lease.notifications)
  })

  it('what settles a lost lease changes nothing', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const settled = await scene.leaseOne()
    await scene.settle(settled)
    await scene.settleInVain(settled)
    const ended = await scene.leaseOne({ seconds: 60 })
    scene.pass(60)
    await scene.settleInVain(ended)
    const holder = await scene.leaseOne({ seconds: 60 })
    await scene.settleInVain(ended)
    await scene.settleInVain(settled)
    for (const id of malformedIds) await scene.settleInVain({ ...holder, id })
    assert.deepEqual((await scene.lease()).leases, [], 'the holder holds it still')
    await scene.settle(holder)
    assert.deepEqual(await scene.owed(), { s: ['a', 'b'] })
    assert.deepEqual(await scene.log(queue), [])
    assert.deepEqual(await scene.failed(queue), [])
    assert.equal((await scene.subscription(queue))?.health, null)
  })

  it('a lease is lost with its subscription', async (scene) => {
    const queue = await scene.queue()
    const leaseAgain = async () => {
      await scene.subscribe(queue, 's', { ttlSeconds: 30 })
      await scene.post(queue, 'a')
      return scene.leaseOne({ seconds: 60 })
    }
    const deleted = await leaseAgain()
    await scene.unsubscribe(queue)
    assert.equal(await scene.trySettle(deleted), 'lost')
    const expired = await leaseAgain()
    assert.equal(await scene.trySettle(deleted), 'lost', 'another one of the same id is no part of it')
    scene.pass(30)
    assert.equal(await scene.trySettle(expired), 'lost')
    const purged = await leaseAgain()
    await scene.storage.subscriptions.purge({ queue, now: scene.now })
    assert.equal(await scene.trySettle(purged), 'lost')
    const gone = await leaseAgain()
    await scene.storage.queues.delete({ queue, now: scene.now })
    assert.equal(await scene.trySettle(gone), 'lost')
    const again = await scene.queue()
    await scene.subscribe(again)
    assert.equal(await scene.trySettle(gone), 'lost')
  })

  it('what is postponed comes again at its instant, and holds up nothing', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b', 'c')
    const until = scene.now + 10_000
    const lease = await scene.leaseOne()
    const [a, b] = lease.notifications
    assert(a && b)
    const attempts = '[{"at": 1.0}]'
    await scene.settle(lease, { outcomes: [...postponed([a], until, attempts), ...done([b])] })
    assert.deepEqual(await scene.deliver(), { s: ['c'] })
    await scene.post(queue, 'd')
    scene.passAlmost(10)
    assert.deepEqual(await scene.owed(), { s: ['d'] })
    scene.clock.advance(1)
    const again = await scene.leaseOne()
    assert.deepEqual(toldBy(again.notifications), ['a', 'd'])
    const [retry, fresh] = again.notifications
    assert.deepEqual([retry?.content, retry?.since, retry?.attempts], [a.content, a.since, attempts])
    assert.equal(fresh?.attempts, null)
    const later = postponed(again.notifications.slice(0, 1), scene.now + 20_000, '[1, 2]')
    await scene.settle(again, { outcomes: later })
    assert.deepEqual(await scene.deliver(), { s: ['d'] })
    scene.pass(20)
    const last = await scene.leaseOne()
    assert.deepEqual(
      last.notifications.map((notification) => [toldBy([notification])[0], notification.attempts]),
      [['a', '[1, 2]']],
    )
    await scene.finish(last)
    scene.pass(3600)
    assert.deepEqual(await scene.owed(), {})
  })

  it('what is to be tried again comes in the order of the feed, before what is new', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b', 'c', 'd')
    const lease = await scene.leaseOne()
    const outcomes = lease.notifications.map(({ ref }, index) => ({
      ref,
      became: 'postponed' as const,
      until: scene.now + 10_000 - index * 1000,
      attempts: '[]',
    }))
    await scene.settle(lease, { outcomes })
    await scene.post(queue, 'e')
    scene.pass(8)
    assert.deepEqual(await scene.owed(), { s: ['c', 'd', 'e'] })
    scene.pass(2)
    assert.deepEqual(await scene.owed(), { s: ['a', 'b', 'c', 'd', 'e'] })
    const batch = { notifications: 3, bytes: MANY }
    assert.deepEqual(toldBy((await scene.leaseOne({ batch })).notifications), ['a', 'b', 'c'])
  })

  it('what is postponed to an instant that is over comes again at once', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const lease = await scene.leaseOne()
    const batch = { notifications: 1, bytes: MANY }
    const answer = await scene.settle(lease, {
      outcomes: postponed(lease.notifications.slice(0, 1), scene.now),
      next: { seconds: 60, batch },
    })
    assert.deepEqual(toldBy(answer.notifications), ['a'])
  })

  it('what is postponed needs neither its message nor that of the feed', async (scene) => {
    const queue = await subscribed(scene)
    await scene.postWith(queue, { ttlSeconds: 60 }, 'a', 'b')
    const lease = await scene.leaseOne()
    await scene.settle(lease, { outcomes: postponed(lease.notifications.slice(0, 1), scene.now + 3_600_000) })
    await scene.storage.messages.purge({ queue, now: scene.now })
    scene.pass(3600)
    assert.deepEqual(await scene.deliver(), { s: ['a', 'b'] })
  })

  it('what is not owed any more is passed over', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const first = await scene.leaseOne()
    await scene.settle(first, { outcomes: postponed(first.notifications.slice(0, 1), scene.now) })
    const second = await scene.leaseOne()
    assert.deepEqual(toldBy(second.notifications), ['a', 'b'])
    await scene.confirm(queue, 's', false)
    await scene.confirm(queue, 's', true)
    await scene.post(queue, 'c')
    const outcomes = [
      ...failed(second.notifications.slice(0, 1), scene.now + 600_000),
      ...postponed(second.notifications.slice(1), scene.now),
    ]
    const batch = { notifications: 10, bytes: MANY }
    const answer = await scene.settle(second, { outcomes, next: { seconds: 60, batch } })
    assert.deepEqual(toldBy(answer.notifications), ['c'])
    assert.deepEqual(await scene.failed(queue), [])
  })

  it('a subscription that stops listening while it is leased is owed none of that', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const lease = await scene.leaseOne()
    await scene.confirm(queue, 's', false)
    await scene.settle(lease, { outcomes: postponed(lease.notifications.slice(0, 1), scene.now) })
    await scene.confirm(queue, 's', true)
    await scene.post(queue, 'c')
    assert.deepEqual(await scene.deliver(), { s: ['c'] })
  })

  it('a subscription that rests is not leased before, whatever it is owed', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const lease = await scene.leaseOne()
    const restsUntil = scene.now + 30_000
    const outcomes = postponed(lease.notifications.slice(0, 1), scene.now + 10_000)
    await scene.settle(lease, { outcomes, restsUntil })
    await scene.announce(queue, 'x')
    await scene.post(queue, 'c')
    scene.passAlmost(30)
    assert.deepEqual((await scene.lease()).leases, [])
    scene.clock.advance(1)
    assert.deepEqual(await scene.owed(), { s: ['a', 'x', 'b', 'c'] })
    assert.deepEqual(await scene.deliver(), { s: ['a', 'x', 'b', 'c'] }, 'it does not rest again')
  })

  it('health is as the last settlement says', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    const health = { failures: 3, failingSince: scene.now - 5000, pausedUntil: scene.now + 1 }
    await scene.settle(await scene.leaseOne(), { health })
    const shown = await scene.subscription(queue)
    assert.deepEqual(shown?.health, health)
    const { subscriptions } = scene.storage
    assert.deepEqual(await subscriptions.list({ queue, after: null, limit: 10, now: scene.now }), [shown])
    assert.deepEqual((await scene.leaseOne()).subscription, shown)
    scene.pass(60)
    await scene.settle(await scene.leaseOne(), { health: { ...health, pausedUntil: null } })
    assert.deepEqual((await scene.subscription(queue))?.health, { ...health, pausedUntil: null })
    await scene.confirm(queue, 's', true)
    assert.deepEqual((await scene.subscription(queue))?.health, { ...health, pausedUntil: null })
    await scene.settle(await scene.leaseOne(), { health: null })
    assert.equal((await scene.subscription(queue))?.health, null)
  })

  it('health stays as it is where the subscriber is another than that of the lease', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a', 'b')
    const health = { failures: 3, failingSince: scene.now, pausedUntil: null }
    const batch = { notifications: 1, bytes: MANY }
    const lease = await scene.leaseOne({ batch })
    await scene.storage.subscriptions.update({ queue, id: 's', subscriber: 'http://new.example/', now: scene.now })
    const answer = await scene.finish(lease, { health, next: { seconds: 60, batch } })
    assert.equal(answer.subscription.health, null)
    await scene.settle(lease, { health })
    assert.equal((await scene.subscription(queue))?.health, null)
    await scene.settle(await scene.leaseOne(), { health })
    assert.deepEqual((await scene.subscription(queue))?.health, health)
  })

  it('a lease hands out as many as the batch allows, and at least one', async (scene) => {
    const queue = await subscribed(scene)
    const words = Array.from({ length: 6 }, (_, index) => `${index}`.repeat(1000))
    await scene.post(queue, ...words)
    const handedOut = async (notifications: number, bytes: number) => {
      const lease = await scene.leaseOne({ batch: { notifications, bytes } })
      await scene.settle(lease)
      return toldBy(lease.notifications)
    }
    assert.deepEqual(await handedOut(1, MANY), words.slice(0, 1))
    assert.deepEqual(await handedOut(4, MANY), words.slice(0, 4))
    assert.deepEqual(await handedOut(6, MANY), words)
    assert.deepEqual(await handedOut(7, MANY), words)
    assert.deepEqual(await handedOut(100, 1), words.slice(0, 1), 'one may be longer than all may be')
    // Bodies may be kept sealed, and are longer then.
    const some = await handedOut(100, 2500)
    assert(some.length >= 2 && some.length <= 3, `${some.length} of 1,002 bytes for 2,500`)
    assert.deepEqual(some, words.slice(0, some.length))
    assert.deepEqual(await handedOut(2, 2500), words.slice(0, 2))
  })

  it('bytes count in UTF-8, also of what is tried again', async (scene) => {
    const queue = await subscribed(scene)
    const words = ['ä'.repeat(500), 'ö'.repeat(500), 'ü'.repeat(500), 'a']
    await scene.post(queue, ...words)
    const batch = { notifications: 100, bytes: 1500 }
    const lease = await scene.leaseOne({ batch })
    assert.deepEqual(toldBy(lease.notifications), words.slice(0, lease.notifications.length))
    assert(lease.notifications.length <= 2)
    const more = await scene.settle(lease, { next: { seconds: 60, batch: { notifications: 100, bytes: MANY } } })
    await scene.settle(lease, { outcomes: postponed(more.notifications, scene.now) })
    const again = await scene.leaseOne({ batch })
    assert.deepEqual(toldBy(again.notifications), words.slice(0, again.notifications.length))
    assert(again.notifications.length <= 2)
  })

  it('a lease takes no more subscriptions than the limit, and says that there are others', async (scene) => {
    const queue = await scene.queue()
    for (let n = 1; n <= 5; n += 1) await scene.subscribe(queue, `s${n}`)
    await scene.post(queue, 'a')
    const leased: string[] = []
    for (const expected of [2, 2, 1]) {
      const { leases, next } = await scene.lease({ limit: 2 })
      assert.equal(leases.length, expected)
      leased.push(...leases.map(({ subscription }) => subscription.id))
      if (leased.length < 5) assert(next !== null && next <= scene.now, 'another lease brings more at once')
    }
    assert.deepEqual(leased.toSorted(), ['s1', 's2', 's3', 's4', 's5'])
    assert.deepEqual((await scene.lease({ limit: 2 })).leases, [])
  })

  it('nobody who waits is passed by for ever', async (scene) => {
    const queues = [await scene.queue('a'), await scene.queue('b'), await scene.queue('c')]
    for (const queue of queues) {
      await scene.subscribe(queue, queue.name)
      await scene.post(queue, 'a', 'b')
    }
    const served = new Set<string>()
    for (let round = 0; round < 12; round += 1) {
      scene.pass(1)
      const lease = await scene.leaseOne({ limit: 1, batch: { notifications: 1, bytes: MANY } })
      served.add(lease.subscription.id)
      await scene.finish(lease)
      await scene.post(lease.queue, 'more')
    }
    assert.deepEqual([...served].toSorted(), ['a', 'b', 'c'])
  })
}

/** When another lease may bring more. */
export function workCases(it: It): void {
  it('an instant is named at which a lease ends', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    const { next } = await scene.lease({ seconds: 30 })
    assertSoon(scene, next, 30)
    assertSoon(scene, (await scene.lease()).next, 30)
    scene.pass(30)
    assert.deepEqual(await scene.owed(), { s: ['a'] })
  })

  it('an instant is named at which a delay is over', async (scene) => {
    const queue = await subscribed(scene)
    await scene.postWith(queue, { delaySeconds: 20 }, 'b')
    await scene.postWith(queue, { delaySeconds: 10 }, 'a')
    assertSoon(scene, (await scene.lease()).next, 10)
    scene.pass(10)
    assert.deepEqual(await scene.deliver(), { s: ['a'] })
    assertSoon(scene, (await scene.lease()).next, 10)
  })

  it('an instant is named at which something is to be tried again, or a rest is over', async (scene) => {
    const queue = await subscribed(scene)
    await scene.post(queue, 'a')
    const first = await scene.leaseOne()
    await scene.settle(first, { outcomes: postponed(first.notifications, scene.now + 20_000) })
    assertSoon(scene, (await scene.lease()).next, 20)
    scene.pass(20)
    const second = await scene.leaseOne()
    await scene.settle(second, {
      outcomes: postponed(second.notifications, scene.now + 5000),
      restsUntil: scene.now + 30_000,
    })
    assertSoon(scene, (await scene.lease()).next, 30)
    scene.pass(30)
    assert.deepEqual(await scene.deliver(), { s: ['a'] })
  })

  it('the earliest of all is named', async (scene) => {
    const [queue, other] = [await subscribed(scene), await scene.queue('other')]
    await scene.subscribe(other, 's2')
    await scene.post(queue, 'a')
    await scene.lease({ seconds: 60 })
    await scene.postWith(other, { delaySeconds: 100 }, 'b')
    assertSoon(scene, (await scene.lease()).next, 60)
    await scene.postWith(other, { delaySeconds: 10 }, 'c')
    assertSoon(scene, (await scene.lease()).next, 10)
  })

  it('what brings something earlier than was said is told', async (scene) => {
    const queue = await subscribed(scene)
    await scene.subscribe(queue, 'deaf', { isListening: false })
    await telling(scene, scene.storage, () => workOf(scene, queue))
  })

  it.needing('severalProcesses', 'what another client does is told', async (scene) => {
    const queue = await subscribed(scene)
    await scene.subscribe(queue, 'deaf', { isListening: false })
    const other = await scene.clients.openAnother()
    await telling(scene, other, () => workOf(scene, queue))
  })

  it('what is told can be leased', async (scene) => {
    const queue = await subscribed(scene)
    const signals = signalsOf(scene.storage)
    const posting = scene.post(queue, 'a')
    for (let heard = 0, leased = 0; leased === 0; ) {
      await signals.moreThan(heard)
      heard = signals.heard
      leased = (await scene.lease()).leases.length
    }
    await posting
    signals.end()
  })

  it('all who watch are told, until they end it', async (scene) => {
    const queue = await subscribed(scene)
    const [staying, leaving] = [signalsOf(scene.storage), signalsOf(scene.storage)]
    await staying.after(() => leaving.after(() => scene.post(queue, 'a')))
    leaving.end()
    leaving.end()
    const { heard } = leaving
    await staying.after(async () => {
      await scene.deliver()
      await scene.post(queue, 'b')
    })
    assert.equal(leaving.heard, heard)
    staying.end()
  })
}

/** What has to be told, each with what it is that goes before. */
function workOf(scene: Scene, queue: Queue): readonly (readonly [string, () => Promise<() => Promise<unknown>>])[] {
  const { subscriptions } = scene.storage
  return [
    ['a POST', async () => () => scene.post(queue, 'a')],
    ['an announcement', async () => () => scene.announce(queue, 'x')],
    ['an announcement to who does not listen', async () => () => scene.announce(queue, 'x', 'deaf')],
    ['a delay', async () => () => scene.postWith(queue, { delaySeconds: 10 }, 'b')],
    [
      'a lease that is given back',
      async () => {
        await scene.post(queue, 'a')
        const lease = await scene.leaseOne()
        return () => scene.settle(lease)
      },
    ],
    [
      'a lease that ends with something to be tried again before it would have ended',
      async () => {
        await scene.post(queue, 'a')
        const lease = await scene.leaseOne()
        return () => scene.settle(lease, { outcomes: postponed(lease.notifications, scene.now + 5000) })
      },
    ],
    [
      'a replay',
      async () => {
        await scene.post(queue, 'a')
        const lease = await scene.leaseOne()
        await scene.settle(lease, { outcomes: failed(lease.notifications, scene.now + 600_000) })
        return () => scene.replay(queue)
      },
    ],
    [
      'another subscriber, who does not rest',
      async () => {
        await scene.post(queue, 'a')
        await scene.settle(await scene.leaseOne(), { restsUntil: scene.now + 600_000 })
        const change = { subscriber: `http://${scene.now}.example/`, isListening: true }
        return () => subscriptions.update({ queue, id: 's', ...change, now: scene.now })
      },
    ],
    [
      'who begins to listen while a message is delayed',
      async () => {
        await scene.confirm(queue, 's', false)
        await scene.postWith(queue, { delaySeconds: 10 }, 'b')
        return () => scene.confirm(queue, 's', true)
      },
    ],
    [
      'an import of a delayed message',
      async () => {
        const source = await scene.queue('source')
        await scene.postWith(source, { delaySeconds: 10 }, 'b')
        const { messages } = await scene.export(source)
        await scene.storage.queues.delete({ queue: source, now: scene.now })
        return () => scene.import(queue, messages)
      },
    ],
  ]
}

async function telling(scene: Scene, storage: Storage, work: () => ReturnType<typeof workOf>): Promise<void> {
  const signals = signalsOf(storage)
  for (const [what, prepare] of work()) {
    const act = await prepare()
    // This is what was answered last, and nothing is left that could be told for another reason.
    await storage.deliveries.lease({ limit: 100, seconds: 60, batch: { notifications: 1, bytes: 1 }, now: scene.now })
    await signals.after(act).catch((cause) => {
      throw new Error(`not told of ${what}`, { cause })
    })
    scene.pass(10)
    await scene.deliver()
    scene.pass(600)
    await scene.deliver()
  }
  signals.end()
}

function signalsOf(storage: Storage): Signals {
  return new Signals((listener) => storage.watchWork(listener))
}

/** Not later than the truth, nor at once without any reason. */
function assertSoon(scene: Scene, next: Instant | null, seconds: number): void {
  assert(next !== null && next > scene.now && next <= scene.now + seconds * 1000, `${next} at ${scene.now}`)
}

/** A queue with a subscription. */
async function subscribed(scene: Scene): Promise<Queue> {
  const queue = await scene.queue()
  await scene.subscribe(queue)
  return queue
}
