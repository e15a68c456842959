import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

export function purgeCases(it: It): void {
  it('a purge removes messages of every state and all claims, at once', async (scene) => {
    const { queue, claimId, ids } = await fill(scene)
    await scene.storage.messages.purge({ queue, now: scene.now })
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true, includeDelayed: true }), [])
    assert.deepEqual(await scene.get(queue, ...ids), [])
    assert.equal(await scene.getClaim(queue, claimId), null)
    assert.equal(await scene.renew(queue, claimId), false)
    assert.equal(await scene.tryClaim(queue), null)
    scene.pass(600)
    assert.deepEqual(await scene.listed(queue), [], 'no delay and no claim brings anything back')
  })

  it('a purged queue goes on with its metadata, subscriptions and handle', async (scene) => {
    const { queue } = await fill(scene)
    const { storage, now } = scene
    await storage.messages.purge({ queue, now })
    assert.deepEqual(await storage.queues.get({ key: queue, now }), queue)
    assert.equal((await storage.subscriptions.list({ queue: queue, after: null, limit: 10, now })).length, 1)
    await scene.post(queue, 'new')
    assert.deepEqual(await scene.claimed(queue), ['new'])
  })

  it('a claim of before the purge has no hold on what comes after', async (scene) => {
    const { queue, claimId } = await fill(scene)
    await scene.storage.messages.purge({ queue, now: scene.now })
    const id = await scene.postOne(queue, 'new')
    await scene.release(queue, claimId)
    assert.equal(await scene.delete(queue, id, claimId), 'not-claimed')
    await scene.claim(queue)
    assert.equal(await scene.delete(queue, id, claimId), 'claim-not-live')
  })

  it('purging a queue that is gone does nothing and does not create it', async (scene) => {
    const queue = await scene.queue()
    const { storage, now } = scene
    await storage.queues.delete({ queue, now })
    assert.equal(await storage.messages.purge({ queue, now }), STALE)
    assert.equal(await storage.subscriptions.purge({ queue, now }), STALE)
    assert.equal(await storage.queues.get({ key: queue, now }), null)
  })

  it('a queue is purged as the caller saw it, or not at all', async (scene) => {
    const { queue: old } = await fill(scene)
    const { storage, now } = scene
    const queue = await storage.queues.update({ queue: old, metadata: '{"colour": "red"}', now })
    assert(queue !== STALE)
    const { free, claimed } = await scene.stats(queue)
    assert.equal(await storage.messages.purge({ queue: old, now }), STALE)
    assert.equal(await storage.subscriptions.purge({ queue: old, now }), STALE)
    const after = await scene.stats(queue)
    assert.deepEqual([after.free, after.claimed], [free, claimed])
    assert.equal(await storage.messages.purge({ queue, now }), 'purged')
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
  })

  it('a deleted queue comes back empty, and nothing of the old one is good for it', async (scene) => {
    const { queue: old, claimId, ids } = await fill(scene)
    const { marker } = await scene.list(old)
    await scene.storage.queues.delete({ queue: old, now: scene.now })
    const queue = await scene.queue()
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
    assert.deepEqual(await scene.get(queue, ...ids), [])
    assert.equal(await scene.getClaim(queue, claimId), null)
    const page = { queue, after: null, limit: 10, now: scene.now }
    assert.deepEqual(await scene.storage.subscriptions.list(page), [])
    const id = await scene.postOne(queue, 'new')
    await scene.release(queue, claimId)
    assert.equal(await scene.delete(queue, id, claimId), 'not-claimed')
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['new'])
    assert.deepEqual(await scene.listed(queue, { after: ids.at(-1) ?? null }), ['new'])
    scene.pass(600)
    assert.deepEqual(await scene.listed(queue), ['new'], 'no delay and no claim brings anything back')
  })

  it('a handle of before the deletion stays stale when the queue is back', async (scene) => {
    const { queue: old, claimId, ids } = await fill(scene)
    const { storage, now } = scene
    const [id = ''] = ids
    const answers = () =>
      Promise.all([
        storage.queues.update({ queue: old, metadata: '{}', now }),
        storage.messages.get({ queue: old, ids, now }),
        storage.messages.delete({ queue: old, id, claimId: null, now }),
        storage.messages.deleteMany({ queue: old, ids, claimIds: null, now }),
        storage.messages.pop({ queue: old, limit: 1, deadLetter: null, now }),
        storage.messages.redrive({ queue: old, ids: null, limit: 1, now }),
        storage.claims.create({ queue: old, limit: 1, ttlSeconds: 60, graceSeconds: 60, deadLetter: null, now }),
        storage.claims.get({ queue: old, claimId, now }),
        storage.claims.renew({ queue: old, claimId, ttlSeconds: 60, graceSeconds: 60, now }),
        storage.claims.release({ queue: old, claimId, now }),
      ])
    await storage.queues.delete({ queue: old, now })
    assert.deepEqual(await answers(), Array(10).fill(STALE))
    const queue = await scene.queue()
    await scene.post(queue, 'new')
    assert.deepEqual(await answers(), Array(10).fill(STALE))
    assert.deepEqual(await scene.listed(queue), ['new'])
  })
}

/** A queue with a subscription and a claimed, a ready and a delayed message. */
async function fill(scene: Scene) {
  const queue = await scene.queue()
  const { storage, now } = scene
  await storage.subscriptions.create({
    queue: queue,
    id: 'subscription',
    subscriber: 'http://one.example/',
    ttlSeconds: 3600,
    options: '{}',
    isListening: true,
    vault: null,
    now,
  })
  const claimed = await scene.postOne(queue, 'claimed')
  const { id: claimId } = await scene.claim(queue)
  const ready = await scene.postOne(queue, 'ready')
  const delayed = await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
  return { queue, claimId, ids: [claimed, ready, delayed] }
}
