import assert from 'node:assert/strict'
import { idsOf, wordsOf } from '../scene.ts'
import type { It } from './case.ts'

/** One example for each guarantee that an engine can show by itself. `Bounded` is for benches; see `fillQueue`. */
export function guaranteeCases(it: It): void {
  it.needing('survivesReopen', 'Durable: an answered POST is there after a reopening', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.clients.reopen()
    assert.deepEqual(await scene.listed(queue), ['a', 'b'])
  })

  it('Atomic: nobody sees a part of a POST', async (scene) => {
    const queue = await scene.queue()
    const words = Array.from({ length: 50 }, (_, n) => `${n}`)
    const posting = scene.post(queue, ...words)
    const seen = await Promise.all(Array.from({ length: 20 }, () => scene.listed(queue)))
    await posting
    for (const listed of seen) assert([0, words.length].includes(listed.length), `${listed.length} of ${words.length}`)
  })

  it('FIFO: listing, claiming and popping go in the order of POSTs', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.post(queue, 'c')
    await scene.post(queue, 'd', 'e')
    assert.deepEqual(await scene.listed(queue), ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(await scene.pop(queue, 2), ['a', 'b'])
    assert.deepEqual(await scene.claimed(queue), ['c', 'd', 'e'])
  })

  it('No skip: who follows markers meets what is posted, becomes visible or moves here later, once', async (scene) => {
    const [queue, source] = [await scene.queue(), await scene.queue('source')]
    const met: string[] = []
    let after: string | null = null
    const follow = async () => {
      const page = await scene.list(queue, { after })
      met.push(...wordsOf(page.messages))
      after = page.marker ?? after
    }
    await scene.postWith(queue, { delaySeconds: 10 }, 'delayed')
    await scene.post(queue, 'a')
    await scene.post(source, 'moved')
    await follow()
    await scene.post(queue, 'b')
    scene.pass(10)
    await follow()
    await scene.tryClaim(source, { deadLetter: { queue: 'jobs', maxClaimCount: 0, ttlSeconds: null } })
    await follow()
    await follow()
    assert.deepEqual(met, ['a', 'b', 'delayed', 'moved'])
  })

  it('Exclusive: claims made together share nothing, and ended ones give back to the old places', async (scene) => {
    const queue = await scene.queue()
    const words = Array.from({ length: 20 }, (_, n) => `${n}`)
    await scene.post(queue, ...words)
    const claims = await Promise.all(Array.from({ length: 10 }, () => scene.claim(queue, { limit: 2, ttlSeconds: 60 })))
    const ids = claims.flatMap((claim) => idsOf(claim.messages))
    assert.equal(new Set(ids).size, 20)
    assert.equal(await scene.tryClaim(queue), null)
    scene.pass(60)
    assert.deepEqual(await scene.claimed(queue), words)
  })

  it('Exact time: message, claim, delay and subscription change at their very instants', async (scene) => {
    const queue = await scene.queue()
    const { storage } = scene
    await scene.postWith(queue, { ttlSeconds: 60 }, 'message')
    await scene.post(queue, 'claimed')
    const claim = await scene.claim(queue, { limit: 2, ttlSeconds: 60, graceSeconds: 0 })
    await scene.postWith(queue, { delaySeconds: 60 }, 'delayed')
    const subscription = { queue, id: 's', subscriber: 'http://one.example/', ttlSeconds: 60, options: '{}' }
    await storage.subscriptions.create({ ...subscription, isListening: true, vault: null, now: scene.now })
    const seen = async () => [
      await scene.listed(queue),
      (await scene.getClaim(queue, claim.id)) !== null,
      (await storage.subscriptions.get({ queue: queue, id: 's', now: scene.now })) !== null,
    ]
    scene.passAlmost(60)
    assert.deepEqual(await seen(), [[], true, true])
    scene.clock.advance(1)
    assert.deepEqual(await seen(), [['claimed', 'delayed'], false, false])
  })

  it('Isolated: an id of one project is worth nothing in another', async (scene) => {
    const [mine, yours] = [await scene.queue(), await scene.queue('jobs', { project: 'beta' })]
    const id = await scene.postOne(mine, 'secret')
    assert.deepEqual(await scene.get(yours, id), [])
    assert.equal(await scene.delete(yours, id), 'absent')
    assert.deepEqual(await scene.listed(mine), ['secret'])
  })
}
