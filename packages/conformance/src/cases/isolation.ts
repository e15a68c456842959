import assert from 'node:assert/strict'
import type { Queue } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { idsOf, type Scene } from '../scene.ts'
import type { It } from './case.ts'

/** Facts that hold between one queue and every other: of another name, another kind or another project. */
export function isolationCases(it: It): void {
  it('the same name in another project or of another kind is another queue', async (scene) => {
    const { queue, strangers } = await neighbours(scene)
    const { storage, now } = scene
    const updated = await storage.queues.update({ queue, metadata: '{"mine": true}', now })
    assert(updated !== STALE)
    assert.deepEqual(await storage.queues.get({ key: queue, now }), updated)
    for (const stranger of strangers) {
      assert.deepEqual((await storage.queues.get({ key: stranger, now }))?.metadata, '{}')
      assert.equal((await scene.stats(stranger)).free, 1)
      await storage.messages.purge({ queue: stranger, now })
      await storage.queues.delete({ queue: stranger, now })
    }
    assert.deepEqual(await storage.queues.get({ key: queue, now }), updated)
    assert.deepEqual((await scene.stats(updated)).free, 2)
  })

  it('a malformed version is stale', async (scene) => {
    const { queue } = await neighbours(scene)
    for (const version of malformedIds) {
      const forged = { ...queue, version }
      assert.equal(
        await scene.storage.messages.pop({ queue: forged, limit: 1, deadLetter: null, now: scene.now }),
        STALE,
      )
    }
  })

  it('ids of messages name nothing in another queue', async (scene) => {
    const { queue, ids, strangers } = await neighbours(scene)
    const [id = ''] = ids
    for (const stranger of strangers) {
      assert.deepEqual(await scene.get(stranger, ...ids), [])
      assert.equal(await scene.delete(stranger, id), 'absent')
      assert.deepEqual(await scene.deleteMany(stranger, ids), { deleted: 0 })
      assert.deepEqual(await scene.redrive(stranger, { ids }), [])
    }
    assert.deepEqual(idsOf(await scene.get(queue, ...ids)), ids)
  })

  it('ids and markers start no listing in another queue', async (scene) => {
    const { queue, ids, strangers } = await neighbours(scene)
    for (const includeDelayed of [false, true]) {
      const { marker } = await scene.list(queue, { includeDelayed })
      for (const stranger of strangers) {
        for (const after of [marker, ...ids]) {
          assert.deepEqual(await scene.listed(stranger, { after, includeDelayed }), ['theirs'])
        }
      }
    }
  })

  it('claim ids name nothing in another queue', async (scene) => {
    const { queue, strangers } = await neighbours(scene)
    const claim = await scene.claim(queue)
    for (const stranger of strangers) {
      assert.equal(await scene.getClaim(stranger, claim.id), null)
      assert.equal(await scene.renew(stranger, claim.id), false)
      await scene.release(stranger, claim.id)
      const [theirs = ''] = idsOf((await scene.list(stranger)).messages)
      assert.equal(await scene.delete(stranger, theirs, claim.id), 'not-claimed')
      assert.equal(await scene.deleteMany(stranger, [theirs], [claim.id]), 'held')
      await scene.claim(stranger)
      assert.equal(await scene.delete(stranger, theirs, claim.id), 'claim-not-live')
      assert.equal(await scene.deleteMany(stranger, [theirs], [claim.id]), 'held')
    }
    assert.deepEqual(await scene.getClaim(queue, claim.id), claim)
  })

  it('claims and pops take only from their queue', async (scene) => {
    const { queue, strangers } = await neighbours(scene)
    for (const stranger of strangers) {
      assert.deepEqual(await scene.claimed(stranger), ['theirs'])
      assert.deepEqual(await scene.pop(stranger), [])
    }
    assert.deepEqual(await scene.pop(queue), ['mine 1', 'mine 2'])
  })

  it('dead letters stay in their project', async (scene) => {
    const queue = await scene.queue()
    const [dead, stranger] = [await scene.queue('dead'), await scene.queue('dead', { project: 'beta' })]
    const topic = await scene.queue('dead', { kind: 'topic' })
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { queue: 'dead', maxClaimCount: 0, ttlSeconds: null } })
    assert.deepEqual(await scene.listed(stranger), [])
    assert.deepEqual(await scene.listed(topic), [])
    assert.deepEqual(await scene.listed(dead), ['a'])
  })

  it('projects and names that look alike are different', async (scene) => {
    const twins = [
      ['a', 'b.c'],
      ['a.b', 'c'],
      ['A', 'b.c'],
      ['a', 'B.C'],
      ['a', 'b_c'],
      ['abc', 'a.b.c'],
      ['a/b', 'c'],
      ['a:b', 'c'],
      ['é', 'c'],
      ['e\u0301', 'c'],
    ] as const
    for (const [project, name] of twins) {
      const queue = await scene.queue(name, { project })
      await scene.post(queue, `${project} ${name}`)
    }
    for (const [project, name] of twins) {
      const queue = await scene.queue(name, { project })
      assert.deepEqual(await scene.listed(queue), [`${project} ${name}`])
    }
  })

  it('no name or project passes for the end of one and the beginning of the other', async (scene) => {
    for (const between of [' ', '  ', '\n', '\u001f', '.', '/', ':', '"', '","', ' 1 ']) {
      const pairs = [
        [`b${between}a`, 'c', 'a', `c${between}b`],
        [`a${between}queue${between}b`, 'c', 'a', `b${between}queue${between}c`],
        [`a${between}1${between}b`, 'c', 'a', `b${between}1${between}c`],
      ] as const
      for (const [project, name, otherProject, otherName] of pairs) {
        const [one, other] = await Promise.all([
          scene.queue(name, { project }),
          scene.queue(otherName, { project: otherProject }),
        ])
        await Promise.all([scene.post(one, 'one'), scene.post(other, 'other'), scene.post(one, 'two')])
        const listed = await Promise.all([scene.listed(one), scene.listed(other)])
        assert.deepEqual(listed, [['one', 'two'], ['other']], JSON.stringify([one, other]))
        const claimed = await Promise.all([scene.claimed(other), scene.claimed(one)])
        assert.deepEqual(claimed, [['other'], ['one', 'two']])
        await scene.storage.queues.delete({ queue: one, now: scene.now })
        assert.equal((await scene.stats(other)).claimed, 1)
        await scene.storage.queues.delete({ queue: other, now: scene.now })
      }
    }
  })

  it('dead letters stay in their project, whatever the name of their queue looks like', async (scene) => {
    const queue = await scene.queue('jobs', { project: 'P1' })
    const stranger = await scene.queue('orders', { project: 'P2 P1' })
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { queue: 'orders P2', maxClaimCount: 0, ttlSeconds: null } })
    assert.deepEqual(await scene.listed(stranger), [])
    assert.deepEqual(await scene.listed(await scene.queue('orders P2', { project: 'P1' })), ['a'])
  })
}

/** A queue with two messages, and strangers with one each: of another name, another kind and another project. */
async function neighbours(scene: Scene): Promise<{ queue: Queue; ids: string[]; strangers: Queue[] }> {
  const queue = await scene.queue()
  const strangers = [
    await scene.queue('other'),
    await scene.queue('jobs', { kind: 'topic' }),
    await scene.queue('jobs', { project: 'beta' }),
  ]
  for (const stranger of strangers) await scene.post(stranger, 'theirs')
  const ids = await scene.post(queue, 'mine 1', 'mine 2')
  return { queue, ids, strangers }
}
