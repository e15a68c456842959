import assert from 'node:assert/strict'
import type { QueueKey, Subscription } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

type CreateTerms = Parameters<Scene['storage']['subscriptions']['create']>[0]

const one = 'http://one.example/'
const two = 'http://two.example/'

export function subscriptionCases(it: It): void {
  it('a subscription is created unconfirmed', async (scene) => {
    const key = await scene.queue()
    const { now } = scene
    const subscription: Subscription = {
      id: 's',
      source: 'jobs',
      subscriber: one,
      ttlSeconds: 60,
      renewedAt: now,
      options: '{"b": [1.0], "10": null}',
      confirmed: false,
    }
    const answer = await subscribe(scene, key, 's', one, { options: subscription.options })
    assert.deepEqual(answer, { created: true, subscription })
    scene.pass(5)
    assert.deepEqual(await get(scene, key, 's'), subscription)
  })

  it('a missing queue cannot be subscribed to', async (scene) => {
    const key = { project: 'alpha', kind: 'queue', name: 'missing' } as const
    assert.equal(await subscribe(scene, key, 's', one), null)
    assert.deepEqual(await listed(scene, key), [])
    assert.equal(await get(scene, key, 's'), null)
  })

  it('a subscriber subscribes to a queue once; the existing subscription is answered as it is', async (scene) => {
    const key = await scene.queue()
    const first = await subscribe(scene, key, 's1', one)
    scene.pass(10)
    await scene.storage.subscriptions.confirm({ key, id: 's1', confirmed: true, now: scene.now })
    const again = await subscribe(scene, key, 's2', one, { ttlSeconds: 600, options: '{"n": 1}' })
    assert.deepEqual(again, { created: false, subscription: { ...first?.subscription, confirmed: true } })
    assert.deepEqual(await listed(scene, key), ['s1'])
    assert.equal((await subscribe(scene, key, 's3', `${one}x`))?.created, true)
    assert.equal((await subscribe(scene, await scene.queue('other'), 's4', one))?.created, true)
  })

  it('a subscription ends at its very instant, and frees its subscriber', async (scene) => {
    const key = await scene.queue()
    await subscribe(scene, key, 's1', one)
    scene.passAlmost(60)
    assert.deepEqual(await listed(scene, key), ['s1'])
    assert.equal((await subscribe(scene, key, 's2', one))?.created, false)
    scene.clock.advance(1)
    assert.deepEqual(await listed(scene, key), [])
    assert.equal(await get(scene, key, 's1'), null)
    assert.equal(await scene.storage.subscriptions.confirm({ key, id: 's1', confirmed: true, now: scene.now }), false)
    assert.equal(await update(scene, key, 's1', { ttlSeconds: 60 }), 'absent')
    assert.equal((await subscribe(scene, key, 's2', one))?.created, true)
    assert.deepEqual(await listed(scene, key), ['s2'])
  })

  it('subscriptions are listed by id, page by page', async (scene) => {
    const key = await scene.queue()
    const inOrder = ['10', '9', 'B', 'a', 'b']
    for (const id of inOrder.toReversed()) await subscribe(scene, key, id, `http://${id}.example/`)
    assert.deepEqual(await listed(scene, key), inOrder)
    assert.deepEqual(await listed(scene, key, null, 2), ['10', '9'])
    assert.deepEqual(await listed(scene, key, '9', 2), ['B', 'a'])
    assert.deepEqual(await listed(scene, key, 'A'), ['B', 'a', 'b'], 'an id to start after need not exist')
  })

  it('a page is filled although expired subscriptions stand before it', async (scene) => {
    const key = await scene.queue()
    for (let n = 10; n < 60; n += 1) await subscribe(scene, key, `${n}`, `http://${n}.example/`, { ttlSeconds: 10 })
    await subscribe(scene, key, 'a', one)
    await subscribe(scene, key, 'b', two)
    scene.pass(10)
    assert.deepEqual(await listed(scene, key, null, 2), ['a', 'b'])
  })

  it('an update changes what is given and leaves the rest', async (scene) => {
    const key = await scene.queue()
    const created = await subscribe(scene, key, 's', one, { options: '{"n": 1}' })
    assert(created)
    await scene.storage.subscriptions.confirm({ key, id: 's', confirmed: true, now: scene.now })
    const before = { ...created.subscription, confirmed: true }
    scene.pass(10)
    assert.equal(await update(scene, key, 's', { options: '{"m": 2}' }), 'updated')
    assert.deepEqual(await get(scene, key, 's'), { ...before, options: '{"m": 2}' })
    assert.equal(await update(scene, key, 's', { ttlSeconds: 100 }), 'updated')
    const renewed = { ...before, options: '{"m": 2}', ttlSeconds: 100, renewedAt: scene.now }
    assert.deepEqual(await get(scene, key, 's'), renewed)
    assert.equal(await update(scene, key, 's', { subscriber: two }), 'updated')
    assert.deepEqual(await get(scene, key, 's'), { ...renewed, subscriber: two, confirmed: false })
    scene.passAlmost(100)
    assert.deepEqual(await listed(scene, key), ['s'])
    scene.clock.advance(1)
    assert.deepEqual(await listed(scene, key), [])
  })

  it('an update cannot take the subscriber of another live subscription', async (scene) => {
    const key = await scene.queue()
    await subscribe(scene, key, 's1', one)
    const second = await subscribe(scene, key, 's2', two, { ttlSeconds: 600 })
    assert.equal(await update(scene, key, 's2', { subscriber: one, ttlSeconds: 100 }), 'conflict')
    assert.deepEqual(await get(scene, key, 's2'), second?.subscription)
    assert.equal(await update(scene, key, 's2', { subscriber: two }), 'updated', 'its own is no conflict')
    scene.pass(60)
    assert.equal(await update(scene, key, 's2', { subscriber: one }), 'updated')
    assert.equal((await subscribe(scene, key, 's3', two))?.created, true, 'the old subscriber is free')
  })

  it('a confirmation goes in both directions', async (scene) => {
    const key = await scene.queue()
    await subscribe(scene, key, 's', one)
    const { subscriptions } = scene.storage
    for (const confirmed of [true, true, false]) {
      assert.equal(await subscriptions.confirm({ key, id: 's', confirmed, now: scene.now }), true)
      assert.equal((await get(scene, key, 's'))?.confirmed, confirmed)
    }
  })

  it('a deleted subscription is gone, a purge removes them all', async (scene) => {
    const key = await scene.queue()
    const { subscriptions } = scene.storage
    await scene.post(key, 'a')
    for (const id of ['s1', 's2', 's3']) await subscribe(scene, key, id, `http://${id}.example/`)
    await subscriptions.delete({ key, id: 's2', now: scene.now })
    await subscriptions.delete({ key, id: 's2', now: scene.now })
    assert.deepEqual(await listed(scene, key), ['s1', 's3'])
    assert.equal((await subscribe(scene, key, 's4', 'http://s2.example/'))?.created, true)
    await subscriptions.purge({ key, now: scene.now })
    assert.deepEqual(await listed(scene, key), [])
    assert.deepEqual(await scene.listed(key), ['a'])
  })

  it('they go with their queue', async (scene) => {
    const key = await scene.queue()
    await subscribe(scene, key, 's1', one)
    await scene.storage.queues.delete({ key, now: scene.now })
    assert.deepEqual(await listed(scene, key), [])
    assert.equal(await get(scene, key, 's1'), null)
    await scene.queue()
    assert.deepEqual(await listed(scene, key), [])
    assert.equal((await subscribe(scene, key, 's2', one))?.created, true)
  })

  it('an id of another queue, project or kind, or a malformed one, names nothing', async (scene) => {
    const key = await scene.queue()
    await subscribe(scene, key, 's', one)
    const before = await get(scene, key, 's')
    const others = [
      await scene.queue('other'),
      await scene.queue('jobs', { kind: 'topic' }),
      await scene.queue('jobs', { project: 'beta' }),
    ]
    const { subscriptions } = scene.storage
    const strangers = [...others.map((other) => [other, 's'] as const), ...malformedIds.map((id) => [key, id] as const)]
    for (const [stranger, id] of strangers) {
      const params = { key: stranger, id, now: scene.now }
      assert.equal(await subscriptions.get(params), null)
      assert.equal(await subscriptions.confirm({ ...params, confirmed: true }), false)
      assert.equal(await subscriptions.update({ ...params, ttlSeconds: 600 }), 'absent')
      await subscriptions.delete(params)
    }
    for (const other of others) await subscriptions.purge({ key: other, now: scene.now })
    assert.deepEqual(await get(scene, key, 's'), before)
  })
}

function subscribe(
  { storage, now }: Scene,
  key: QueueKey,
  id: string,
  subscriber: string,
  terms: Partial<CreateTerms> = {},
) {
  return storage.subscriptions.create({ key, id, subscriber, ttlSeconds: 60, options: '{}', now, ...terms })
}

function get({ storage, now }: Scene, key: QueueKey, id: string): Promise<Subscription | null> {
  return storage.subscriptions.get({ key, id, now })
}

function update(
  { storage, now }: Scene,
  key: QueueKey,
  id: string,
  changes: Pick<Parameters<Scene['storage']['subscriptions']['update']>[0], 'subscriber' | 'ttlSeconds' | 'options'>,
) {
  return storage.subscriptions.update({ key, id, ...changes, now })
}

async function listed(
  { storage, now }: Scene,
  key: QueueKey,
  after: string | null = null,
  limit = 100,
): Promise<string[]> {
  const page = await storage.subscriptions.list({ key, after, limit, now })
  return page.map((subscription) => subscription.id)
}
