import assert from 'node:assert/strict'
import type { QueueHandle, Subscription } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { fresh, type Scene } from '../scene.ts'
import type { It } from './case.ts'

type CreateTerms = Parameters<Scene['storage']['subscriptions']['create']>[0]

const one = 'http://one.example/'
const two = 'http://two.example/'

export function subscriptionCases(it: It): void {
  it('a subscription is created unconfirmed', async (scene) => {
    const queue = await scene.queue()
    const { now } = scene
    const subscription: Subscription = {
      id: 's',
      source: 'jobs',
      subscriber: one,
      ttlSeconds: 60,
      renewedAt: now,
      options: '{"b": [1.0], "10": null}',
      confirmed: false,
      isListening: true,
      health: null,
      vault: '{"secrets": []}',
    }
    const answer = await subscribe(scene, queue, 's', one, {
      options: subscription.options,
      vault: subscription.vault,
    })
    assert.deepEqual(answer, { created: true, subscription })
    scene.pass(5)
    assert.deepEqual(await get(scene, queue, 's'), subscription)
  })

  it('a queue that has changed or gone is stale for subscriptions, too', async (scene) => {
    const old = await scene.queue()
    await subscribe(scene, old, 's', one)
    const { storage, now } = scene
    const isStaleFor = async (queue: QueueHandle) => {
      const moves = storage.subscriptions
      const terms = { subscriber: two, ttlSeconds: 60, options: '{}', isListening: true, vault: null }
      const answers = await Promise.all([
        moves.create({ queue, id: 't', ...terms, now }),
        moves.get({ queue, id: 's', now }),
        moves.list({ queue, after: null, limit: 10, now }),
        moves.update({ queue, id: 's', ttlSeconds: 600, now }),
        moves.confirm({ queue, id: 's', confirmed: true, isListening: true, now }),
        moves.delete({ queue, id: 's', now }),
        moves.purge({ queue, now }),
      ])
      assert.deepEqual(answers, Array(7).fill(STALE))
    }
    const queue = await storage.queues.update({ queue: old, metadata: '{"colour": "red"}', now })
    assert(queue !== STALE)
    await isStaleFor(old)
    assert.deepEqual(await listed(scene, queue), ['s'])
    await storage.queues.delete({ queue, now })
    await isStaleFor(queue)
    assert.equal(await storage.queues.get({ key: queue, now }), null)
  })

  it('a subscriber subscribes to a queue once; the existing subscription is answered as it is', async (scene) => {
    const queue = await scene.queue()
    const first = await subscribe(scene, queue, 's1', one)
    scene.pass(10)
    await scene.storage.subscriptions.confirm({ queue, id: 's1', confirmed: true, isListening: true, now: scene.now })
    const again = await subscribe(scene, queue, 's2', one, { ttlSeconds: 600, options: '{"n": 1}' })
    assert.deepEqual(again, { created: false, subscription: { ...first.subscription, confirmed: true } })
    assert.deepEqual(await listed(scene, queue), ['s1'])
    assert.equal((await subscribe(scene, queue, 's3', `${one}x`)).created, true)
    assert.equal((await subscribe(scene, await scene.queue('other'), 's4', one)).created, true)
  })

  it('a subscription ends at its very instant, and frees its subscriber', async (scene) => {
    const queue = await scene.queue()
    await subscribe(scene, queue, 's1', one)
    scene.passAlmost(60)
    assert.deepEqual(await listed(scene, queue), ['s1'])
    assert.equal((await subscribe(scene, queue, 's2', one)).created, false)
    scene.clock.advance(1)
    assert.deepEqual(await listed(scene, queue), [])
    assert.equal(await get(scene, queue, 's1'), null)
    assert.equal(
      await scene.storage.subscriptions.confirm({
        queue,
        id: 's1',
        confirmed: true,
        isListening: true,
        now: scene.now,
      }),
      false,
    )
    assert.equal(await update(scene, queue, 's1', { ttlSeconds: 60 }), 'absent')
    assert.equal((await subscribe(scene, queue, 's2', one)).created, true)
    assert.deepEqual(await listed(scene, queue), ['s2'])
  })

  it('subscriptions are listed by id, page by page', async (scene) => {
    const queue = await scene.queue()
    const inOrder = ['10', '9', 'B', 'a', 'b']
    for (const id of inOrder.toReversed()) await subscribe(scene, queue, id, `http://${id}.example/`)
    assert.deepEqual(await listed(scene, queue), inOrder)
    assert.deepEqual(await listed(scene, queue, null, 2), ['10', '9'])
    assert.deepEqual(await listed(scene, queue, '9', 2), ['B', 'a'])
    assert.deepEqual(await listed(scene, queue, 'A'), ['B', 'a', 'b'], 'an id to start after need not exist')
  })

  it('a page is filled although expired subscriptions stand before it', async (scene) => {
    const queue = await scene.queue()
    for (let n = 10; n < 60; n += 1) await subscribe(scene, queue, `${n}`, `http://${n}.example/`, { ttlSeconds: 10 })
    await subscribe(scene, queue, 'a', one)
    await subscribe(scene, queue, 'b', two)
    scene.pass(10)
    assert.deepEqual(await listed(scene, queue, null, 2), ['a', 'b'])
  })

  it('an update changes what is given and leaves the rest', async (scene) => {
    const queue = await scene.queue()
    const created = await subscribe(scene, queue, 's', one, { options: '{"n": 1}' })
    await scene.storage.subscriptions.confirm({ queue, id: 's', confirmed: true, isListening: true, now: scene.now })
    const before = { ...created.subscription, confirmed: true }
    scene.pass(10)
    assert.equal(await update(scene, queue, 's', { options: '{"m": 2}' }), 'updated')
    assert.deepEqual(await get(scene, queue, 's'), { ...before, options: '{"m": 2}' })
    assert.equal(await update(scene, queue, 's', { ttlSeconds: 100 }), 'updated')
    const renewed = { ...before, options: '{"m": 2}', ttlSeconds: 100, renewedAt: scene.now }
    assert.deepEqual(await get(scene, queue, 's'), renewed)
    assert.equal(await update(scene, queue, 's', { subscriber: two }), 'updated')
    assert.deepEqual(await get(scene, queue, 's'), { ...renewed, subscriber: two, confirmed: false })
    scene.passAlmost(100)
    assert.deepEqual(await listed(scene, queue), ['s'])
    scene.clock.advance(1)
    assert.deepEqual(await listed(scene, queue), [])
  })

  it('an update changes what the service keeps for itself, or takes it away', async (scene) => {
    const queue = await scene.queue()
    const { subscription } = await subscribe(scene, queue, 's', one)
    const { subscriptions } = scene.storage
    const change = (vault: string | null | undefined) =>
      subscriptions.update({ queue, id: 's', vault, options: '{"n": 1}', now: scene.now })
    const changed = { ...subscription, options: '{"n": 1}' }
    for (const vault of ['{"k": [1.0]}', null, '{}']) {
      assert.equal(await change(vault), 'updated')
      assert.deepEqual(await get(scene, queue, 's'), { ...changed, vault })
      assert.equal(await change(undefined), 'updated')
      assert.deepEqual(await get(scene, queue, 's'), { ...changed, vault }, 'what is not given stays')
    }
  })

  it('whether it listens is looked at by an update only where the subscriber differs', async (scene) => {
    const queue = await scene.queue()
    await subscribe(scene, queue, 's', one)
    const { subscriptions } = scene.storage
    const change = (subscriber: string | undefined, isListening: boolean | undefined) =>
      subscriptions.update({ queue, id: 's', subscriber, isListening, now: scene.now })
    const isListening = async () => (await get(scene, queue, 's'))?.isListening
    await change(undefined, false)
    await change(one, false)
    assert.equal(await isListening(), true)
    await change(two, false)
    assert.equal(await isListening(), false)
    await change(one, undefined)
    assert.equal(await isListening(), false)
    await change(two, true)
    assert.equal(await isListening(), true)
    await change('http://three.example/', undefined)
    assert.equal(await isListening(), true)
  })

  it('an update cannot take the subscriber of another live subscription', async (scene) => {
    const queue = await scene.queue()
    await subscribe(scene, queue, 's1', one)
    const second = await subscribe(scene, queue, 's2', two, { ttlSeconds: 600 })
    assert.equal(await update(scene, queue, 's2', { subscriber: one, ttlSeconds: 100 }), 'conflict')
    assert.deepEqual(await get(scene, queue, 's2'), second.subscription)
    assert.equal(await update(scene, queue, 's2', { subscriber: two }), 'updated', 'its own is no conflict')
    scene.pass(60)
    assert.equal(await update(scene, queue, 's2', { subscriber: one }), 'updated')
    assert.equal((await subscribe(scene, queue, 's3', two)).created, true, 'the old subscriber is free')
  })

  it('a confirmation goes in both directions', async (scene) => {
    const queue = await scene.queue()
    await subscribe(scene, queue, 's', one)
    const { subscriptions } = scene.storage
    for (const confirmed of [true, true, false]) {
      assert.equal(
        await subscriptions.confirm({ queue, id: 's', confirmed, isListening: confirmed, now: scene.now }),
        true,
      )
      assert.equal((await get(scene, queue, 's'))?.confirmed, confirmed)
    }
  })

  it('a deleted subscription is gone, a purge removes them all', async (scene) => {
    const queue = await scene.queue()
    const { subscriptions } = scene.storage
    await scene.post(queue, 'a')
    for (const id of ['s1', 's2', 's3']) await subscribe(scene, queue, id, `http://${id}.example/`)
    await subscriptions.delete({ queue, id: 's2', now: scene.now })
    await subscriptions.delete({ queue, id: 's2', now: scene.now })
    assert.deepEqual(await listed(scene, queue), ['s1', 's3'])
    assert.equal((await subscribe(scene, queue, 's4', 'http://s2.example/')).created, true)
    await subscriptions.purge({ queue, now: scene.now })
    assert.deepEqual(await listed(scene, queue), [])
    assert.deepEqual(await scene.listed(queue), ['a'])
  })

  it('they go with their queue', async (scene) => {
    const old = await scene.queue()
    await subscribe(scene, old, 's1', one)
    await scene.storage.queues.delete({ queue: old, now: scene.now })
    const queue = await scene.queue()
    assert.deepEqual(await listed(scene, queue), [])
    assert.equal(await get(scene, queue, 's1'), null)
    assert.equal((await subscribe(scene, queue, 's2', one)).created, true)
  })

  it('an id of another queue, project or kind, or a malformed one, names nothing', async (scene) => {
    const queue = await scene.queue()
    await subscribe(scene, queue, 's', one)
    const before = await get(scene, queue, 's')
    const others = [
      await scene.queue('other'),
      await scene.queue('jobs', { kind: 'topic' }),
      await scene.queue('jobs', { project: 'beta' }),
    ]
    const { subscriptions } = scene.storage
    const strangers = [
      ...others.map((other) => [other, 's'] as const),
      ...malformedIds.map((id) => [queue, id] as const),
    ]
    for (const [stranger, id] of strangers) {
      const params = { queue: stranger, id, now: scene.now }
      assert.equal(await subscriptions.get(params), null)
      assert.equal(await subscriptions.confirm({ ...params, confirmed: true, isListening: true }), false)
      assert.equal(await subscriptions.update({ ...params, ttlSeconds: 600 }), 'absent')
      await subscriptions.delete(params)
    }
    for (const other of others) await subscriptions.purge({ queue: other, now: scene.now })
    assert.deepEqual(await get(scene, queue, 's'), before)
  })
}

async function subscribe(
  { storage, now }: Scene,
  queue: QueueHandle,
  id: string,
  subscriber: string,
  terms: Partial<CreateTerms> = {},
) {
  const { subscriptions } = storage
  const usual = { ttlSeconds: 60, options: '{}', isListening: true, vault: null }
  return fresh(await subscriptions.create({ queue, id, subscriber, ...usual, now, ...terms }))
}

async function get({ storage, now }: Scene, queue: QueueHandle, id: string): Promise<Subscription | null> {
  return fresh(await storage.subscriptions.get({ queue, id, now }))
}

function update(
  { storage, now }: Scene,
  queue: QueueHandle,
  id: string,
  changes: Pick<Parameters<Scene['storage']['subscriptions']['update']>[0], 'subscriber' | 'ttlSeconds' | 'options'>,
) {
  return storage.subscriptions.update({ queue, id, ...changes, now })
}

async function listed(
  { storage, now }: Scene,
  queue: QueueHandle,
  after: string | null = null,
  limit = 100,
): Promise<string[]> {
  const page = fresh(await storage.subscriptions.list({ queue, after, limit, now }))
  return page.map((subscription) => subscription.id)
}
