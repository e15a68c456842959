import assert from 'node:assert/strict'
import type { It } from './case.ts'

export function statsCases(it: It): void {
  it('an empty queue has no messages', async (scene) => {
    const queue = await scene.queue()
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
  })

  it('free and claimed messages are counted, delayed ones as free', async (scene) => {
    const queue = await scene.queue()
    const first = await scene.postOne(queue, 'first')
    await scene.post(queue, 'second', 'third')
    const last = await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
    const claim = await scene.claim(queue, { limit: 2 })
    const { free, claimed, oldest, newest } = await scene.stats(queue)
    assert.deepEqual({ free, claimed }, { free: 2, claimed: 2 })
    assert.deepEqual(oldest, await scene.getOne(queue, first))
    assert.equal(oldest?.claimId, claim.id)
    assert.deepEqual(newest, await scene.getOne(queue, last))
  })

  it('delayed messages are counted where that is asked for, and not beyond', async (scene) => {
    const queue = await scene.queue()
    const delayed = async (most?: number) => (await scene.stats(queue, most)).delayed
    await scene.post(queue, 'ready')
    assert.equal(await delayed(10), 0)
    await scene.postWith(queue, { delaySeconds: 60 }, 'a', 'b', 'c')
    await scene.postWith(queue, { delaySeconds: 90, ttlSeconds: 100 }, 'd')
    assert.deepEqual([await delayed(10), await delayed(4), await delayed(3), await delayed(0)], [4, 4, 3, 0])
    assert.equal(await delayed(), undefined)
    scene.passAlmost(60)
    assert.equal(await delayed(10), 4)
    scene.clock.advance(1)
    assert.equal(await delayed(10), 1)
    await scene.storage.messages.purge({ queue, now: scene.now })
    assert.equal(await delayed(10), 0)
  })

  it('stats follow every way in which messages come, change and go', async (scene) => {
    const queue = await scene.queue()
    const counts = async () => {
      const { free, claimed } = await scene.stats(queue)
      return [free, claimed]
    }
    const [first, second] = await scene.postWith(queue, { ttlSeconds: 1000 }, 'a', 'b', 'c', 'd', 'e')
    assert(first && second)
    const claim = await scene.claim(queue, { limit: 3, ttlSeconds: 100 })
    assert.deepEqual(await counts(), [2, 3])
    await scene.delete(queue, first, claim.id)
    assert.deepEqual(await counts(), [2, 2])
    await scene.deleteMany(queue, [second])
    assert.deepEqual(await counts(), [2, 1])
    await scene.pop(queue, 1)
    assert.deepEqual(await counts(), [1, 1])
    scene.passAlmost(100)
    assert.deepEqual(await counts(), [1, 1])
    scene.clock.advance(1)
    assert.deepEqual(await counts(), [2, 0])
    const another = await scene.claim(queue, { limit: 1, ttlSeconds: 10 })
    await scene.release(queue, another.id)
    assert.deepEqual(await counts(), [2, 0])
    scene.pass(900)
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
  })

  it('oldest and newest move on as messages expire and are deleted', async (scene) => {
    const queue = await scene.queue()
    await scene.postOne(queue, 'a', { ttlSeconds: 10 })
    const second = await scene.postOne(queue, 'b')
    const third = await scene.postOne(queue, 'c')
    await scene.postOne(queue, 'd', { ttlSeconds: 10 })
    scene.pass(10)
    const both = await scene.stats(queue)
    assert.deepEqual([both.oldest?.id, both.newest?.id], [second, third])
    await scene.delete(queue, third)
    const one = await scene.stats(queue)
    assert.deepEqual([one.oldest?.id, one.newest?.id], [second, second])
  })
}
