import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { fresh } from '../scene.ts'
import type { It } from './case.ts'

export function popCases(it: It): void {
  it('the oldest visible unclaimed messages are removed and answered', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'claimed')
    await scene.claim(queue)
    await scene.postWith(queue, { ttlSeconds: 10 }, 'expired')
    await scene.postWith(queue, { delaySeconds: 60 }, 'delayed')
    await scene.post(queue, 'a', 'b', 'c')
    scene.pass(10)
    assert.deepEqual(await scene.pop(queue, 2), ['a', 'b'])
    assert.deepEqual(await scene.pop(queue, 2), ['c'])
    assert.deepEqual(await scene.pop(queue, 2), [])
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true, includeDelayed: true }), ['claimed', 'delayed'])
  })

  it('what is popped shows no claim and its claim count', async (scene) => {
    const queue = await scene.queue()
    const { now } = scene
    const id = await scene.postOne(queue, 'a')
    const claim = await scene.claim(queue)
    await scene.release(queue, claim.id)
    const popped = fresh(await scene.storage.messages.pop({ queue, limit: 1, deadLetter: null, now }))
    assert.deepEqual(popped, [
      { id, body: '"a"', ttlSeconds: 3600, createdAt: now, clientId: 'poster', claimId: null, claimCount: 1 },
    ])
    assert.deepEqual(await scene.get(queue, id), [])
  })

  it('a stale handle pops nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const updated = await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    assert(updated !== STALE)
    assert.equal(await scene.storage.messages.pop({ queue, limit: 1, deadLetter: null, now: scene.now }), STALE)
    assert.deepEqual(await scene.listed(updated), ['a'])
  })
}
