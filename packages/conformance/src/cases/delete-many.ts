import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { idsOf } from '../scene.ts'
import type { It } from './case.ts'

export function deleteManyCases(it: It): void {
  it('messages of every state go; ids that name nothing are skipped', async (scene) => {
    const queue = await scene.queue()
    const other = await scene.queue('other')
    const foreign = await scene.postOne(other, 'foreign')
    const claimed = await scene.postOne(queue, 'claimed')
    await scene.claim(queue)
    const ready = await scene.postOne(queue, 'ready')
    const delayed = await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
    await scene.post(queue, 'stays')
    assert.deepEqual(await scene.deleteMany(queue, [claimed, 'x', ready, foreign, delayed, ready]), { deleted: 3 })
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true, includeDelayed: true }), ['stays'])
    assert.deepEqual(await scene.listed(other), ['foreign'])
    assert.deepEqual(await scene.deleteMany(queue, [...malformedIds]), { deleted: 0 })
  })

  it('with claims, all that exist must be held by one of them, or nothing goes', async (scene) => {
    const queue = await scene.queue()
    const ids = await scene.post(queue, 'a', 'b', 'c')
    const [a = '', b = '', c = ''] = ids
    const first = await scene.claim(queue, { limit: 1 })
    const second = await scene.claim(queue, { limit: 1 })
    assert.equal(await scene.deleteMany(queue, [a, c], [first.id, second.id]), 'held', 'one is not claimed')
    assert.equal(await scene.deleteMany(queue, [a, b], [first.id]), 'held', 'one is in another claim')
    assert.equal(await scene.deleteMany(queue, [a], []), 'held')
    assert.equal(await scene.deleteMany(queue, [a], ['x', '']), 'held')
    assert.deepEqual(idsOf(await scene.get(queue, ...ids)), ids)
    assert.deepEqual(await scene.deleteMany(queue, ['x', a, b], [second.id, 'x', first.id]), { deleted: 2 })
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true }), ['c'])
    assert.deepEqual(await scene.deleteMany(queue, [a, b], [first.id]), { deleted: 0 }, 'none of them exists')
  })

  it('a claim that has ended holds nothing', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    const { id: claimId } = await scene.claim(queue, { ttlSeconds: 60 })
    scene.pass(60)
    assert.equal(await scene.deleteMany(queue, [id], [claimId]), 'held')
    assert.deepEqual(await scene.listed(queue), ['a'])
  })

  it('a stale handle deletes nothing', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    const updated = await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    assert(updated !== STALE)
    assert.equal(await scene.storage.messages.deleteMany({ queue, ids: [id], claimIds: null, now: scene.now }), STALE)
    assert.deepEqual(await scene.listed(updated), ['a'])
  })
}
