import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
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
    await scene.storage.messages.purge({ queue, now: scene.now })
    assert.deepEqual(await usageOf(scene), { queues: 2, messages: 1 })
    await scene.storage.queues.delete({ queue: other, now: scene.now })
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
    const topic = await scene.queue('jobs', { kind: 'topic' })
    await scene.post(topic, 'news')
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
    await scene.storage.messages.purge({ queue: topic, now: scene.now })
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
    await storage.queues.delete({ queue: dead, now: scene.now })
    assert.equal(await bytesOf(scene), all)
    await storage.queues.delete({ queue, now: scene.now })
    assert.equal(await bytesOf(scene), 0)
  })

  it('bytes of metadata count without their braces, as they are now', async (scene) => {
    const { storage, now } = scene
    const key = { project: 'alpha', kind: 'queue', name: 'jobs' } as const
    const { queue } = await storage.queues.create({ key, metadata: '{"a": "\u00e4"}', now })
    await storage.queues.create({ key, metadata: '{"left": "unused"}', now })
    assert.equal(await bytesOf(scene), 9)
    const topic = { ...key, kind: 'topic' } as const
    const { queue: other } = await storage.queues.create({ key: topic, metadata: '{"b": 1}', now })
    assert.equal(await bytesOf(scene), 15)
    const updated = await storage.queues.update({ queue, metadata: '{}', now })
    assert.notEqual(updated, STALE)
    assert.equal(await bytesOf(scene), 6)
    await storage.queues.delete({ queue: other, now })
    assert.equal(await bytesOf(scene), 0)
  })

  it('bytes of subscriptions count: the subscriber, and the options without their braces', async (scene) => {
    const queue = await scene.queue()
    const { subscriptions } = scene.storage
    const subscribe = (id: string, subscriber: string, options: string, ttlSeconds = 3600) =>
      subscriptions.create({
        queue,
        id,
        subscriber,
        options,
        ttlSeconds,
        isListening: true,
        vault: null,
        now: scene.now,
      })
    await subscribe('s1', 'http://a/', '{"n": 1.0}')
    assert.equal(await bytesOf(scene), 17)
    await subscribe('s2', 'http://a/', '{"it": "is there already"}')
    assert.equal(await bytesOf(scene), 17)
    await subscribe('s3', 'http://bc/', '{}', 60)
    assert.equal(await bytesOf(scene), 27)
    await subscriptions.update({ queue, id: 's1', options: '{}', now: scene.now })
    await subscriptions.update({ queue, id: 's1', ttlSeconds: 7200, now: scene.now })
    await subscriptions.confirm({ queue, id: 's1', confirmed: true, isListening: true, now: scene.now })
    assert.equal(await bytesOf(scene), 19)
    await subscriptions.update({
      queue,
      id: 's1',
      subscriber: 'http://longer/',
      options: '{"\u00e4": 1}',
      now: scene.now,
    })
    assert.equal(await bytesOf(scene), 31)
    scene.pass(60)
    await subscribe('s4', 'http://bc/', '{}')
    for (let round = 0; (await bytesOf(scene)) !== 31; round++) {
      assert.ok(round < ROUNDS, 'what has expired still counts')
      scene.pass(1)
    }
    await subscriptions.delete({ queue, id: 's4', now: scene.now })
    assert.equal(await bytesOf(scene), 21)
    await subscriptions.purge({ queue, now: scene.now })
    assert.equal(await bytesOf(scene), 0)
    await subscribe('s5', 'http://a/', '{}')
    await scene.storage.queues.delete({ queue, now: scene.now })
    assert.equal(await bytesOf(scene), 0)
  })

  it('bytes of idempotency records count as long as they are kept, each once', async (scene) => {
    const queue = await scene.queue()
    const post = async (key: string, digest: string) => {
      const idempotency = { key, digest, expiresAt: scene.now + 60_000 }
      const messages = [{ body: '1', ttlSeconds: 3600, delaySeconds: 0 }]
      return scene.storage.messages.append({ queue, clientId: 'c', messages, idempotency, now: scene.now })
    }
    await post('key', 'digest')
    const all = await bytesOf(scene)
    await post('key', 'digest')
    await post('key', 'other')
    assert.equal(await bytesOf(scene), all)
    await scene.pop(queue, 1)
    // What is put around an engine may store another digest.
    const record = await bytesOf(scene)
    assert.ok(record > 'key'.length && record < all, `${record}`)
    scene.pass(60)
    await post('longer key', 'digest')
    await scene.pop(queue, 1)
    assert.equal(await bytesOf(scene), record + 'longer '.length)
    scene.pass(60)
    for (let round = 0; (await bytesOf(scene)) > 0; round++) {
      assert.ok(round < ROUNDS, 'they still count')
      scene.pass(1)
    }
    await post('a', 'b')
    await scene.storage.messages.purge({ queue, now: scene.now })
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
