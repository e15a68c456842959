import assert from 'node:assert/strict'
import type { QueueHandle } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { fresh, type Scene } from '../scene.ts'
import type { It } from './case.ts'

export function redriveCases(it: It): void {
  it('dead letters go back to the end of the queue that they came from', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const { now } = scene
    const [a, b] = await bury(scene, queue, 'a', 'b')
    assert(a && b)
    scene.pass(10)
    await scene.post(queue, 'waiting')
    const { marker } = await scene.list(queue)
    assert.deepEqual(await scene.redrive(dead), [
      { id: a, queue: 'jobs' },
      { id: b, queue: 'jobs' },
    ])
    assert.deepEqual(await scene.listed(dead), [])
    assert.deepEqual(await scene.listed(queue), ['waiting', 'a', 'b'])
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['a', 'b'])
    assert.deepEqual(await scene.get(queue, a), [
      { id: a, body: '"a"', ttlSeconds: 3600, createdAt: now, clientId: 'poster', claimId: null, claimCount: 0 },
    ])
    assert.deepEqual(await scene.claimed(queue), ['waiting', 'a', 'b'])
  })

  it('the moment of expiry stays', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await bury(scene, queue, 'a')
    scene.pass(3000)
    await scene.redrive(dead)
    scene.passAlmost(600)
    assert.deepEqual(await scene.listed(queue), ['a'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(queue), [])
  })

  it('the oldest go first, up to the limit', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const ids = await bury(scene, queue, 'a', 'b', 'c')
    const moved = async (limit: number) => (await scene.redrive(dead, { limit })).map(({ id }) => id)
    assert.deepEqual(await moved(2), ids.slice(0, 2))
    assert.deepEqual(await moved(2), ids.slice(2))
    assert.deepEqual(await moved(2), [])
  })

  it('by ids only these go, in the order asked for, each once', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const [a, b, c] = await bury(scene, queue, 'a', 'b', 'c')
    assert(a && b && c)
    assert.deepEqual(await scene.redrive(dead, { ids: [...malformedIds, c, 'x', a, c], limit: 1 }), [
      { id: c, queue: 'jobs' },
      { id: a, queue: 'jobs' },
    ])
    assert.deepEqual(await scene.listed(dead), ['b'])
    assert.deepEqual(await scene.listed(queue), ['c', 'a'])
  })

  it('what was posted here, is claimed or has lost its old queue stays', async (scene) => {
    const [queue, dead, gone] = [await scene.queue(), await scene.queue('dead'), await scene.queue('gone')]
    const posted = await scene.postOne(dead, 'posted here')
    const delayed = await scene.postOne(dead, 'delayed', { delaySeconds: 60 })
    const [orphan = ''] = await bury(scene, gone, 'orphan')
    const [claimed = ''] = await bury(scene, queue, 'claimed')
    await scene.delete(dead, posted)
    const { id: claimId } = await scene.claim(dead)
    const free = await bury(scene, queue, 'free')
    await scene.storage.queues.delete({ queue: gone, now: scene.now })
    assert.deepEqual(await scene.redrive(dead, { ids: [delayed, orphan, claimed] }), [])
    assert.deepEqual(await scene.redrive(dead, { limit: 1 }), [{ id: free[0], queue: 'jobs' }])
    await scene.release(dead, claimId)
    await scene.post(dead, 'posted here')
    assert.deepEqual(await scene.redrive(dead), [{ id: claimed, queue: 'jobs' }])
    assert.deepEqual(await scene.listed(dead), ['orphan', 'posted here'])
    assert.deepEqual(await scene.listed(queue), ['free', 'claimed'])
  })

  it('each goes back to its own queue', async (scene) => {
    const [one, two, dead] = [await scene.queue('one'), await scene.queue('two'), await scene.queue('dead')]
    const [a = ''] = await bury(scene, one, 'a')
    const [b = ''] = await bury(scene, two, 'b')
    const [c = ''] = await bury(scene, one, 'c')
    assert.deepEqual(await scene.redrive(dead), [
      { id: a, queue: 'one' },
      { id: b, queue: 'two' },
      { id: c, queue: 'one' },
    ])
    assert.deepEqual(await scene.listed(one), ['a', 'c'])
    assert.deepEqual(await scene.listed(two), ['b'])
  })

  it('a message that went back counts its claims from the start', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await bury(scene, queue, 'a')
    const handled = await scene.claim(dead)
    await scene.release(dead, handled.id)
    await scene.redrive(dead)
    const policy = { queue: 'dead', maxClaimCount: 1, ttlSeconds: null }
    assert.deepEqual(await scene.claimed(queue, { deadLetter: policy }), ['a'])
    scene.pass(300)
    assert.equal(await scene.tryClaim(queue, { deadLetter: policy }), null)
    assert.equal((await scene.redrive(dead)).length, 1, 'and it can come and go again')
  })

  it('where messages came from is told, each queue once', async (scene) => {
    const { storage, now } = scene
    const [one, two, dead] = [await scene.queue('one'), await scene.queue('two'), await scene.queue('dead')]
    await scene.post(dead, 'own')
    const [a = ''] = await bury(scene, two, 'a')
    await bury(scene, one, 'b')
    await bury(scene, two, 'c')
    const origins = async (ids: string[] | null, limit = 10) =>
      new Set(fresh(await storage.messages.origins({ queue: dead, ids, limit, now })))
    assert.deepEqual(await origins(null), new Set(['one', 'two']))
    assert.deepEqual(await origins(null, 1), new Set(['two']))
    assert.deepEqual(await origins([a, ...malformedIds]), new Set(['two']))
    assert.deepEqual(await origins([]), new Set())
    await storage.queues.delete({ queue: two, now })
    assert.deepEqual(await origins(null), new Set(['one', 'two']), 'also of one that is gone')
  })

  it('a stale handle moves nothing', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await bury(scene, queue, 'a')
    const updated = await scene.storage.queues.update({ queue: dead, metadata: '{"changed": true}', now: scene.now })
    assert(updated !== STALE)
    assert.equal(await scene.storage.messages.redrive({ queue: dead, ids: null, limit: 1, now: scene.now }), STALE)
    assert.deepEqual(await scene.listed(updated), ['a'])
  })
}

/** Posts to the queue and has the messages moved to its dead letter queue. Answers their ids. */
async function bury(scene: Scene, queue: QueueHandle, ...words: readonly string[]): Promise<string[]> {
  const ids = await scene.post(queue, ...words)
  const deadLetter = { queue: 'dead', maxClaimCount: 0, ttlSeconds: null }
  assert.equal(await scene.tryClaim(queue, { deadLetter }), null)
  return ids
}
