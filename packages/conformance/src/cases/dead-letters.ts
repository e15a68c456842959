import assert from 'node:assert/strict'
import type { DeadLetterPolicy, QueueHandle } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

const policy: DeadLetterPolicy = { queue: 'dead', maxClaimCount: 2, ttlSeconds: null }

export function deadLetterCases(it: It): void {
  it('a message that was claimed as often as allowed moves instead of being handed out', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const { now } = scene
    const id = await scene.postOne(queue, 'a', { ttlSeconds: 600 })
    assert.deepEqual(await claimAndLetEnd(scene, queue, policy), ['a'])
    assert.deepEqual(await claimAndLetEnd(scene, queue, policy), ['a'])
    assert.equal(await scene.tryClaim(queue, { deadLetter: policy }), null)
    assert.deepEqual(await scene.get(queue, id), [])
    assert.deepEqual(await scene.listed(queue, { includeClaimed: true }), [])
    assert.equal(await scene.delete(queue, id), 'absent')
    assert.deepEqual(await scene.get(dead, id), [
      { id, body: '"a"', ttlSeconds: 600, createdAt: now, claimId: null, claimCount: 0 },
    ])
    assert.deepEqual(await scene.listed(dead), ['a'])
    assert.deepEqual(await scene.claimed(dead), ['a'])
  })

  it('a released claim counts like one that ended', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a')
    for (let round = 0; round < 2; round += 1) {
      const { id } = await scene.claim(queue, { deadLetter: policy })
      await scene.release(queue, id)
    }
    assert.equal(await scene.tryClaim(queue, { deadLetter: policy }), null)
    assert.deepEqual(await scene.listed(dead), ['a'])
  })

  it('the claim goes on to the next messages', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a', 'b')
    for (let round = 0; round < 2; round += 1) await claimAndLetEnd(scene, queue, policy)
    await scene.post(queue, 'c', 'd', 'e')
    assert.deepEqual(await scene.claimed(queue, { limit: 2, deadLetter: policy }), ['c', 'd'])
    assert.deepEqual(await scene.listed(queue), ['e'])
    assert.deepEqual(await scene.listed(dead), ['a', 'b'])
  })

  it('a pop moves them likewise', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a')
    for (let round = 0; round < 2; round += 1) await claimAndLetEnd(scene, queue, policy)
    await scene.post(queue, 'b', 'c')
    assert.deepEqual(await scene.pop(queue, 1, { deadLetter: policy }), ['b'])
    assert.deepEqual(await scene.listed(queue), ['c'])
    assert.deepEqual(await scene.listed(dead), ['a'])
  })

  it('only messages that are met move', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a', 'b', 'c')
    const { messages } = await scene.claim(queue)
    scene.pass(300)
    const [first] = messages
    assert(first)
    await scene.delete(queue, first.id)
    await scene.post(queue, 'd')
    const once = { ...policy, maxClaimCount: 1 }
    assert.deepEqual(await scene.pop(queue, 1, { deadLetter: { ...policy, maxClaimCount: 3 } }), ['b'])
    assert.deepEqual(await scene.pop(queue, 1, { deadLetter: once }), ['d'])
    assert.deepEqual(await scene.listed(dead), ['c'])
  })

  it('a maximum of zero or less moves a message at its first claim', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a')
    assert.equal(await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0 } }), null)
    await scene.post(queue, 'b')
    assert.deepEqual(await scene.pop(queue, 1, { deadLetter: { ...policy, maxClaimCount: -1 } }), [])
    assert.deepEqual(await scene.listed(dead), ['a', 'b'])
  })

  it('a lowered maximum moves what was claimed more often', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a')
    for (let round = 0; round < 3; round += 1) await claimAndLetEnd(scene, queue, null)
    assert.equal(await scene.tryClaim(queue, { deadLetter: policy }), null)
    assert.deepEqual(await scene.listed(dead), ['a'])
  })

  it('a new ttl counts from the move; without one the moment of expiry stays', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.postWith(queue, { ttlSeconds: 100 }, 'kept')
    scene.pass(50)
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0 } })
    await scene.postWith(queue, { ttlSeconds: 1000 }, 'renewed')
    scene.pass(10)
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0, ttlSeconds: 60 } })
    const { messages } = await scene.list(dead)
    assert.deepEqual(
      messages.map((message) => message.ttlSeconds),
      [100, 60],
    )
    scene.passAlmost(40)
    assert.deepEqual(await scene.listed(dead), ['kept', 'renewed'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(dead), ['renewed'])
    scene.passAlmost(20)
    assert.deepEqual(await scene.listed(dead), ['renewed'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(dead), [])
  })

  it('a missing dead letter queue is not created, and has its messages when somebody creates it', async (scene) => {
    const queue = await scene.queue()
    const bury = { deadLetter: { ...policy, maxClaimCount: 0 } }
    const [id = ''] = await scene.postWith(queue, { ttlSeconds: 100 }, 'a', 'b')
    await scene.postWith(queue, { ttlSeconds: 10 }, 'expires')
    await scene.tryClaim(queue, bury)
    scene.pass(10)
    await scene.post(queue, 'c')
    await scene.tryClaim(queue, bury)
    const { storage, now } = scene
    const key = { project: queue.project, kind: queue.kind, name: 'dead' }
    assert.equal(await storage.queues.get({ key, now }), null)
    assert.equal(await storage.queues.stats({ key, now }), null)
    assert.equal(await storage.queues.count({ ...key, now }), 1)
    const { created, queue: dead } = await storage.queues.create({ key, metadata: { colour: 'black' }, now })
    assert.equal(created, true)
    await scene.post(dead, 'd')
    assert.deepEqual(dead.metadata, { colour: 'black' })
    assert.deepEqual(await scene.listed(dead), ['a', 'b', 'c', 'd'])
    assert.equal((await scene.stats(dead)).free, 4)
    assert.equal((await scene.getOne(dead, id)).ttlSeconds, 100)
    assert.deepEqual(await scene.claimed(dead), ['a', 'b', 'c', 'd'])
  })

  it('messages that wait for their dead letter queue stay when somebody purges or deletes the missing queue', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0 } })
    const key = { project: queue.project, kind: queue.kind, name: 'dead' }
    await scene.storage.messages.purge({ key, now: scene.now })
    await scene.storage.queues.delete({ key, now: scene.now })
    assert.deepEqual(await scene.listed(await scene.queue('dead')), ['a'])
  })

  it('a dead letter queue that was deleted counts as missing', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const bury = { deadLetter: { ...policy, maxClaimCount: 0 } }
    await scene.post(queue, 'before')
    await scene.tryClaim(queue, bury)
    await scene.storage.queues.delete({ key: dead, now: scene.now })
    await scene.post(queue, 'after')
    await scene.tryClaim(queue, bury)
    assert.deepEqual(await scene.listed(await scene.queue('dead')), ['after'])
  })

  it('moved messages stand at the end of the dead letter queue', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'moved first', 'moved second')
    scene.pass(1)
    await scene.post(dead, 'already there')
    await scene.postWith(dead, { delaySeconds: 60 }, 'delayed')
    const place = await scene.list(dead)
    const posting = await scene.list(dead, { includeDelayed: true })
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0 } })
    await scene.post(dead, 'later')
    const behind = ['moved first', 'moved second', 'later']
    assert.deepEqual(await scene.listed(dead), ['already there', ...behind])
    assert.deepEqual(await scene.listed(dead, { after: place.marker }), behind)
    assert.deepEqual(await scene.listed(dead, { after: posting.marker, includeDelayed: true }), behind)
  })

  it('they still show who posted them', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.postWith(queue, { clientId: 'ada' }, 'a')
    await scene.postWith(queue, { clientId: 'bob' }, 'b')
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0 } })
    assert.deepEqual(await scene.listed(dead, { hideClientId: 'ada' }), ['b'])
  })

  it('a queue that is its own dead letter queue moves nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const own = { deadLetter: { queue: queue.name, maxClaimCount: 0, ttlSeconds: 1 } }
    assert.deepEqual(await scene.claimed(queue, own), ['a'])
  })

  it('dead letters may die again', async (scene) => {
    const [queue, dead, deader] = [await scene.queue(), await scene.queue('dead'), await scene.queue('deader')]
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0 } })
    await scene.tryClaim(dead, { deadLetter: { queue: 'deader', maxClaimCount: 0, ttlSeconds: null } })
    assert.deepEqual(await scene.listed(dead), [])
    assert.deepEqual(await scene.listed(deader), ['a'])
  })
}

async function claimAndLetEnd(
  scene: Scene,
  queue: QueueHandle,
  deadLetter: DeadLetterPolicy | null,
): Promise<string[]> {
  const words = await scene.claimed(queue, { ttlSeconds: 60, deadLetter })
  scene.pass(60)
  return words
}
