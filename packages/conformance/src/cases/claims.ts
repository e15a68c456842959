import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { alteredIds, malformedIds } from '../malformed-ids.ts'
import { idsOf, wordsOf } from '../scene.ts'
import type { It } from './case.ts'

export function claimCases(it: It): void {
  it('a claim takes the oldest messages and says what it holds', async (scene) => {
    const queue = await scene.queue()
    const { now } = scene
    const ids = await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { limit: 2, ttlSeconds: 60 })
    const { id: claimId } = claim
    const common = { ttlSeconds: 3600, createdAt: now, clientId: 'poster', claimId, claimCount: 1 }
    assert.deepEqual(claim, {
      id: claimId,
      ttlSeconds: 60,
      renewedAt: now,
      messages: [
        { ...common, id: ids[0], body: '"a"' },
        { ...common, id: ids[1], body: '"b"' },
      ],
    })
    assert.deepEqual(await scene.getClaim(queue, claimId), claim)
  })

  it('claim ids are different, safe in a URL and without "=" or ","', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, ...'abcdefghij')
    const ids: string[] = []
    for (let n = 0; n < 10; n += 1) ids.push((await scene.claim(queue, { limit: 1 })).id)
    assert.equal(new Set(ids).size, 10)
    for (const id of ids) assert.match(id, /^[A-Za-z0-9_.~-]+$/)
  })

  it('nothing to claim is null: empty, all claimed, all delayed, all expired', async (scene) => {
    const queue = await scene.queue()
    assert.equal(await scene.tryClaim(queue), null)
    await scene.postWith(queue, { delaySeconds: 60 }, 'delayed')
    await scene.postWith(queue, { ttlSeconds: 1 }, 'expired')
    scene.pass(1)
    assert.equal(await scene.tryClaim(queue), null)
    await scene.post(queue, 'claimed')
    await scene.claim(queue)
    assert.equal(await scene.tryClaim(queue), null)
  })

  it('claims take what is free, past what others hold', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, ...'abcdef')
    const first = await scene.claim(queue, { limit: 2 })
    const second = await scene.claim(queue, { limit: 2 })
    assert.deepEqual(wordsOf(second.messages), ['c', 'd'])
    await scene.release(queue, first.id)
    assert.deepEqual(await scene.claimed(queue, { limit: 3 }), ['a', 'b', 'e'])
    assert.deepEqual(await scene.claimed(queue), ['f'])
    assert.deepEqual((await scene.getClaim(queue, second.id))?.messages, second.messages)
  })

  it('a claim ends at its very instant, and its messages are free at their old places', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { limit: 2, ttlSeconds: 60 })
    await scene.post(queue, 'd')
    scene.passAlmost(60)
    assert.deepEqual((await scene.getClaim(queue, claim.id))?.messages, claim.messages)
    assert.deepEqual(await scene.listed(queue), ['c', 'd'])
    scene.clock.advance(1)
    assert.equal(await scene.getClaim(queue, claim.id), null)
    assert.equal(await scene.renew(queue, claim.id), false)
    assert.deepEqual(await scene.listed(queue), ['a', 'b', 'c', 'd'])
    const [message] = await scene.get(queue, ...idsOf(claim.messages))
    assert.deepEqual([message?.claimId, message?.claimCount], [null, 1])
    assert.deepEqual(await scene.claimed(queue), ['a', 'b', 'c', 'd'])
  })

  it('a released claim is gone, and its messages are free at their old places with their claim counts', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const claim = await scene.claim(queue, { limit: 1 })
    await scene.post(queue, 'c')
    await scene.release(queue, claim.id)
    assert.equal(await scene.getClaim(queue, claim.id), null)
    assert.deepEqual(await scene.listed(queue), ['a', 'b', 'c'])
    const again = await scene.claim(queue)
    assert.deepEqual(
      again.messages.map(({ claimId, claimCount }) => [claimId, claimCount]),
      [
        [again.id, 2],
        [again.id, 1],
        [again.id, 1],
      ],
    )
    await scene.release(queue, claim.id)
    assert.deepEqual(
      await scene.getClaim(queue, again.id),
      again,
      'releasing an ended claim does nothing to the next one',
    )
  })

  it('a renewed claim ends its ttl after the renewal', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const { id } = await scene.claim(queue, { ttlSeconds: 60 })
    scene.passAlmost(60)
    const renewedAt = scene.now
    assert.equal(await scene.renew(queue, id, 100), true)
    scene.passAlmost(100)
    const claim = await scene.getClaim(queue, id)
    assert.deepEqual([claim?.ttlSeconds, claim?.renewedAt, claim?.messages.length], [100, renewedAt, 1])
    scene.clock.advance(1)
    assert.equal(await scene.getClaim(queue, id), null)
    assert.deepEqual(await scene.claimed(queue), ['a'])
  })

  it('a renewal may shorten a claim', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const { id } = await scene.claim(queue, { ttlSeconds: 1000 })
    assert.equal(await scene.renew(queue, id, 60), true)
    scene.pass(60)
    assert.deepEqual(await scene.claimed(queue), ['a'])
  })

  it('a claim whose messages were all deleted is gone', async (scene) => {
    const queue = await scene.queue()
    const [a, b] = await scene.post(queue, 'a', 'b')
    assert(a && b)
    const { id } = await scene.claim(queue)
    await scene.delete(queue, a, id)
    assert.deepEqual(wordsOf((await scene.getClaim(queue, id))?.messages ?? []), ['b'])
    await scene.deleteMany(queue, [b])
    assert.equal(await scene.getClaim(queue, id), null)
    assert.equal(await scene.renew(queue, id), false)
  })

  it('a malformed claim id names nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const claim = await scene.claim(queue)
    for (const malformed of [...malformedIds, ...alteredIds(claim.id)]) {
      assert.equal(await scene.getClaim(queue, malformed), null)
      assert.equal(await scene.renew(queue, malformed), false)
      await scene.release(queue, malformed)
    }
    assert.deepEqual(await scene.getClaim(queue, claim.id), claim)
  })

  it('claims outlive an update of the queue, which makes the handle stale', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const claim = await scene.claim(queue)
    const { storage, now } = scene
    const updated = await storage.queues.update({ queue, metadata: '{"changed": true}', now })
    assert(updated !== STALE)
    const terms = { ttlSeconds: 1, graceSeconds: 0, now }
    assert.equal(await storage.claims.create({ queue, limit: 1, deadLetter: null, ...terms }), STALE)
    assert.equal(await storage.claims.get({ queue, claimId: claim.id, now }), STALE)
    assert.equal(await storage.claims.renew({ queue, claimId: claim.id, ...terms }), STALE)
    assert.equal(await storage.claims.release({ queue, claimId: claim.id, now }), STALE)
    assert.deepEqual(await scene.getClaim(updated, claim.id), claim)
  })
}
