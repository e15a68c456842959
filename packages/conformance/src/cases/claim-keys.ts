import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { idsOf, wordsOf } from '../scene.ts'
import type { It } from './case.ts'
import { finishedOf } from './exchange.ts'

const key = 'attempt-1'

/** A request for a claim whose answer was lost is made again, with the same key. */
export function claimKeyCases(it: It): void {
  it('a repeated claim is the same one, and takes nothing more', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { key, limit: 2 })
    assert.deepEqual(await scene.claim(queue, { key, limit: 2 }), claim)
    assert.deepEqual(await scene.getClaim(queue, claim.id), claim)
    assert.deepEqual(await scene.listed(queue), ['c'])
  })

  it('it is answered as it is, whatever the terms of the repetition', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { key, limit: 2, ttlSeconds: 60 })
    scene.pass(10)
    const terms = { key, limit: 1, ttlSeconds: 600, graceSeconds: 600 }
    assert.deepEqual(await scene.claim(queue, terms), claim)
    scene.passAlmost(50)
    assert.deepEqual(await scene.claim(queue, terms), claim)
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(queue), ['a', 'b', 'c'])
  })

  it('it is answered where nothing else is left to claim', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const claim = await scene.claim(queue, { key })
    assert.deepEqual(await scene.claim(queue, { key }), claim)
  })

  it('it holds what is left of it, renewed or not', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { key, limit: 2 })
    const [a] = idsOf(claim.messages)
    await scene.delete(queue, a as string, claim.id)
    scene.pass(10)
    assert.equal(await scene.renew(queue, claim.id, 400), true)
    const repeated = await scene.claim(queue, { key })
    assert.deepEqual(repeated, await scene.getClaim(queue, claim.id))
    assert.deepEqual([repeated.ttlSeconds, repeated.renewedAt], [400, scene.now])
    assert.deepEqual(wordsOf(repeated.messages), ['b'])
  })

  it('a claim that has ended, was released, or holds nothing any more is not found; the next one is', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const ended = await scene.claim(queue, { key, limit: 1, ttlSeconds: 60 })
    scene.pass(60)
    const released = await scene.claim(queue, { key, limit: 1 })
    assert.notEqual(released.id, ended.id)
    assert.deepEqual(await scene.claim(queue, { key }), released)
    await scene.release(queue, released.id)
    const emptied = await scene.claim(queue, { key, limit: 1 })
    assert.deepEqual(
      emptied.messages.map(({ claimCount }) => claimCount),
      [3],
    )
    await scene.deleteMany(queue, idsOf(emptied.messages))
    const last = await scene.claim(queue, { key })
    assert.deepEqual(wordsOf(last.messages), ['b'])
    assert.deepEqual(await scene.claim(queue, { key }), last)
    await scene.deleteMany(queue, idsOf(last.messages))
    assert.equal(await scene.tryClaim(queue, { key }), null)
  })

  it('a claim that found nothing leaves no trace', async (scene) => {
    const queue = await scene.queue()
    assert.equal(await scene.tryClaim(queue, { key }), null)
    await scene.post(queue, 'a')
    const claim = await scene.claim(queue, { key })
    assert.deepEqual(wordsOf(claim.messages), ['a'])
    assert.deepEqual(await scene.claim(queue, { key }), claim)
  })

  it('other keys, and none, make other claims', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, ...'abcd')
    const first = await scene.claim(queue, { key, limit: 1 })
    const others = [
      await scene.claim(queue, { limit: 1 }),
      await scene.claim(queue, { limit: 1 }),
      await scene.claim(queue, { key: 'Attempt-1', limit: 1 }),
    ]
    assert.deepEqual(
      others.map(({ messages }) => wordsOf(messages)),
      [['b'], ['c'], ['d']],
    )
    assert.deepEqual(await scene.claim(queue, { key }), first)
  })

  it('a key may be long, and hold what a text can hold', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, ...'abcd')
    for (const key of ['k'.repeat(255), '\u{1F600}'.repeat(63), ' ', `'"\\\n`]) {
      const claim = await scene.claim(queue, { key, limit: 1 })
      assert.deepEqual(await scene.claim(queue, { key, limit: 1 }), claim)
    }
    assert.deepEqual(await scene.listed(queue), [])
  })

  it('keys are of one queue, and go with its messages', async (scene) => {
    const queue = await scene.queue()
    const other = await scene.queue('other')
    await scene.post(queue, 'a')
    await scene.post(other, 'b')
    const claim = await scene.claim(queue, { key })
    assert.deepEqual(await scene.claimed(other, { key }), ['b'])
    const updated = await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    assert(updated !== STALE)
    const terms = { key, limit: 1, ttlSeconds: 60, graceSeconds: 60, deadLetter: null, now: scene.now }
    assert.equal(await scene.storage.claims.create({ queue, ...terms }), STALE)
    assert.deepEqual(await scene.claim(updated, { key }), claim)
    assert.equal(await scene.storage.messages.purge({ queue: updated, now: scene.now }), 'purged')
    await scene.post(updated, 'after the purge')
    assert.deepEqual(await scene.claimed(updated, { key }), ['after the purge'])
    assert.equal(await scene.storage.queues.delete({ queue: updated, now: scene.now }), 'deleted')
    const next = await scene.queue()
    await scene.post(next, 'after the deletion')
    assert.deepEqual(await scene.claimed(next, { key }), ['after the deletion'])
  })

  it('a repetition buries nothing', async (scene) => {
    const queue = await scene.queue()
    const letters = await scene.queue('letters')
    await scene.post(queue, 'a', 'b')
    const claim = await scene.claim(queue, { key, limit: 1 })
    await scene.release(queue, (await scene.claim(queue)).id)
    const deadLetter = { queue: 'letters', maxClaimCount: 1, ttlSeconds: null }
    assert.deepEqual(await scene.claim(queue, { key, deadLetter }), claim)
    assert.deepEqual(await scene.listed(queue), ['b'])
    assert.deepEqual(await scene.listed(letters), [])
  })

  it('repetitions that arrive together are one claim', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, ...'abcdef')
    const claims = await Promise.all(Array.from({ length: 20 }, () => scene.claim(queue, { key, limit: 2 })))
    for (const claim of claims) assert.deepEqual(claim, claims[0])
    assert.deepEqual(await scene.listed(queue), [...'cdef'])
  })

  it('a repeated exchange finds what it finished gone, and what it took', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c', 'd')
    const finished = finishedOf(await scene.claim(queue, { limit: 2 }))
    const first = await scene.exchange(queue, finished, { key, limit: 1 })
    assert('claim' in first && first.claim)
    assert.deepEqual([wordsOf(first.claim.messages), first.gone], [['c'], []])
    const gone = finished.map(({ id }) => id)
    assert.deepEqual(await scene.exchange(queue, finished, { key, limit: 1 }), { claim: first.claim, gone })
    assert.deepEqual(await scene.claim(queue, { key }), first.claim)
    assert.deepEqual(await scene.listed(queue), ['d'])
  })

  it('an exchange removes what is finished also where its key finds a claim', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, ...'abcd')
    const [other, claim] = [await scene.claim(queue, { limit: 1 }), await scene.claim(queue, { key, limit: 2 })]
    const finished = [...finishedOf(other), ...finishedOf(claim).slice(0, 1)]
    const answer = await scene.exchange(queue, finished, { key })
    assert('claim' in answer)
    assert.deepEqual(answer, { claim: await scene.getClaim(queue, claim.id), gone: [] })
    assert.deepEqual(wordsOf(answer.claim?.messages ?? []), ['c'])
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true }), ['c', 'd'])
  })

  it('an exchange that finishes all that the claim of its key holds takes anew', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const claim = await scene.claim(queue, { key, limit: 1 })
    const answer = await scene.exchange(queue, finishedOf(claim), { key })
    assert('claim' in answer && answer.claim)
    assert.notEqual(answer.claim.id, claim.id)
    assert.deepEqual(wordsOf(answer.claim.messages), ['b'])
    assert.deepEqual(await scene.claim(queue, { key }), answer.claim)
  })

  it('an exchange does nothing where something is kept, whatever its key finds', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const [other, claim] = [await scene.claim(queue, { limit: 1 }), await scene.claim(queue, { key, limit: 1 })]
    const finished = [...finishedOf(claim), ...finishedOf(other).map(({ id }) => ({ id, claimId: claim.id }))]
    assert.deepEqual(await scene.exchange(queue, finished, { key }), { kept: idsOf(other.messages) })
    assert.deepEqual(await scene.claim(queue, { key }), claim)
  })
}
