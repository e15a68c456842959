import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { idsOf } from '../scene.ts'
import type { It } from './case.ts'

export function deleteCases(it: It): void {
  it('a deleted message is gone', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    await scene.post(queue, 'b')
    assert.equal(await scene.delete(queue, id), 'deleted')
    assert.equal(await scene.delete(queue, id), 'absent')
    assert.deepEqual(await scene.get(queue, id), [])
    assert.deepEqual(await scene.listed(queue), ['b'])
  })

  it('a delayed message can be deleted', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a', { delaySeconds: 60 })
    assert.equal(await scene.delete(queue, id), 'deleted')
    scene.pass(60)
    assert.deepEqual(await scene.listed(queue), [])
  })

  it('a claimed message goes only with its claim', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const first = await scene.claim(queue, { limit: 1 })
    const second = await scene.claim(queue, { limit: 1 })
    const [id = ''] = idsOf(first.messages)
    assert.equal(await scene.delete(queue, id), 'held')
    assert.equal(await scene.delete(queue, id, second.id), 'held')
    assert.equal(await scene.delete(queue, id, 'x'), 'claim-not-live')
    assert.equal(await scene.delete(queue, id, first.id), 'deleted')
    assert.equal(await scene.delete(queue, id, first.id), 'absent')
  })

  it('a claim without messages left is not live', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const [first, second] = [await scene.claim(queue, { limit: 1 }), await scene.claim(queue, { limit: 1 })]
    const [firstId = '', secondId = ''] = idsOf([...first.messages, ...second.messages])
    await scene.delete(queue, secondId, second.id)
    assert.equal(await scene.delete(queue, firstId, second.id), 'claim-not-live')
  })

  it('a claim id does not delete what that claim does not hold', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    assert.equal(await scene.delete(queue, id, 'x'), 'not-claimed')
    const released = await scene.claim(queue)
    await scene.release(queue, released.id)
    assert.equal(await scene.delete(queue, id, released.id), 'not-claimed')
    const ended = await scene.claim(queue, { ttlSeconds: 60 })
    scene.pass(60)
    assert.equal(await scene.delete(queue, id, ended.id), 'not-claimed')
    await scene.claim(queue)
    assert.equal(await scene.delete(queue, id, ended.id), 'claim-not-live')
    assert.equal(await scene.delete(queue, id, released.id), 'claim-not-live')
  })

  it('malformed ids name nothing', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    await scene.claim(queue)
    for (const malformed of malformedIds) {
      assert.equal(await scene.delete(queue, malformed), 'absent')
      assert.equal(await scene.delete(queue, malformed, malformed), 'absent')
      assert.equal(await scene.delete(queue, id, malformed), 'claim-not-live')
    }
  })

  it('a stale handle deletes nothing', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    const updated = await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    assert(updated !== STALE)
    assert.equal(await scene.storage.messages.delete({ queue, id, claimId: null, now: scene.now }), STALE)
    assert.deepEqual(await scene.listed(updated), ['a'])
  })
}
