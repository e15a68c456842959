import assert from 'node:assert/strict'
import type { QueueHandle } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

export function idempotencyCases(it: It): void {
  it('a repeated POST answers the first ids and stores nothing', async (scene) => {
    const queue = await scene.queue()
    const first = await post(scene, queue)
    scene.passAlmost(300)
    assert.deepEqual(await post(scene, queue), first)
    assert.deepEqual(await scene.listed(queue), ['one', 'two'])
  })

  it('it does so when the messages are gone', async (scene) => {
    const queue = await scene.queue()
    const first = await post(scene, queue)
    await scene.pop(queue)
    assert.deepEqual(await post(scene, queue), first)
    assert.deepEqual(await scene.listed(queue), [])
  })

  it('the same key for something else is a conflict that stores nothing', async (scene) => {
    const queue = await scene.queue()
    await post(scene, queue)
    assert.equal(await post(scene, queue, { digest: 'other' }), 'conflict')
    assert.deepEqual(await scene.listed(queue), ['one', 'two'])
  })

  it('the record ends at its very instant', async (scene) => {
    const queue = await scene.queue()
    const first = await post(scene, queue)
    scene.passAlmost(300)
    assert.equal(await post(scene, queue, { digest: 'other' }), 'conflict')
    scene.clock.advance(1)
    const second = await post(scene, queue, { digest: 'other' })
    assert.notDeepEqual(second, first)
    assert.deepEqual(await scene.listed(queue), ['one', 'two', 'one', 'two'])
    assert.deepEqual(await post(scene, queue, { digest: 'other' }), second)
  })

  it('keys are of one queue', async (scene) => {
    const queue = await scene.queue()
    await post(scene, queue)
    for (const other of [
      await scene.queue('other'),
      await scene.queue('jobs', { kind: 'topic' }),
      await scene.queue('jobs', { project: 'beta' }),
    ]) {
      assert.notEqual(await post(scene, other, { digest: 'other' }), 'conflict')
    }
  })

  it('repetitions that arrive together are stored once', async (scene) => {
    const queue = await scene.queue()
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(scene, queue)))
    for (const answer of answers) assert.deepEqual(answer, answers[0])
    assert.deepEqual(await scene.listed(queue), ['one', 'two'])
  })

  it('an update of the queue keeps the record; a purge and a deletion remove it', async (scene) => {
    const queue = await scene.queue()
    const first = await post(scene, queue)
    const updated = await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    assert(updated !== STALE)
    assert.equal(await post(scene, queue), STALE)
    assert.deepEqual(await post(scene, updated), first)
    assert.equal(await scene.storage.messages.purge({ queue: updated, now: scene.now }), 'purged')
    assert.notEqual(await post(scene, updated, { digest: 'after the purge' }), 'conflict')
    assert.equal(await scene.storage.queues.delete({ queue: updated, now: scene.now }), 'deleted')
    assert.notEqual(await post(scene, await scene.queue(), { digest: 'after the deletion' }), 'conflict')
  })
}

function post({ storage, now }: Scene, queue: QueueHandle, { digest = 'digest' } = {}) {
  return storage.messages.append({
    queue,
    clientId: 'poster',
    messages: ['"one"', '"two"'].map((body) => ({ body, ttlSeconds: 3600, delaySeconds: 0 })),
    idempotency: { key: 'key', digest, expiresAt: now + 300_000 },
    now,
  })
}
