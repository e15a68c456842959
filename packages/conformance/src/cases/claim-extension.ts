import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import type { It } from './case.ts'

export function claimExtensionCases(it: It): void {
  it('a message that would expire before its claim lives for claim ttl + grace from now on', async (scene) => {
    const queue = await scene.queue()
    const { now } = scene
    const id = await scene.postOne(queue, 'a', { ttlSeconds: 60 })
    scene.pass(10)
    const claim = await scene.claim(queue, { ttlSeconds: 100, graceSeconds: 30 })
    assert.deepEqual([claim.messages[0]?.ttlSeconds, claim.messages[0]?.createdAt], [130, now])
    scene.passAlmost(130)
    assert.equal((await scene.getOne(queue, id)).ttlSeconds, 130)
    scene.clock.advance(1)
    assert.deepEqual(await scene.get(queue, id), [])
  })

  it('one that expires with the claim or after it is left alone', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { ttlSeconds: 100 }, 'with it')
    await scene.postWith(queue, { ttlSeconds: 101 }, 'after it')
    const { messages } = await scene.claim(queue, { ttlSeconds: 100, graceSeconds: 60 })
    assert.deepEqual(
      messages.map((message) => message.ttlSeconds),
      [100, 101],
    )
    scene.pass(100)
    assert.deepEqual(await scene.listed(queue), ['after it'])
    scene.pass(1)
    assert.deepEqual(await scene.listed(queue), [])
  })

  it('one millisecond decides', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { ttlSeconds: 100 }, 'a')
    scene.clock.advance(1)
    const { messages } = await scene.claim(queue, { ttlSeconds: 100, graceSeconds: 0 })
    assert.equal(messages[0]?.ttlSeconds, 100)
    scene.passAlmost(100)
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true }), ['a'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true }), [])
  })

  it('the longer life outlives the release of the claim', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { ttlSeconds: 60 }, 'a')
    const { id } = await scene.claim(queue, { ttlSeconds: 100, graceSeconds: 30 })
    await scene.release(queue, id)
    scene.passAlmost(130)
    assert.deepEqual(await scene.listed(queue), ['a'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(queue), [])
  })

  it('a renewal lengthens what is left in the claim, and only that', async (scene) => {
    const queue = await scene.queue()
    const [a, b] = await scene.postWith(queue, { ttlSeconds: 60 }, 'a', 'b')
    assert(a && b)
    const { id } = await scene.claim(queue, { limit: 1, ttlSeconds: 50, graceSeconds: 0 })
    scene.pass(40)
    assert.equal(await scene.renew(queue, id, 50, 5), true)
    assert.equal((await scene.getOne(queue, a)).ttlSeconds, 55)
    assert.equal((await scene.getOne(queue, b)).ttlSeconds, 60)
    scene.pass(20)
    assert.deepEqual(await scene.get(queue, b), [])
    scene.passAlmost(35)
    await scene.getOne(queue, a)
    scene.clock.advance(1)
    assert.deepEqual(await scene.get(queue, a), [])
  })

  it('a renewed claim keeps its messages to its end', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { ttlSeconds: 60 }, 'a')
    const { id } = await scene.claim(queue, { ttlSeconds: 60, graceSeconds: 0 })
    scene.pass(30)
    assert.equal(await scene.renew(queue, id, 60, 0), true)
    scene.passAlmost(60)
    assert.equal((await scene.getClaim(queue, id))?.messages.length, 1)
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(queue), [])
  })

  it('a stale handle lengthens nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { ttlSeconds: 60 }, 'a')
    const { id } = await scene.claim(queue, { ttlSeconds: 60, graceSeconds: 0 })
    scene.pass(30)
    await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    const terms = { queue, claimId: id, ttlSeconds: 60, graceSeconds: 0, now: scene.now }
    assert.equal(await scene.storage.claims.renew(terms), STALE)
    scene.pass(30)
    assert.deepEqual(await scene.listed(await scene.queue(), { includeClaimed: true }), [])
  })
}
