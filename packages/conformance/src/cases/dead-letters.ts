import assert from 'node:assert/strict'
import { type DeadLetterPolicy, type QueueHandle, STALE } from 'zaqar/storage'
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
      { id, body: '"a"', ttlSeconds: 600, createdAt: now, clientId: 'poster', claimId: null, claimCount: 0 },
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
      [100, 70],
      'less the age, what is left',
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

  it('the ttl of a dead letter, less its age, is what is left of its life, whatever claims did to it', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const left = async (where: QueueHandle) => {
      const { messages } = await scene.list(where, { includeClaimed: true })
      return messages.map(({ ttlSeconds, createdAt }) => ttlSeconds - (scene.now - createdAt) / 1000)
    }
    await scene.postWith(queue, { ttlSeconds: 100 }, 'a')
    scene.pass(90)
    const { id } = await scene.claim(queue, { ttlSeconds: 60, graceSeconds: 30 })
    scene.pass(20)
    await scene.release(queue, id)
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 1 } })
    assert.deepEqual(await left(dead), [70])
    scene.pass(30)
    await scene.redrive(dead)
    assert.deepEqual(await left(queue), [40])
    await scene.tryClaim(queue, { deadLetter: { ...policy, maxClaimCount: 0, ttlSeconds: 500 } })
    assert.deepEqual(await left(dead), [500])
    scene.passAlmost(500)
    assert.deepEqual(await scene.listed(dead), ['a'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(dead), [])
  })

  it('a missing dead letter queue comes into being with its first message, by claim and by pop', async (scene) => {
    const queue = await scene.queue()
    const { storage, now } = scene
    for (const name of ['by-claim', 'by-pop']) {
      const key = { project: queue.project, kind: queue.kind, name }
      const deadLetter = { queue: name, maxClaimCount: 0, ttlSeconds: null }
      await scene.pop(queue, 1, { deadLetter })
      assert.equal(await storage.queues.get({ key, now }), null, 'not before there is one')
      const id = await scene.postOne(queue, 'a', { ttlSeconds: 100 })
      await (name === 'by-pop' ? scene.pop(queue, 1, { deadLetter }) : scene.tryClaim(queue, { deadLetter }))
      const dead = await storage.queues.get({ key, now })
      assert(dead)
      assert.deepEqual(dead.metadata, '{}')
      assert.equal((await scene.stats(dead)).free, 1)
      assert.equal((await scene.getOne(dead, id)).ttlSeconds, 100)
      assert.deepEqual(await scene.claimed(dead), ['a'])
    }
  })

  it('a dead letter queue that came into being by itself is a queue like others', async (scene) => {
    const queue = await scene.queue()
    const bury = { deadLetter: { ...policy, maxClaimCount: 0 } }
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, bury)
    const { storage, now } = scene
    const key = { project: queue.project, kind: queue.kind, name: 'dead' }
    const metadata = '{"colour": "black"}'
    const { created, queue: dead } = await storage.queues.create({ key, metadata, now })
    assert.equal(created, false)
    assert.equal(dead.metadata, '{}')
    const updated = await storage.queues.update({ queue: dead, metadata, now })
    assert(updated !== STALE)
    assert.equal(await storage.messages.purge({ queue: updated, now }), 'purged')
    await scene.post(queue, 'b')
    await scene.tryClaim(queue, bury)
    assert.deepEqual(await scene.listed(await scene.queue('dead')), ['b'])
    assert.equal(await storage.queues.delete({ queue: updated, now }), 'deleted')
    assert.equal(await storage.queues.get({ key, now }), null)
  })

  it('a dead letter queue that was deleted comes into being again, without what it held', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const bury = { deadLetter: { ...policy, maxClaimCount: 0 } }
    await scene.post(queue, 'before')
    await scene.tryClaim(queue, bury)
    await scene.storage.queues.delete({ queue: dead, now: scene.now })
    await scene.post(queue, 'after')
    await scene.tryClaim(queue, bury)
    const again = await scene.storage.queues.get({ key: dead, now: scene.now })
    assert(again)
    assert.notEqual(again.version, dead.version)
    assert.deepEqual(await scene.listed(again), ['after'])
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
