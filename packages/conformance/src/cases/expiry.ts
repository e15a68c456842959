import assert from 'node:assert/strict'
import type { It } from './case.ts'

export function expiryCases(it: It): void {
  it('a message is there until the last millisecond and gone at its very instant', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a', { ttlSeconds: 60 })
    scene.passAlmost(60)
    assert.deepEqual(await scene.listed(queue), ['a'])
    assert.equal((await scene.get(queue, id)).length, 1)
    assert.equal((await scene.stats(queue)).free, 1)
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(queue), [])
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true, includeDelayed: true }), [])
    assert.deepEqual(await scene.get(queue, id), [])
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
    assert.equal(await scene.tryClaim(queue), null)
    assert.deepEqual(await scene.pop(queue), [])
    assert.equal(await scene.delete(queue, id), 'absent')
    assert.equal(await scene.deleteMany(queue, [id], []), 'deleted')
  })

  it('messages expire one by one, out of the middle of a queue', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { ttlSeconds: 30 }, 'a')
    await scene.postWith(queue, { ttlSeconds: 10 }, 'b')
    await scene.postWith(queue, { ttlSeconds: 20 }, 'c')
    scene.pass(10)
    assert.deepEqual(await scene.listed(queue), ['a', 'c'])
    scene.pass(10)
    assert.deepEqual(await scene.listed(queue), ['a'])
    assert.deepEqual(await scene.claimed(queue), ['a'])
  })

  it('a page is filled although expired messages stand before it', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { ttlSeconds: 10 }, ...Array.from({ length: 60 }, (_, n) => `expired ${n}`))
    await scene.post(queue, 'a', 'b', 'c')
    scene.pass(10)
    assert.deepEqual(await scene.listed(queue, { limit: 2 }), ['a', 'b'])
    assert.deepEqual(await scene.listed(queue, { limit: 2, includeDelayed: true }), ['a', 'b'])
    assert.deepEqual(await scene.claimed(queue, { limit: 2 }), ['a', 'b'])
  })

  it('the id of an expired message is still a marker', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const id = await scene.postOne(queue, 'b', { ttlSeconds: 10 })
    await scene.post(queue, 'c')
    scene.pass(100)
    assert.deepEqual(await scene.listed(queue, { after: id }), ['c'])
  })
}
