import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { alteredIds, malformedIds } from '../malformed-ids.ts'
import { wordsOf } from '../scene.ts'
import type { It } from './case.ts'

export function getCases(it: It): void {
  it('messages come in the order asked for, each once, and missing ones are left out', async (scene) => {
    const queue = await scene.queue()
    const [a, b, c] = await scene.post(queue, 'a', 'b', 'c')
    assert(a && b && c)
    await scene.delete(queue, b)
    assert.deepEqual(wordsOf(await scene.get(queue, c, b, a, c, 'x')), ['c', 'a'])
    assert.deepEqual(await scene.get(queue), [])
    assert.deepEqual(await scene.get(queue, b), [])
  })

  it('claimed and delayed messages can be got', async (scene) => {
    const queue = await scene.queue()
    const claimed = await scene.postOne(queue, 'claimed')
    const delayed = await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
    const claim = await scene.claim(queue)
    const [first, second] = await scene.get(queue, claimed, delayed)
    assert.deepEqual([first?.claimId, first?.claimCount], [claim.id, 1])
    assert.deepEqual([second?.claimId, second?.claimCount], [null, 0])
  })

  it('a malformed id names nothing', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    assert.deepEqual(await scene.get(queue, ...malformedIds), [])
    assert.deepEqual(await scene.get(queue, ...alteredIds(id)), [])
  })

  it('a stale handle gets nothing', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    assert.equal(await scene.storage.messages.get({ queue, ids: [id], now: scene.now }), STALE)
  })
}
