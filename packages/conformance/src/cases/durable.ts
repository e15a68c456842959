import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { done, failed, postponed, wordsOf } from '../scene.ts'
import type { It } from './case.ts'

/** What was answered is there when every client was closed and the store is opened again. */
export function durableCases(it: It): void {
  it.needing('survivesReopen', 'queues, their metadata and handles', async (scene) => {
    const created = await scene.queue()
    const metadata = '{"b": 1.0, "a": {"c": [null]}}'
    const queue = await scene.storage.queues.update({ queue: created, metadata, now: scene.now })
    assert(queue !== STALE)
    await scene.storage.queues.delete({ queue: await scene.queue('deleted'), now: scene.now })
    await scene.clients.reopen()
    const { storage, now } = scene
    assert.deepEqual(await storage.queues.get({ key: queue, now }), queue)
    assert.equal(await storage.queues.get({ key: { ...queue, name: 'deleted' }, now }), null)
    assert.equal(await storage.queues.update({ queue: created, metadata: '{}', now }), STALE)
    assert.notEqual(await storage.queues.update({ queue, metadata: '{}', now }), STALE)
  })

  it.needing('survivesReopen', 'messages, deletions, places and markers', async (scene) => {
    const queue = await scene.queue()
    const [, second] = await scene.post(queue, 'a', 'b', 'c')
    assert(second)
    await scene.postWith(queue, { delaySeconds: 10 }, 'delayed')
    await scene.delete(queue, second)
    const { messages, marker } = await scene.list(queue, { limit: 1 })
    const stats = await scene.stats(queue)
    await scene.clients.reopen()
    assert.deepEqual(await scene.list(queue, { limit: 1 }).then((page) => page.messages), messages)
    assert.deepEqual(await scene.stats(queue), stats)
    await scene.post(queue, 'd')
    scene.pass(10)
    await scene.post(queue, 'e')
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['c', 'd', 'delayed', 'e'])
    assert.deepEqual(await scene.listed(queue, { after: second }), ['c', 'd', 'delayed', 'e'])
  })

  it.needing('survivesReopen', 'claims, their keys, ends and claim counts', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const kept = await scene.claim(queue, { key: 'key', limit: 1, ttlSeconds: 60 })
    const released = await scene.claim(queue, { limit: 1 })
    await scene.release(queue, released.id)
    await scene.clients.reopen()
    assert.deepEqual(await scene.claim(queue, { key: 'key' }), kept)
    assert.deepEqual(await scene.getClaim(queue, kept.id), kept)
    assert.equal(await scene.getClaim(queue, released.id), null)
    assert.deepEqual(await scene.listed(queue), ['b', 'c'])
    scene.pass(60)
    const { messages } = await scene.claim(queue)
    assert.deepEqual(wordsOf(messages), ['a', 'b', 'c'])
    assert.deepEqual(
      messages.map((message) => message.claimCount),
      [2, 2, 1],
    )
  })

  it.needing('survivesReopen', 'dead letters, and where they came from', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { queue: 'dead', maxClaimCount: 0, ttlSeconds: null } })
    await scene.clients.reopen()
    const dead = await scene.queue('dead')
    assert.deepEqual(await scene.listed(dead), ['a'])
    await scene.clients.reopen()
    assert.deepEqual(await scene.redrive(dead), [{ id, queue: 'jobs' }])
  })

  it.needing('survivesReopen', 'purges and deleted queues', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await scene.claim(queue)
    await scene.storage.messages.purge({ queue, now: scene.now })
    const gone = await scene.queue('gone')
    await scene.post(gone, 'a')
    await scene.storage.queues.delete({ queue: gone, now: scene.now })
    await scene.clients.reopen()
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
    const back = await scene.queue('gone')
    assert.notEqual(back.version, gone.version)
    assert.deepEqual(await scene.stats(back), { free: 0, claimed: 0, oldest: null, newest: null })
  })

  it.needing('survivesReopen', 'idempotency records', async (scene) => {
    const queue = await scene.queue()
    const post = () =>
      scene.storage.messages.append({
        queue,
        clientId: 'poster',
        messages: [{ body: '1', ttlSeconds: 3600, delaySeconds: 0 }],
        idempotency: { key: 'key', digest: 'digest', expiresAt: scene.now + 300_000 },
        now: scene.now,
      })
    const answer = await post()
    await scene.clients.reopen()
    assert.deepEqual(await post(), answer)
    assert.equal((await scene.stats(queue)).free, 1)
  })

  it.needing('survivesReopen', 'subscriptions', async (scene) => {
    const queue = await scene.queue()
    const terms = { id: 's', subscriber: 'http://one.example/', ttlSeconds: 60, options: '{"n": 1}', vault: '{"k": 1}' }
    await scene.storage.subscriptions.create({ queue, ...terms, isListening: false, now: scene.now })
    await scene.storage.subscriptions.confirm({ queue, id: 's', confirmed: true, isListening: true, now: scene.now })
    const subscription = await scene.storage.subscriptions.get({ queue, id: 's', now: scene.now })
    await scene.clients.reopen()
    assert.deepEqual(await scene.storage.subscriptions.get({ queue, id: 's', now: scene.now }), subscription)
  })
}

/** Of deliveries. */
export function durableDeliveryCases(it: It): void {
  it.needing('survivesReopen', 'what is owed, and when it is to be tried again', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    const id = await scene.postOne(queue, 'a')
    await scene.delete(queue, id)
    await scene.post(queue, 'b', 'c')
    await scene.postWith(queue, { delaySeconds: 20, ttlSeconds: 30 }, 'delayed')
    const lease = await scene.leaseOne()
    const [a, b] = lease.notifications
    assert(a && b)
    await scene.settle(lease, { outcomes: [...postponed([a], scene.now + 10_000, '[1.0]'), ...done([b])] })
    await scene.announce(queue, 'x')
    await scene.clients.reopen()
    assert.deepEqual(await scene.owed(), { s: ['x', 'c'] })
    scene.pass(10)
    assert.deepEqual(await scene.owed(), { s: ['a', 'x', 'c'] })
    const again = await scene.leaseOne()
    assert.deepEqual(again.notifications[0]?.attempts, '[1.0]')
    await scene.finish(again)
    scene.pass(600)
    await scene.clients.reopen()
    assert.deepEqual(await scene.deliver(), { s: ['delayed'] })
    await scene.clients.reopen()
    await scene.post(queue, 'd')
    assert.deepEqual(await scene.deliver(), { s: ['d'] })
  })

  it.needing('survivesReopen', 'rests', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'a')
    await scene.settle(await scene.leaseOne(), { restsUntil: scene.now + 60_000 })
    await scene.clients.reopen()
    const { leases, next } = await scene.lease()
    assert.deepEqual(leases, [])
    assert(next !== null && next > scene.now && next <= scene.now + 60_000)
    scene.pass(59)
    assert.deepEqual(await scene.owed(), {})
    scene.pass(1)
    assert.deepEqual(await scene.owed(), { s: ['a'] })
  })

  it.needing(['survivesReopen', 'severalProcesses'], 'leases', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'a', 'b')
    const lease = await scene.leaseOne({ seconds: 30 })
    await scene.clients.reopen()
    const { leases, next } = await scene.lease()
    assert.deepEqual(leases, [])
    assert(next !== null && next > scene.now && next <= lease.endsAt)
    scene.pass(10)
    await scene.settle(lease, { outcomes: done(lease.notifications.slice(0, 1)) })
    const another = await scene.leaseOne({ seconds: 30 })
    await scene.clients.reopen()
    assert.deepEqual(await scene.owed(), {})
    scene.pass(30)
    assert.equal(await scene.trySettle(another), 'lost')
    assert.deepEqual(await scene.owed(), { s: ['b'] })
  })

  it.needing(['survivesReopen', 'oneProcess'], 'no lease: what it held is handed out at once', async (scene) => {
    const [queue, other] = [await scene.queue(), await scene.queue('other')]
    await scene.subscribe(queue, 's1')
    await scene.post(queue, 'tried', 'b')
    const lease = await scene.leaseOne()
    await scene.settle(lease, { outcomes: postponed(lease.notifications.slice(0, 1), scene.now) })
    await scene.announce(queue, 'x', 's1')
    await scene.subscribe(other, 's2')
    await scene.post(other, 'c', 'd')
    const batch = { notifications: 1, bytes: 1_000_000 }
    const { leases } = await scene.lease({ batch, seconds: 3600 })
    for (const one of leases)
      if (one.subscription.id === 's2') await scene.finish(one, { next: { seconds: 60, batch } })
    await scene.clients.reopen()
    assert.deepEqual(await scene.owed(), { s1: ['tried', 'x', 'b'], s2: ['d'] })
  })

  it.needing(['survivesReopen', 'oneProcess'], 'no lease: nobody settles it any more', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'a', 'b')
    const lost = await scene.leaseOne({ seconds: 60 })
    await scene.clients.reopen()
    await scene.settleInVain(lost)
    const holder = await scene.leaseOne({ seconds: 60 })
    await scene.settleInVain(lost)
    assert.deepEqual((await scene.lease()).leases, [], 'the holder holds it still')
    await scene.settle(holder)
    await scene.settleInVain(lost)
    assert.deepEqual(await scene.owed(), { s: ['a', 'b'] })
    assert.deepEqual(await scene.log(queue), [])
    assert.deepEqual(await scene.failed(queue), [])
    assert.equal((await scene.subscription(queue))?.health, null)
  })

  it.needing('survivesReopen', 'failures, logs, health and what is kept for the service', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's', { vault: '{"k": 1.0}' })
    await scene.post(queue, 'a', 'b')
    const lease = await scene.leaseOne()
    const health = { failures: 2, failingSince: scene.now, pausedUntil: scene.now + 5 }
    const outcomes = failed(lease.notifications, scene.now + 60_000)
    await scene.settle(lease, { outcomes, log: ['1', '2.0'], health })
    const failures = await scene.failures(queue, { limit: 1 })
    await scene.clients.reopen()
    assert.deepEqual((await scene.failures(queue, { limit: 1 })).failures, failures.failures)
    assert.deepEqual(await scene.failed(queue, { after: failures.marker }), ['b'])
    assert.deepEqual(await scene.log(queue), ['1', '2.0'])
    const subscription = await scene.subscription(queue)
    assert.deepEqual(subscription, { ...lease.subscription, health })
    assert.equal(subscription.vault, '{"k": 1.0}')
    await scene.replay(queue)
    await scene.clients.reopen()
    assert.deepEqual(await scene.deliver(), { s: ['a', 'b'] })
  })
}

export function durableRegistryCases(it: It): void {
  it.needing('survivesReopen', 'pools and flavors', async (scene) => {
    const pool = { name: 'east', uri: 'redis://east', weight: 1, options: '{"n": 1}', flavor: 'gold' }
    const flavor = { project: 'alpha', name: 'gold', pools: ['east'] }
    await scene.storage.pools.putPool({ project: 'alpha', pool })
    await scene.storage.pools.putFlavor({ flavor })
    await scene.clients.reopen()
    const { pools } = scene.storage
    assert.deepEqual(await pools.getPool({ project: 'alpha', name: 'east' }), pool)
    assert.deepEqual(await pools.getFlavor(flavor), flavor)
  })
}
