import assert from 'node:assert/strict'
import type { Queue } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { idsOf, type Scene, wordsOf } from '../scene.ts'
import type { It } from './case.ts'

/** A queue is read whole and written whole, and may go on in another place. */
export function transferCases(it: It): void {
  it('the end is the marker behind what is there now', async (scene) => {
    const queue = await scene.queue()
    const before = await scene.end(queue)
    await scene.post(queue, 'a')
    const after = await scene.end(queue)
    assert.equal(await scene.end(queue), after, 'the same place has the same marker')
    assert.deepEqual(await scene.listed(queue, { after: before }), ['a'])
    assert.deepEqual(await scene.listed(queue, { after }), [])
    await scene.postWith(queue, { delaySeconds: 60 }, 'delayed')
    const { marker } = await scene.list(queue)
    assert.deepEqual(await scene.listed(queue, { after: marker }), [])
    scene.pass(60)
    assert.deepEqual(await scene.listed(queue, { after }), ['delayed'])
    await scene.post(queue, 'b')
    assert.deepEqual(await scene.listed(queue, { after }), ['delayed', 'b'])
  })

  it('the same place has the same marker, whoever asks', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const one = await scene.list(queue, { limit: 1 })
    assert.equal((await scene.list(queue, { limit: 1 })).marker, one.marker)
    assert.equal((await scene.list(queue, { limit: 1, includeClaimed: true })).marker, one.marker)
    assert.notEqual((await scene.list(queue)).marker, one.marker)
  })

  it('an export shows all there is to know, in order', async (scene) => {
    const { queue, ids } = await fill(scene)
    const { messages } = await scene.export(queue)
    const { now } = scene
    assert.deepEqual(
      messages.map(({ id }) => id),
      ids,
    )
    const [a, claimed, , , delayed] = messages
    const common = { clientId: 'poster', ttlSeconds: 3600, createdAt: now - 60_000, claimCount: 2, cameFrom: null }
    const life = { visibleAt: now - 60_000, expiresAt: now + 3540_000 }
    const opaque = { body: '', marker: '', posting: '' }
    assert.deepEqual({ ...a, ...opaque }, { id: ids[0], ...common, ...life, ...opaque })
    assert.deepEqual([typeof a?.marker, typeof a?.posting], ['string', 'string'])
    assert.equal(claimed?.claimCount, 2)
    assert.deepEqual([delayed?.visibleAt, delayed?.marker], [now + 540_000, null])
  })

  it('a queue that was exported and imported is the same queue', async (scene) => {
    const { queue, ids } = await fill(scene)
    const pages = [await scene.list(queue, { limit: 1 }), await scene.list(queue)]
    pages.push(await scene.list(queue, { includeClaimed: true }))
    const end = await scene.end(queue)
    const before = await scene.list(queue, all)
    const again = await move(scene, queue, await scene.queue('elsewhere'))
    const unclaimed = before.messages.map((message) => ({ ...message, claimId: null }))
    assert.deepEqual(await scene.get(again, ...idsOf(before.messages)), unclaimed)
    assert.deepEqual((await scene.list(again, all)).messages, unclaimed)
    assert.deepEqual(wordsOf(await scene.get(again, ...ids)), ['a', 'claimed', 'c', 'was delayed', 'delayed'])
    for (const { marker } of pages) {
      const rest = await scene.listed(again, { after: marker })
      const passed = pages[0]?.marker === marker ? 1 : 4
      assert.deepEqual(rest, ['a', 'claimed', 'c', 'was delayed'].slice(passed))
    }
    await scene.post(again, 'new')
    assert.deepEqual(await scene.listed(again, { after: end }), ['new'])
    scene.pass(540)
    assert.deepEqual(await scene.listed(again, { after: end }), ['new', 'delayed'])
    assert.deepEqual((await scene.stats(again)).free, 6)
  })

  it('nothing takes a place before a marker of the old queue, even if its last messages were gone', async (scene) => {
    const queue = await scene.queue()
    const ids = await scene.post(queue, ...'abcdef')
    const { marker } = await scene.list(queue)
    await scene.deleteMany(queue, ids)
    const again = await move(scene, queue, await scene.queue('again'))
    await scene.post(again, 'new')
    assert.deepEqual(await scene.listed(again, { after: marker }), ['new'])
    assert.deepEqual(await scene.listed(again, { after: ids.at(-1) ?? null }), ['new'])
  })

  it('a queue that goes on may be used between two pages: what comes then stands at its old place', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c', 'd', 'e')
    const first = await scene.claim(queue, { limit: 4 })
    await scene.release(queue, first.id)
    const { messages, end } = await scene.export(queue)
    const again = await scene.queue('again')
    await scene.import(again, messages.slice(0, 2), end)
    const held = await scene.claim(again, { limit: 10 })
    assert.deepEqual(wordsOf(held.messages), ['a', 'b'])
    await scene.post(again, 'new')
    assert.deepEqual(await scene.listed(again), ['new'])
    await scene.import(again, messages.slice(2), end)
    assert.deepEqual(await scene.listed(again), ['c', 'd', 'e', 'new'])
    assert.deepEqual(await scene.claimed(again, { limit: 2 }), ['c', 'd'])
    await scene.release(again, held.id)
    assert.deepEqual(await scene.claimed(again), ['a', 'b', 'e', 'new'])
  })

  it('to import twice is harmless, and so is what has expired meanwhile', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.postWith(queue, { ttlSeconds: 60 }, 'short')
    const { messages, end } = await scene.export(queue)
    scene.pass(60)
    const again = await scene.queue('again')
    for (let times = 0; times < 2; times += 1) await scene.import(again, messages, end)
    assert.deepEqual(await scene.listed(again), ['a', 'b'])
    assert.deepEqual((await scene.stats(again)).free, 2)
  })

  it('what comes into a queue with messages of its own stands at its end', async (scene) => {
    const queue = await scene.queue()
    const ids = await scene.post(queue, 'a', 'b')
    await scene.claim(queue, { limit: 1 })
    const delayed = await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
    const { messages, end } = await scene.export(queue)
    const target = await scene.queue('target')
    await scene.post(target, 'own')
    const { marker } = await scene.list(target)
    await scene.import(target, messages, end)
    assert.deepEqual(await scene.listed(target), ['own', 'a', 'b'])
    assert.deepEqual(await scene.listed(target, { after: marker }), ['a', 'b'])
    assert.deepEqual(idsOf(await scene.get(target, ...ids, delayed)), [...ids, delayed])
    assert.equal(await scene.delete(target, ids[0] ?? ''), 'deleted')
    scene.pass(60)
    assert.deepEqual(await scene.listed(target, { after: marker }), ['b', 'delayed'])
    const claim = await scene.claim(target, { limit: 2 })
    assert.deepEqual(
      claim.messages.map(({ claimCount }) => claimCount),
      [1, 1],
    )
  })

  it('a queue that goes on can be exported and imported once more', async (scene) => {
    const { queue, ids } = await fill(scene)
    const { marker } = await scene.list(queue, { limit: 2, includeClaimed: true })
    const second = await move(scene, queue, await scene.queue('second'))
    await scene.post(second, 'later')
    const third = await move(scene, second, await scene.queue('third'))
    assert.deepEqual(await scene.listed(third, { after: marker }), ['c', 'was delayed', 'later'])
    assert.deepEqual(wordsOf(await scene.get(third, ...ids)).length, 5)
  })

  it('who lists delayed messages too goes on behind what was met', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 60 }, 'first')
    await scene.postWith(queue, { delaySeconds: 600 }, 'second')
    const guest = await scene.queue('guest')
    const { messages } = await scene.export(queue)
    await scene.post(guest, 'own')
    await scene.import(guest, messages)
    await scene.post(guest, 'last')
    const { marker } = await scene.list(guest, { ...all, limit: 3 })
    assert.deepEqual(await scene.listed(guest, { ...all, after: marker }), ['last'])
    scene.pass(60)
    await scene.list(guest)
    const again = await move(scene, guest, await scene.queue('again'))
    assert.deepEqual(await scene.listed(again, all), ['own', 'first', 'second', 'last'])
    assert.deepEqual(await scene.listed(again, { ...all, after: marker }), ['last'])
  })

  it('a dead letter that is imported still knows where it came from', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const id = await scene.postOne(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { queue: 'dead', maxClaimCount: 0, ttlSeconds: null } })
    const again = await move(scene, dead, await scene.queue('morgue'))
    assert.deepEqual(await scene.redrive(again), [{ id, queue: 'jobs' }])
    assert.deepEqual(idsOf(await scene.get(queue, id)), [id])
  })

  it('a dead letter that is imported where it came from stays', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { queue: 'dead', maxClaimCount: 0, ttlSeconds: null } })
    await scene.post(queue, 'b')
    const { messages } = await scene.export(dead)
    await scene.import(queue, messages)
    assert.deepEqual(await scene.redrive(queue), [])
    assert.deepEqual(await scene.redrive(queue, { elsewhere: ['jobs'] }), [])
    assert.deepEqual(await scene.listed(queue), ['b', 'a'])
  })

  it('an end that is none names no queue, and a stale queue takes nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const { messages } = await scene.export(queue)
    const { storage, now } = scene
    const target = await scene.queue('target')
    for (const end of malformedIds) await scene.import(target, messages, end)
    assert.deepEqual(await scene.listed(target), ['a'])
    const updated = await storage.queues.update({ queue: target, metadata: '{"n": 1}', now })
    assert.notEqual(updated, STALE)
    assert.equal(await storage.messages.import({ queue: target, messages, end: null, now }), STALE)
    assert.equal(await storage.messages.export({ queue: target, after: null, limit: 1, now }), STALE)
    assert.equal(await storage.messages.end({ queue: target, now }), STALE)
  })

  it('arrivals are news', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const { messages } = await scene.export(queue)
    const target = await scene.queue('target')
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = scene.storage.watch(target, resolve)
    await scene.import(target, messages)
    await promise
    end()
  })
}

const all = { includeClaimed: true, includeDelayed: true }

/** Some of each: given back, claimed, free, expired, delayed, and with a place of its own since its delay was over. */
async function fill(scene: Scene): Promise<{ queue: Queue; ids: string[] }> {
  const queue = await scene.queue()
  const early = await scene.postOne(queue, 'was delayed', { delaySeconds: 30 })
  const [a = '', claimed = '', c = ''] = await scene.post(queue, 'a', 'claimed', 'c')
  await scene.postWith(queue, { ttlSeconds: 60 }, 'expired')
  const delayed = await scene.postOne(queue, 'delayed', { delaySeconds: 600 })
  const first = await scene.claim(queue, { limit: 2 })
  await scene.release(queue, first.id)
  scene.pass(60)
  const second = await scene.claim(queue, { limit: 1, ttlSeconds: 3000 })
  await scene.claim(queue, { limit: 1, ttlSeconds: 3000 })
  await scene.release(queue, second.id)
  return { queue, ids: [a, claimed, c, early, delayed] }
}

/** As a drain does: the old queue goes when the new one has it all. */
async function move(scene: Scene, from: Queue, to: Queue): Promise<Queue> {
  const { messages, end } = await scene.export(from)
  await scene.import(to, messages, end)
  assert.equal(await scene.storage.queues.delete({ queue: from, now: scene.now }), 'deleted')
  return to
}
