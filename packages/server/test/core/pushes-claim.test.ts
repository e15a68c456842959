import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CreatedClaim, createClaim } from '../../src/core/operations/claims/create-claim.ts'
import { listClaims } from '../../src/core/operations/claims/list-claims.ts'
import { releaseClaim } from '../../src/core/operations/claims/release-claim.ts'
import { renewClaim } from '../../src/core/operations/claims/renew-claim.ts'
import { deleteMessage } from '../../src/core/operations/messages/delete-message.ts'
import { deleteMessages } from '../../src/core/operations/messages/delete-messages.ts'
import { createQueue } from '../../src/core/operations/queues/create-queue.ts'
import { deleteQueue } from '../../src/core/operations/queues/delete-queue.ts'
import { purgeQueue } from '../../src/core/operations/queues/purge-queue.ts'
import { confirmSubscription } from '../../src/core/operations/subscriptions/confirm-subscription.ts'
import { deleteSubscription } from '../../src/core/operations/subscriptions/delete-subscription.ts'
import { subscribeReceiver } from '../../src/core/operations/subscriptions/subscribe-receiver.ts'
import { updateSubscription } from '../../src/core/operations/subscriptions/update-subscription.ts'
import { onTopics } from '../../src/core/operations/topics/on-topics.ts'
import type { QueueKey } from '../../src/model/model.ts'
import type { QueueHandle } from '../../src/storage/contract.ts'
import { Connection, openScene, type Scene, SOMEBODY } from '../support/pushes.ts'
import { settled, waits } from '../support/settled.ts'

const jobs = { queue: 'jobs' }

interface ClaimedMessage {
  readonly id: string
  readonly claimId: string
}

/** In the order in which they were claimed. */
function claimed({ claims }: Connection): ClaimedMessage[] {
  return claims.flatMap(({ id: claimId, messages }) => messages.map(({ id }) => ({ id, claimId })))
}

async function bodiesFree(scene: Scene): Promise<string[]> {
  const { found } = (await scene.run(createClaim, { ...jobs, limit: 20 })) as CreatedClaim
  return found?.claim.messages.map(({ body }) => JSON.parse(body)) ?? []
}

describe('a subscription that claims', () => {
  test('gets what is there and what comes, claimed, with the terms that it asked for', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a', 'b'])
    const { marker } = await scene.subscribe(one, { claim: { ttlSeconds: 100, graceSeconds: 60 } })
    await scene.post(['c'])
    assert.equal(marker, null)
    assert.deepEqual(one.seen, ['a', 'b', 'c'])
    assert.deepEqual(
      one.claims.map(({ ttlSeconds, messages }) => [ttlSeconds, messages.length]),
      [
        [100, 2],
        [100, 1],
      ],
    )
    assert.deepEqual(await bodiesFree(scene), [])
    const { claims } = await scene.run(listClaims, jobs)
    assert.deepEqual(
      claims.map(({ clientId }) => clientId),
      [SOMEBODY.clientId, SOMEBODY.clientId],
    )
    assert.deepEqual(scene.waiting.pushes.counts(), { subscriptions: 1, pushed: 3 })
  })

  test('holds no more than its limit, which is that of a claim', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    for (const limit of [0, 21]) await assert.rejects(scene.subscribe(one, { claim: { limit } }), /Limit must be/)
    await assert.rejects(scene.subscribe(one, { claim: { ttlSeconds: 59 } }), { code: 'claim.ttl_out_of_range' })
    assert.deepEqual(await scene.rows(), [])
    const bodies = Array.from({ length: 15 }, (_, i) => i)
    await scene.post(bodies as never)
    await scene.subscribe(one, { claim: {} })
    assert.deepEqual(one.news(), bodies.slice(0, 10))
  })

  test('gets more as soon as what it holds is gone, however that came about', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const bodies = Array.from({ length: 20 }, (_, i) => i)
    await scene.post(bodies as never)
    await scene.subscribe(one, { claim: { limit: 3 } })
    assert.deepEqual(one.news(), [0, 1, 2])
    const held = () => claimed(one).slice(-3)
    await scene.run(deleteMessage, { ...jobs, ...(held()[0] as ClaimedMessage) })
    await settled()
    assert.deepEqual(one.news(), [3])
    await scene.run(deleteMessages, { ...jobs, ids: held().map(({ id }) => id) })
    await settled()
    assert.deepEqual(one.news(), [4, 5, 6])
    await scene.run(createClaim, { ...jobs, finished: held().slice(0, 2), limit: 2 })
    await settled()
    assert.deepEqual(one.news(), [9, 10])
    await scene.run(releaseClaim, { ...jobs, claimId: held()[0]?.claimId as string })
    await settled()
    assert.deepEqual(one.news(), [6], 'which is at its old place again')
    await scene.run(purgeQueue, { ...jobs, resources: ['messages'] })
    await scene.post(['a', 'b', 'c', 'd'])
    assert.deepEqual(one.news(), ['a', 'b', 'c'])
  })

  test('gets more when a claim ends by its time, and not before where it was renewed', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a', 'b', 'c'])
    await scene.subscribe(one, { claim: { limit: 2, ttlSeconds: 60 } })
    assert.deepEqual(one.news(), ['a', 'b'])
    await scene.pass(30)
    const claimId = one.claims[0]?.id as string
    await scene.run(renewClaim, { ...jobs, claimId, ttlSeconds: 100 })
    await scene.pass(99)
    assert.deepEqual(one.news(), [])
    await scene.pass(1)
    assert.deepEqual(one.news(), ['a', 'b'], 'nobody has taken them meanwhile')
  })

  test('takes its turn with others who wait', async (t) => {
    const scene = await openScene(t)
    const [one, other] = [new Connection('one'), new Connection('other')]
    await scene.subscribe(one, { claim: { limit: 1 } })
    const polling = scene.run(createClaim, { ...jobs, limit: 1, waitSeconds: 20 })
    await settled()
    await scene.subscribe(other, { claim: { limit: 5 } })
    await scene.post(['a', 'b', 'c'])
    const { found } = await polling
    assert.deepEqual(
      [one.seen, found?.claim.messages.map(({ body }) => JSON.parse(body)), other.seen],
      [['a'], ['b'], ['c']],
    )
  })

  test('leaves a message that was claimed too often to the dead letter queue', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const metadata = { _dead_letter_queue: 'dead', _max_claim_count: 2 }
    await scene.run(createQueue, { ...jobs, metadata })
    await scene.subscribe(one, { claim: { ttlSeconds: 60 } })
    await scene.post(['a'])
    for (let i = 0; i < 3; i++) await scene.pass(60)
    assert.deepEqual(one.seen, ['a', 'a'])
  })

  test('is for queues only, and for all that comes', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const claim = {}
    const refused = { code: 'subscription.claim_invalid' }
    const onTopic = scene.run(onTopics(subscribeReceiver), { ...jobs, receiver: one, options: {}, claim })
    await assert.rejects(onTopic, refused)
    await assert.rejects(scene.subscribe(one, { claim, marker: 'm' }), refused)
    await assert.rejects(scene.subscribe(one, { claim, options: { _filter: { a: [1] } } }), refused)
    assert.deepEqual(await scene.rows(), [])
  })

  test('ends when it is given a filter', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id } = await scene.subscribe(one, { claim: {} })
    await scene.run(updateSubscription, { ...jobs, id, options: { _filter: { a: [1] } } })
    await settled()
    await scene.post(['a'])
    assert.deepEqual([one.seen, await scene.rows()], [[], []])
  })

  test('tries again after a second when the storage failed', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a'])
    scene.failing.add('claims.create')
    await scene.subscribe(one, { claim: {} })
    await scene.pass(5)
    scene.failing.clear()
    await scene.pass(1)
    assert.deepEqual(one.seen, ['a'])
    assert.deepEqual(scene.troubles, [])
  })

  test('holds no more than its limit, however often it is stopped and started while it claims', async (t) => {
    const scene = await openScene(t, { requiresConfirmation: true })
    const one = new Connection('one')
    await scene.post(['a', 'b', 'c', 'd', 'e'])
    const { id } = await scene.subscribe(one, { claim: { limit: 2 } })
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.before.set('claims.create', () => promise)
    for (const confirmed of [true, false, true]) {
      await scene.run(confirmSubscription, { ...jobs, id, confirmed })
      await settled()
    }
    assert.equal(scene.calls.get('claims.create'), 1)
    resolve()
    await settled()
    assert.deepEqual(one.seen, ['a', 'b'])
  })

  test('counts what the connection holds of one that was there before', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a', 'b', 'c', 'd', 'e'])
    const { id } = await scene.subscribe(one, { claim: { limit: 2 } })
    await scene.run(deleteSubscription, { ...jobs, id })
    await scene.subscribe(one, { claim: { limit: 3 } })
    assert.deepEqual(one.news(), ['a', 'b', 'c'])
    const [a, b] = claimed(one) as [ClaimedMessage, ClaimedMessage]
    await scene.run(deleteMessages, { ...jobs, ids: [a.id, b.id] })
    await settled()
    assert.deepEqual(one.news(), ['d', 'e'])
  })

  test('gets more in a quarter of a minute when others have removed what it holds', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a', 'b', 'c', 'd', 'e', 'f'])
    await scene.subscribe(one, { claim: { limit: 3 } })
    const now = scene.clock.now()
    const key = one.pushes[0]?.key as QueueKey
    const queue = (await scene.storage.queues.get({ key, now })) as QueueHandle
    const ids = claimed(one).map(({ id }) => id)
    assert.deepEqual(one.news(), ['a', 'b', 'c'])
    await scene.storage.messages.deleteMany({ queue, ids: ids.slice(0, 1), claimIds: null, now })
    await scene.pass(15)
    assert.deepEqual(one.news(), ['d'])
    await scene.storage.messages.deleteMany({ queue, ids: ids.slice(1), claimIds: null, now })
    scene.failing.add('claims.get')
    await scene.pass(15)
    assert.deepEqual(one.news(), [])
    scene.failing.clear()
    await scene.pass(15)
    assert.deepEqual(one.news(), ['e', 'f'])
    assert.equal(await scene.callsOf('claims.get', () => scene.pass(15)), 2)
    assert.deepEqual(one.news(), [])
  })

  test('claims nothing before it begins, nor once its credentials have ended', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a', 'b'])
    const caller = { ...SOMEBODY, expiresAt: scene.clock.now() + 50_000 }
    const input = { ...jobs, receiver: one, options: {}, claim: { limit: 1 } }
    const { begin } = await scene.run(subscribeReceiver, input, caller)
    await settled()
    assert.deepEqual(await bodiesFree(scene), ['a', 'b'])
    await scene.pass(49)
    begin()
    scene.clock.advance(1000)
    await scene.post(['c'])
    assert.deepEqual(one.seen, [])
    assert.deepEqual(await bodiesFree(scene), ['c'])
  })
})

describe('what was claimed for a connection', () => {
  test('is free again when that is gone, though the subscription has ended before', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a', 'b', 'c'])
    const { id } = await scene.subscribe(one, { claim: { limit: 2 } })
    await scene.run(deleteSubscription, { ...jobs, id })
    await settled()
    assert.deepEqual(one.seen, ['a', 'b'])
    await scene.run(deleteMessage, { ...jobs, ...(claimed(one)[0] as ClaimedMessage) })
    await settled()
    assert.deepEqual(one.seen, ['a', 'b'], 'it takes no more')
    assert.deepEqual(await bodiesFree(scene), ['c'], 'what it has it may finish')
    await scene.waiting.pushes.gone(one)
    assert.deepEqual(await bodiesFree(scene), ['b'])
  })

  test('is free again when it was claimed for one that is gone by then', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one, { claim: {} })
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.before.set('claims.create', () => promise)
    await scene.post(['a'])
    const leaving = scene.waiting.pushes.gone(one)
    scene.before.clear()
    resolve()
    await leaving
    assert.deepEqual(one.seen, [])
    assert.deepEqual(await bodiesFree(scene), ['a'])
    assert.equal(scene.open.watch, 0)
  })

  test('is free again when its subscription was deleted while it was claimed', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id } = await scene.subscribe(one, { claim: {} })
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.before.set('claims.create', () => promise)
    await scene.post(['a'])
    await scene.run(deleteSubscription, { ...jobs, id })
    await settled()
    const leaving = scene.waiting.pushes.gone(one)
    assert.ok(await waits(leaving))
    scene.before.clear()
    resolve()
    await leaving
    assert.deepEqual(await bodiesFree(scene), ['a'])
  })

  test('is free again when its credentials ended while it was claimed', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const caller = { ...SOMEBODY, expiresAt: scene.clock.now() + 50_000 }
    await scene.subscribe(one, { claim: {}, caller })
    const { promise, resolve } = Promise.withResolvers<void>()
    scene.before.set('claims.create', () => promise)
    await scene.post(['a'])
    await scene.pass(50)
    const closing = scene.waiting.pushes.close()
    assert.ok(await waits(closing))
    scene.before.clear()
    resolve()
    await closing
    assert.deepEqual(await bodiesFree(scene), ['a'])
  })

  test('goes to the next in line when the time of one is over as its turn comes', async (t) => {
    const scene = await openScene(t)
    const [one, other] = [new Connection('one'), new Connection('other')]
    await scene.subscribe(one, { claim: {}, ttlSeconds: 60 })
    await scene.subscribe(other, { claim: {} })
    await scene.pass(59)
    scene.before.set('messages.append', async () => {
      scene.before.clear()
      scene.clock.advance(1000)
    })
    await scene.post(['a'])
    assert.deepEqual([one.seen, other.seen], [[], ['a']])
  })

  test('stays claimed, and is reported, where it cannot be freed', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a'])
    await scene.subscribe(one, { claim: { ttlSeconds: 60 } })
    scene.failing.add('claims.release')
    await scene.waiting.pushes.gone(one)
    assert.equal(scene.troubles.length, 1)
    assert.deepEqual(await bodiesFree(scene), [])
    await scene.pass(60)
    assert.deepEqual(await bodiesFree(scene), ['a'])
  })

  test('goes with the queue, and a new queue of the name is another', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['a'])
    await scene.subscribe(one, { claim: { limit: 1 } })
    await scene.run(deleteQueue, jobs)
    await scene.post(['b'])
    await scene.subscribe(one, { claim: { limit: 1 } })
    assert.deepEqual(one.seen, ['a', 'b'])
  })
})
