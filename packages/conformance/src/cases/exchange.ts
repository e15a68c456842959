import assert from 'node:assert/strict'
import type { Claim } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { wordsOf } from '../scene.ts'
import type { It } from './case.ts'

/** Finish and take: what is done goes, and what is next comes, in one move. */
export function exchangeCases(it: It): void {
  it('what is finished is removed and what is next is claimed', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c', 'd')
    const first = await scene.claim(queue, { limit: 2 })
    const answer = await scene.exchange(queue, finishedOf(first), { limit: 1, ttlSeconds: 60 })
    assert('claim' in answer && answer.claim)
    assert.deepEqual(wordsOf(answer.claim.messages), ['c'])
    assert.deepEqual(answer.gone, [])
    assert.deepEqual(await scene.getClaim(queue, answer.claim.id), answer.claim)
    assert.equal(await scene.getClaim(queue, first.id), null)
    const { free, claimed } = await scene.stats(queue)
    assert.deepEqual([free, claimed], [1, 1])
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true }), ['c', 'd'])
  })

  it('finishing without anything left to take makes no claim', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const claim = await scene.claim(queue)
    assert.deepEqual(await scene.exchange(queue, finishedOf(claim)), { claim: null, gone: [] })
    assert.deepEqual(await scene.stats(queue), { free: 0, claimed: 0, oldest: null, newest: null })
  })

  it('a part of a claim can be finished, and the rest stays claimed', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { limit: 2 })
    const answer = await scene.exchange(queue, finishedOf(claim).slice(0, 1))
    assert('claim' in answer && answer.claim)
    assert.deepEqual(wordsOf(answer.claim.messages), ['c'])
    assert.deepEqual(wordsOf((await scene.getClaim(queue, claim.id))?.messages ?? []), ['b'])
  })

  it('messages of several claims are finished together', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const claims = [await scene.claim(queue, { limit: 1 }), await scene.claim(queue, { limit: 1 })]
    assert.deepEqual(await scene.exchange(queue, claims.flatMap(finishedOf)), { claim: null, gone: [] })
  })

  it('what was gone already is told apart, and stops nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { limit: 2 })
    const finished = finishedOf(claim)
    const [first = { id: '', claimId: '' }] = finished
    assert.equal(await scene.delete(queue, first.id, claim.id), 'deleted')
    const strangers = malformedIds.map((id) => ({ id, claimId: claim.id }))
    const answer = await scene.exchange(queue, [...finished, ...strangers, first])
    assert('claim' in answer && answer.claim)
    assert.deepEqual(wordsOf(answer.claim.messages), ['c'])
    assert.deepEqual(new Set(answer.gone), new Set([first.id, ...malformedIds]))
  })

  it('nothing happens when one of them is not held by the claim that is named', async (scene) => {
    const queue = await scene.queue()
    const ids = await scene.post(queue, 'a', 'b', 'c', 'free', 'more')
    const [mine, other] = [await scene.claim(queue, { limit: 1 }), await scene.claim(queue, { limit: 2 })]
    const free = { id: ids[3] ?? '', claimId: mine.id }
    const stolen = { id: ids[1] ?? '', claimId: mine.id }
    for (const wrong of [[free], [stolen], [free, stolen], malformedIds.map((claimId) => ({ ...stolen, claimId }))]) {
      const answer = await scene.exchange(queue, [...finishedOf(mine), ...wrong])
      assert('kept' in answer)
      assert.deepEqual(new Set(answer.kept), new Set(wrong.map(({ id }) => id)))
    }
    const { free: left, claimed } = await scene.stats(queue)
    assert.deepEqual([left, claimed], [2, 3])
    assert.deepEqual(await scene.getClaim(queue, mine.id), mine)
    assert.deepEqual(await scene.getClaim(queue, other.id), other)
  })

  it('a claim whose time is over holds nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const claim = await scene.claim(queue, { ttlSeconds: 60 })
    scene.passAlmost(60)
    const inTime = await scene.exchange(queue, [])
    assert.deepEqual(inTime, { claim: null, gone: [] })
    scene.clock.advance(1)
    assert.deepEqual(await scene.exchange(queue, finishedOf(claim)), { kept: claim.messages.map(({ id }) => id) })
    assert.deepEqual(await scene.claimed(queue), ['a'])
  })

  it('messages that were claimed too often move away on the way, as with a claim', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'often', 'done', 'next')
    const often = await scene.claim(queue, { limit: 1 })
    await scene.release(queue, often.id)
    const deadLetter = { queue: 'dead', maxClaimCount: 1, ttlSeconds: null }
    const claim = await scene.claim(queue, { limit: 1, deadLetter })
    assert.deepEqual(wordsOf(claim.messages), ['done'])
    await scene.release(queue, often.id)
    const answer = await scene.exchange(queue, finishedOf(claim), { deadLetter })
    assert('claim' in answer && answer.claim)
    assert.deepEqual(wordsOf(answer.claim.messages), ['next'])
    assert.deepEqual(await scene.listed(dead), ['often'])
  })

  it('a queue that has changed is stale, and nothing happens', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const claim = await scene.claim(queue, { limit: 1 })
    const { storage, now } = scene
    const updated = await storage.queues.update({ queue, metadata: '{"n": 1}', now })
    assert(updated !== STALE)
    const terms = { limit: 1, ttlSeconds: 60, graceSeconds: 60, deadLetter: null, now }
    assert.equal(await storage.claims.exchange({ queue, finished: finishedOf(claim), ...terms }), STALE)
    assert.deepEqual((await scene.stats(updated)).claimed, 1)
  })
}

export function finishedOf({ id: claimId, messages }: Claim): { id: string; claimId: string }[] {
  return messages.map(({ id }) => ({ id, claimId }))
}
