import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { alteredIds, malformedIds } from '../malformed-ids.ts'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

export function claimListingCases(it: It): void {
  it('claims are listed in the order in which they were made, with what they hold and who made them', async (scene) => {
    const queue = await scene.queue()
    assert.deepEqual(await scene.claims(queue), { claims: [], marker: null })
    await scene.post(queue, ...'abcd')
    const first = await scene.claim(queue, { limit: 2, ttlSeconds: 600, clientId: 'ann' })
    scene.pass(5)
    const second = await scene.claim(queue, { limit: 1, ttlSeconds: 60, clientId: 'ben' })
    const third = await scene.claim(queue, { limit: 1 })
    assert.deepEqual(await scene.claims(queue), {
      claims: [
        { id: first.id, ttlSeconds: 600, renewedAt: scene.now - 5000, messages: 2, clientId: 'ann' },
        { id: second.id, ttlSeconds: 60, renewedAt: scene.now, messages: 1, clientId: 'ben' },
        { id: third.id, ttlSeconds: 300, renewedAt: scene.now, messages: 1, clientId: null },
      ],
      marker: null,
    })
  })

  it('markers lead through all claims, each once, and past the last one to nothing', async (scene) => {
    const queue = await scene.queue()
    const ids = await claimEach(scene, 5)
    assert.deepEqual(
      await pagesOf(scene, 1),
      ids.map((id) => [id]),
    )
    assert.deepEqual(await pagesOf(scene, 2), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    assert.deepEqual(await pagesOf(scene, 5), [ids])
    assert.deepEqual(await scene.claims(queue, { after: ids.at(-1) as string }), { claims: [], marker: null })
  })

  it('a listing goes on behind a claim that has ended, was released or finished', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const ended = await scene.claim(queue, { ttlSeconds: 60 })
    scene.pass(60)
    const [released, finished, left] = await claimEach(scene, 3)
    await scene.release(queue, released as string)
    const [message] = (await scene.getClaim(queue, finished as string))?.messages ?? []
    await scene.delete(queue, message?.id as string, finished)
    for (const after of [null, ended.id, released as string, finished as string]) {
      assert.deepEqual(await listedIds(scene, after), [left])
    }
    assert.deepEqual(await listedIds(scene, left as string), [])
  })

  it('what names no claim of the queue is no place to begin behind', async (scene) => {
    const queue = await scene.queue()
    const [id] = (await claimEach(scene, 1)) as [string]
    const other = await scene.queue('other')
    await scene.post(other, 'theirs')
    const { id: theirs } = await scene.claim(other)
    for (const after of [theirs, ...malformedIds, ...alteredIds(id)]) {
      assert.deepEqual(
        (await scene.claims(queue, { after })).claims.map((one) => one.id),
        [id],
      )
    }
  })

  it('a claim is listed until its very end, as it was renewed last', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const { id } = await scene.claim(queue, { ttlSeconds: 60, clientId: 'ann' })
    scene.passAlmost(60)
    assert.equal(await scene.renew(queue, id, 120), true)
    const renewed = { id, ttlSeconds: 120, renewedAt: scene.now, messages: 1, clientId: 'ann' }
    scene.passAlmost(120)
    assert.deepEqual((await scene.claims(queue)).claims, [renewed])
    scene.clock.advance(1)
    assert.deepEqual(await scene.claims(queue), { claims: [], marker: null })
  })

  it('messages that were deleted do not count, and with the last one the claim is gone', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, ...'abc')
    const claim = await scene.claim(queue)
    const [a, b, c] = claim.messages.map(({ id }) => id) as [string, string, string]
    await scene.delete(queue, a, claim.id)
    assert.deepEqual(
      (await scene.claims(queue)).claims.map(({ messages }) => messages),
      [2],
    )
    await scene.deleteMany(queue, [b])
    assert.deepEqual(
      (await scene.claims(queue)).claims.map(({ messages }) => messages),
      [1],
    )
    await scene.exchange(queue, [{ id: c, claimId: claim.id }])
    assert.deepEqual(await scene.claims(queue), { claims: [], marker: null })
  })

  it('who finishes and takes holds the claim; who repeats a request does not', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.exchange(queue, [], { clientId: 'ann', key: 'k', limit: 1 })
    await scene.claim(queue, { clientId: 'ben', key: 'k' })
    assert.deepEqual(
      (await scene.claims(queue)).claims.map(({ clientId }) => clientId),
      ['ann'],
    )
  })

  it('claims of another queue or project, and those of before a purge or a deletion, are not listed', async (scene) => {
    const queue = await scene.queue()
    await claimEach(scene, 2)
    for (const other of [await scene.queue('other'), await scene.queue('jobs', { project: 'beta' })]) {
      assert.deepEqual(await scene.claims(other), { claims: [], marker: null })
    }
    await scene.storage.messages.purge({ queue, now: scene.now })
    assert.deepEqual(await scene.claims(queue), { claims: [], marker: null })
    await claimEach(scene, 1)
    await scene.storage.queues.delete({ queue, now: scene.now })
    assert.equal(await scene.storage.claims.list({ queue, after: null, limit: 10, now: scene.now }), STALE)
    assert.deepEqual(await scene.claims(await scene.queue()), { claims: [], marker: null })
  })

  it.needing('survivesReopen', 'claims are listed as before, with who made them', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.claim(queue, { limit: 1, clientId: 'ann' })
    await scene.claim(queue, { limit: 1 })
    const before = await scene.claims(queue)
    await scene.clients.reopen()
    assert.deepEqual(await scene.claims(queue), before)
  })
}

/** So many claims of the queue `jobs`, of a message each. Answers their ids. */
async function claimEach(scene: Scene, count: number): Promise<string[]> {
  const queue = await scene.queue()
  await scene.post(queue, ...Array.from({ length: count }, (_, n) => String(n)))
  const ids: string[] = []
  while (ids.length < count) ids.push((await scene.claim(queue, { limit: 1 })).id)
  return ids
}

async function pagesOf(scene: Scene, limit: number): Promise<string[][]> {
  const queue = await scene.queue()
  const pages: string[][] = []
  for (let after: string | null = null; ; ) {
    const { claims, marker } = await scene.claims(queue, { after, limit })
    pages.push(claims.map(({ id }) => id))
    if (marker === null) return pages
    after = marker
  }
}

async function listedIds(scene: Scene, after: string | null): Promise<string[]> {
  const { claims } = await scene.claims(await scene.queue(), { after })
  return claims.map(({ id }) => id)
}
