import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Caller } from '../../src/core/execute.ts'
import { deleteMessage } from '../../src/core/operations/messages/delete-message.ts'
import { deleteQueue } from '../../src/core/operations/queues/delete-queue.ts'
import { purgeQueue } from '../../src/core/operations/queues/purge-queue.ts'
import { deleteSubscription } from '../../src/core/operations/subscriptions/delete-subscription.ts'
import { subscribeReceiver } from '../../src/core/operations/subscriptions/subscribe-receiver.ts'
import { updateSubscription } from '../../src/core/operations/subscriptions/update-subscription.ts'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { Connection, connections, openScene, type Scene, SOMEBODY } from '../support/pushes.ts'
import { settled, waits } from '../support/settled.ts'

const jobs = { queue: 'jobs' }

/** Has nothing open, and tells nobody of what is posted. */
async function assertEnded(scene: Scene, one: Connection): Promise<void> {
  one.news()
  await scene.post(['afterwards'])
  assert.deepEqual(one.news(), [])
  const { watch, watchSubscriptions, keepGone } = scene.open
  assert.deepEqual([watch, watchSubscriptions, keepGone], [0, 0, 0])
  assert.equal(scene.waiting.pushes.counts().subscriptions, 0)
}

function endingIn(scene: Scene, seconds: number, more: Partial<Caller> = {}): Caller {
  return { ...SOMEBODY, expiresAt: scene.clock.now() + seconds * 1000, ...more }
}

describe('a subscription that pushes ends', () => {
  test('with its ttl, to the millisecond', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one, { ttlSeconds: 60 })
    await scene.pass(59.999)
    await scene.post(['in time'])
    assert.deepEqual(one.seen, ['in time'])
    scene.clock.advance(1)
    await assertEnded(scene, one)
  })

  test('with its ttl even where the timer comes late', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one, { ttlSeconds: 60 })
    await scene.pass(59)
    scene.before.set('messages.list', async () => {
      scene.before.clear()
      scene.clock.advance(1000)
    })
    await scene.post(['read in time'])
    assert.deepEqual(one.seen, [])
  })

  test('later, or earlier, when its ttl was changed', async (t) => {
    const scene = await openScene(t)
    const [one, other] = [new Connection('one'), new Connection('other')]
    const { id } = await scene.subscribe(one, { ttlSeconds: 60 })
    await scene.subscribe(other, { ttlSeconds: 3600 })
    await scene.pass(30)
    await scene.run(updateSubscription, { ...jobs, id, ttlSeconds: 100 })
    await settled()
    await scene.pass(99)
    await scene.post(['a'])
    await scene.pass(1)
    await scene.post(['b'])
    assert.deepEqual([one.seen, other.seen], [['a'], ['a', 'b']])
    const [left] = await scene.rows()
    await scene.run(updateSubscription, { ...jobs, id: left as string, ttlSeconds: 60 })
    await settled()
    await scene.pass(60)
    await assertEnded(scene, other)
  })

  test('with the credentials of whoever made it, and leaves no row then', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one, { caller: endingIn(scene, 50) })
    await scene.pass(49.999)
    await scene.post(['in time'])
    assert.deepEqual(one.seen, ['in time'])
    await scene.pass(0.001)
    await assertEnded(scene, one)
    assert.deepEqual(await scene.rows(), [])
  })

  test('when it is deleted', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id } = await scene.subscribe(one)
    await scene.run(deleteSubscription, { ...jobs, id })
    await settled()
    await assertEnded(scene, one)
  })

  test('when all of the queue are, or the queue is', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one)
    await scene.run(purgeQueue, { ...jobs, resources: ['subscriptions'] })
    await settled()
    await assertEnded(scene, one)
    await scene.subscribe(one)
    await scene.run(deleteQueue, jobs)
    await settled()
    await assertEnded(scene, one)
  })

  test('when another subscriber took its place, which stays', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id } = await scene.subscribe(one)
    await scene.run(updateSubscription, { ...jobs, id, subscriber: 'http://127.0.0.1:9/' })
    await settled()
    await assertEnded(scene, one)
    await scene.waiting.pushes.gone(one)
    assert.deepEqual(await scene.rows(), [id])
  })

  test('when it was deleted while it could not be read', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id } = await scene.subscribe(one)
    scene.failing.add('subscriptions.get')
    await scene.run(deleteSubscription, { ...jobs, id })
    await scene.pass(3)
    scene.failing.clear()
    await scene.pass(1)
    await assertEnded(scene, one)
  })

  test('when it was deleted before it began', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id, begin } = await scene.run(subscribeReceiver, { ...jobs, receiver: one, options: {} })
    await scene.run(deleteSubscription, { ...jobs, id })
    await settled()
    begin()
    await assertEnded(scene, one)
  })

  test('when it was deleted between its making and its answer', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { create } = scene.storage.subscriptions
    Object.assign(scene.storage, {
      subscriptions: {
        ...scene.storage.subscriptions,
        get: scene.storage.subscriptions.get,
        create: async (p: Parameters<typeof create>[0]) => {
          const made = await create(p)
          await scene.storage.subscriptions.purge({ queue: p.queue, now: p.now })
          return made
        },
      },
    })
    await scene.subscribe(one)
    await assertEnded(scene, one)
  })

  test('when it is deleted among many of its queue, which are looked at together and go on', async (t) => {
    const scene = await openScene(t)
    const all = connections(250)
    const made = await Promise.all(all.map((one) => scene.subscribe(one)))
    const { id } = made[7] as { id: string }
    const before = scene.totalCalls()
    await scene.run(deleteSubscription, { ...jobs, id })
    await settled()
    assert.equal(scene.totalCalls() - before, 4, 'the DELETE, and three pages')
    await scene.post(['a'])
    assert.deepEqual(
      all.filter(({ seen }) => seen.length === 0).map(({ id }) => id),
      ['c7'],
    )
  })

  test('and another of the same connection can take its place', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    for (const body of ['a', 'b', 'c']) {
      const { id } = await scene.subscribe(one)
      await scene.post([body])
      await scene.run(deleteSubscription, { ...jobs, id })
    }
    assert.deepEqual(one.seen, ['a', 'b', 'c'])
  })
})

describe('new credentials of a connection', () => {
  test('of the same user prolong its subscriptions', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one, { caller: endingIn(scene, 50) })
    await scene.pass(40)
    scene.waiting.pushes.renew(one, endingIn(scene, 100))
    await scene.pass(99)
    await scene.post(['in time'])
    assert.deepEqual(one.seen, ['in time'])
    await scene.pass(1)
    await assertEnded(scene, one)
  })

  test('of another user, of another project, or good for less, do not', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one, { caller: endingIn(scene, 50) })
    const accessRules = [{ method: 'GET', path: '/v2/**' }]
    for (const less of [
      { userId: 'another' },
      { project: 'another' },
      { roles: [] },
      { scope: { signed: null, accessRules } },
    ]) {
      scene.waiting.pushes.renew(one, endingIn(scene, 100, less as Partial<Caller>))
    }
    await scene.pass(50)
    await assertEnded(scene, one)
  })
})

describe('a connection that is gone', () => {
  test('leaves nothing, and is done when all is removed', async (t) => {
    const scene = await openScene(t)
    const [one, other] = [new Connection('one'), new Connection('other')]
    for (const queue of ['jobs', 'others']) await scene.subscribe(one, { queue })
    const { id } = await scene.subscribe(other)
    await Promise.all([scene.waiting.pushes.gone(one), scene.waiting.pushes.gone(one)])
    assert.deepEqual([await scene.rows(), await scene.rows('others')], [[id], []])
    await scene.post(['a'])
    assert.deepEqual([one.seen, other.seen], [[], ['a']])
    await scene.waiting.pushes.gone(other)
    await assertEnded(scene, other)
    await scene.waiting.pushes.gone(other)
  })

  test('leaves nothing that was being made for it', async (t) => {
    const scene = await openScene(t)
    for (const move of ['keepGone', 'messages.end', 'subscriptions.create']) {
      const one = new Connection(move)
      const { promise, resolve } = Promise.withResolvers<void>()
      scene.before.set(move, () => promise)
      const subscribing = scene.subscribe(one)
      await settled()
      const leaving = scene.waiting.pushes.gone(one)
      assert.ok(await waits(leaving), move)
      resolve()
      await Promise.all([subscribing, leaving])
      assert.deepEqual(await scene.rows(), [])
      await assertEnded(scene, one)
      await assert.rejects(scene.subscribe(one), { code: 'storage.unavailable' })
    }
  })

  test('has its subscriptions end with their ttl where they could not be removed, which is reported', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one)
    scene.failing.add('subscriptions.delete')
    await scene.waiting.pushes.gone(one)
    assert.equal(scene.troubles.length, 1)
    assert.match(String(scene.troubles[0]), /disk full/)
    assert.equal((await scene.rows()).length, 1)
    await assertEnded(scene, one)
  })

  test('is one of many, which do not ask the storage all at once', async (t) => {
    const scene = await openScene(t)
    const all = connections(100)
    for (const one of all) await scene.subscribe(one)
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.before.set('subscriptions.delete', () => promise)
    const leaving = Promise.all(all.map((one) => scene.waiting.pushes.gone(one)))
    await settled()
    const atOnce = scene.calls.get('subscriptions.delete')
    resolve()
    await leaving
    assert.deepEqual([atOnce, scene.calls.get('subscriptions.delete')], [16, 100])
    assert.deepEqual(await scene.rows(), [])
  })
})

describe('many connections that are gone', () => {
  test('cost the others one look at their subscriptions', async (t) => {
    const scene = await openScene(t)
    const all = connections(2000)
    await Promise.all(all.map((one) => scene.subscribe(one)))
    const leave = async () => {
      await Promise.all(all.slice(0, 1000).map((one) => scene.waiting.pushes.gone(one)))
      await scene.pass(2)
    }
    const pages = await scene.callsOf('subscriptions.list', leave)
    assert.ok(pages <= 11, String(pages))
    await scene.post(['a'])
    assert.equal(all.filter(({ seen }) => seen.length === 1).length, 1000)
  })

  test('one after the other cost little more', async (t) => {
    const scene = await openScene(t)
    const all = connections(300)
    await Promise.all(all.map((one) => scene.subscribe(one)))
    const leave = async () => {
      for (const one of all.slice(0, 20)) {
        await scene.waiting.pushes.gone(one)
        await scene.pass(0.001)
      }
      await scene.pass(2)
    }
    const pages = await scene.callsOf('subscriptions.list', leave)
    assert.ok(pages <= 6, String(pages))
  })

  test('do not hold up the end of the service while the storage is away, and are told of once', async (t) => {
    const scene = await openScene(t)
    for (const one of connections(100)) await scene.subscribe(one)
    let failed = 0
    scene.before.set('subscriptions.delete', async () => {
      failed += 1
      await settled()
      throw new StorageUnavailable('the database is away')
    })
    await scene.waiting.pushes.close()
    assert.equal(failed, 16)
    assert.deepEqual(scene.troubles.map(String), ['StorageUnavailable: the database is away'])
  })
})

describe('one who comes as the last one goes', () => {
  test('misses nothing, whatever the storage takes longer for', async (t) => {
    for (const move of ['keepGone', 'messages.end', 'subscriptions.create', 'subscriptions.delete']) {
      const scene = await openScene(t)
      const [one, other] = [new Connection('one'), new Connection('other')]
      await scene.subscribe(one)
      const { promise, resolve } = Promise.withResolvers<void>()
      scene.before.set(move, () => promise)
      const [leaving, subscribing] = [scene.waiting.pushes.gone(one), scene.subscribe(other)]
      await settled()
      resolve()
      await Promise.all([leaving, subscribing])
      const [id] = await scene.post(['a'])
      await scene.run(deleteMessage, { ...jobs, id: id as string })
      await scene.post(['b'])
      assert.deepEqual([one.seen, other.seen], [[], ['a', 'b']], move)
      assert.equal(scene.open.keepGone, 1)
    }
  })
})

describe('at the end of the service', () => {
  test('nothing is left, and nothing more is made', async (t) => {
    const scene = await openScene(t)
    const [one, late] = [new Connection('one'), new Connection('late')]
    await scene.subscribe(one)
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.before.set('subscriptions.create', () => promise)
    const subscribing = scene.subscribe(late)
    await settled()
    const closing = scene.waiting.pushes.close()
    resolve()
    await Promise.all([subscribing, closing])
    assert.deepEqual(await scene.rows(), [])
    await assertEnded(scene, one)
    await assert.rejects(scene.subscribe(new Connection('another')), { code: 'storage.unavailable' })
  })
})

describe('a subscription that cannot be made', () => {
  test('is no obstacle to the next when it was stored all the same', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    scene.forgets.add('subscriptions.create')
    await assert.rejects(scene.subscribe(one, { ttlSeconds: 100 }), { code: 'storage.unavailable' })
    scene.forgets.clear()
    const [left] = await scene.rows()
    const { id } = await scene.subscribe(one)
    assert.notEqual(id, left)
    assert.deepEqual(await scene.rows(), [id])
    await scene.post(['a'])
    assert.deepEqual(one.seen, ['a'])
    await assert.rejects(scene.subscribe(one), { code: 'subscription.exists' })
  })

  test('leaves nothing behind, at whichever step the storage fails', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    for (const move of ['keepGone', 'messages.end', 'subscriptions.create']) {
      scene.failing.add(move)
      await assert.rejects(scene.subscribe(one), { code: 'storage.unavailable' }, move)
      scene.failing.clear()
      assert.deepEqual(await scene.rows(), [])
      await assertEnded(scene, one)
    }
    await scene.subscribe(one)
    await scene.post(['a'])
    assert.deepEqual(one.seen, ['a'])
  })

  test('does not take those with it that are made at the same time', async (t) => {
    const scene = await openScene(t)
    const [first, second, third] = [new Connection('first'), new Connection('second'), new Connection('third')]
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.before.set('keepGone', () => promise)
    scene.failing.add('keepGone')
    const failing = [scene.subscribe(first), scene.subscribe(second)]
    await settled()
    resolve()
    for (const each of failing) await assert.rejects(each, { code: 'storage.unavailable' })
    scene.failing.clear()
    scene.before.clear()
    await Promise.all([scene.subscribe(first), scene.subscribe(third)])
    assert.equal(scene.open.keepGone, 1)
    await scene.post(['a'])
    assert.deepEqual([first.seen, third.seen], [['a'], ['a']])
  })

  test('is one too many for the project', async (t) => {
    const scene = await openScene(t, { maxSubscriptions: 2 })
    const [one, other, third] = [new Connection('one'), new Connection('other'), new Connection('third')]
    await scene.subscribe(one)
    await scene.subscribe(other)
    const refused = { code: 'subscription.too_many', message: /^Project p may have 2 subscriptions/ }
    await assert.rejects(scene.subscribe(third), refused)
    await scene.subscribe(third, { caller: { ...SOMEBODY, project: 'another' } })
    await assert.rejects(scene.subscribe(one, { queue: 'others' }), refused)
    await scene.waiting.pushes.gone(other)
    await assert.rejects(scene.subscribe(one), { code: 'subscription.exists' })
    await scene.subscribe(one, { queue: 'others' })
  })
})
