import assert from 'node:assert/strict'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

/** Rounds of a second each in which housekeeping may free what has expired. */
const ROUNDS = 500

async function usageOf(scene: Scene, project = 'alpha') {
  const { queues, messages } = await scene.storage.queues.usage({ project, now: scene.now })
  return { queues, messages }
}

async function bytesOf(scene: Scene): Promise<number> {
  return (await scene.storage.queues.usage({ project: 'alpha', now: scene.now })).bytes
}

export function usageCases(it: It): void {
  it('a project without queues keeps nothing', async (scene) => {
    await scene.post(await scene.queue('jobs', { project: 'beta' }), 'a')
    assert.deepEqual(await usageOf(scene), { queues: 0, messages: 0 })
  })

  it('queues and topics of the project count, and their messages', async (scene) => {
    await scene.post(await scene.queue('jobs'), 'a', 'b')
    await scene.post(await scene.queue('other'), 'c')
    await scene.post(await scene.queue('jobs', { kind: 'topic' }), 'd')
    await scene.post(await scene.queue('jobs', { project: 'beta' }), 'e')
    await scene.queue('empty')
    assert.deepEqual(await usageOf(scene), { queues: 4, messages: 4 })
    assert.deepEqual(await usageOf(scene, 'beta'), { queues: 1, messages: 1 })
  })

  it('claimed and delayed messages count as well', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
    await scene.claim(queue, { limit: 1 })
    assert.deepEqual(await usageOf(scene), { queues: 1, messages: 3 })
  })

  it('what is deleted, popped or purged counts no more', async (scene) => {
    const queue = await scene.queue()
    const other = await scene.queue('other')
    const [first = ''] = await scene.post(queue, 'a', 'b', 'c')
    await scene.post(other, 'd')
    await scene.delete(queue, first)
    assert.deepEqual(await usageOf(scene), { queues: 2, messages: 3 })
    await scene.pop(queue, 1)
    assert.deepEqual(await usageOf(scene), { queues: 2, messages: 2 })
    await scene.storage.messages.purge({ key: queue, now: scene.now })
    assert.deepEqual(await usageOf(scene), { queues: 2, messages: 1 })
    await scene.storage.queues.delete({ key: other, now: scene.now })
    assert.deepEqual(await usageOf(scene), { queues: 1, messages: 0 })
  })

  it('dead letters count once, and so does the queue that comes into being with them', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const deadLetter = { queue: 'dead', maxClaimCount: 1, ttlSeconds: null }
    const claim = await scene.claim(queue, { limit: 1, deadLetter })
    await scene.release(queue, claim.id)
    await scene.claim(queue, { limit: 1, deadLetter })
    assert.deepEqual(await usageOf(scene), { queues: 2, messages: 2 })
  })

  it('moves that are under way at the same time are counted whole', async (scene) => {
    const queue = await scene.queue()
    const [, { messages }] = await Promise.all([scene.post(queue, 'a', 'b', 'c'), usageOf(scene)])
    assert.ok(messages === 0 || messages === 3, String(messages))
    assert.equal((await usageOf(scene)).messages, 3)
  })

  it('bytes are those of the bodies, and go with them', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'four')
    const one = await bytesOf(scene)
    assert.ok(one >= '"four"'.length, String(one))
    // Two bytes each.
    await scene.post(queue, '\u00e4\u00f6')
    const delayed = await scene.postOne(queue, 'wait', { delaySeconds: 60 })
    const gone = await scene.postOne(queue, 'gone', { delaySeconds: 60 })
    await scene.post(await scene.queue('jobs', { kind: 'topic' }), 'news')
    assert.equal(await bytesOf(scene), 5 * one)
    const claim = await scene.claim(queue, { limit: 2 })
    assert.equal(await bytesOf(scene), 5 * one)
    await scene.delete(queue, claim.messages[0]?.id ?? '', claim.id)
    await scene.delete(queue, gone)
    assert.equal(await bytesOf(scene), 3 * one)
    await scene.deleteMany(queue, [delayed])
    await scene.release(queue, claim.id)
    assert.equal(await bytesOf(scene), 2 * one)
    await scene.pop(queue, 1)
    assert.equal(await bytesOf(scene), one)
    await scene.storage.messages.purge({ key: { ...queue, kind: 'topic' }, now: scene.now })
    assert.equal(await bytesOf(scene), 0)
  })

  it('bytes move with dead letters', async (scene) => {
    const { storage } = scene
    const queue = await scene.queue()
    const dead = await scene.queue('dead')
    await scene.post(queue, 'long and longer', 'b')
    const all = await bytesOf(scene)
    const deadLetter = { queue: 'dead', maxClaimCount: 1, ttlSeconds: null }
    const claim = await scene.claim(queue, { limit: 1, deadLetter })
    await scene.release(queue, claim.id)
    await scene.claim(queue, { limit: 1, deadLetter })
    assert.equal(await bytesOf(scene), all)
    await storage.messages.redrive({ queue: dead, ids: null, limit: 10, now: scene.now })
    assert.equal(await bytesOf(scene), all)
    await storage.queues.delete({ key: dead, now: scene.now })
    assert.equal(await bytesOf(scene), all)
    await storage.queues.delete({ key: queue, now: scene.now })
    assert.equal(await bytesOf(scene), 0)
  })

  it('expired messages soon count no more', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'stays')
    const bytes = await bytesOf(scene)
    await scene.postWith(queue, { ttlSeconds: 60 }, ...Array.from({ length: 100 }, String))
    await scene.postWith(queue, { ttlSeconds: 60, delaySeconds: 90 }, 'never seen')
    scene.pass(60)
    for (let round = 0; (await usageOf(scene)).messages > 1; round++) {
      assert.ok(round < ROUNDS, 'they still count')
      scene.pass(1)
    }
    assert.deepEqual(await usageOf(scene), { queues: 1, messages: 1 })
    assert.equal(await bytesOf(scene), bytes)
  })
}
