import assert from 'node:assert/strict'
import type { DeadLetterPolicy, Departure, Queue } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'
import { idsOf, type Scene } from '../scene.ts'
import type { It } from './case.ts'

const elsewhere: DeadLetterPolicy = { queue: 'dead', maxClaimCount: 0, ttlSeconds: null, elsewhere: true }

/** Messages on their way to queues of another store: out of here at once, there soon, once. */
export function departureCases(it: It): void {
  it.needing(
    'oneEngine',
    'a dead letter departs in the move that finds it, and nothing is made here',
    async (scene) => {
      for (const way of ['claim', 'pop', 'exchange']) {
        const queue = await scene.queue()
        const id = await scene.postOne(queue, way, { clientId: 'ada', ttlSeconds: 600 })
        if (way === 'claim') await scene.tryClaim(queue, { deadLetter: elsewhere })
        if (way === 'pop') await scene.pop(queue, 1, { deadLetter: elsewhere })
        if (way === 'exchange') await scene.exchange(queue, [], { deadLetter: elsewhere })
        assert.deepEqual(await scene.get(queue, id), [])
        assert.equal((await scene.stats(queue)).free, 0)
        const key = { project: 'alpha', kind: 'queue', name: 'dead' } as const
        assert.equal(await scene.storage.queues.get({ key, now: scene.now }), null)
        const [departure] = await scene.departures()
        assert(departure)
        assert.deepEqual(departure, {
          id: departure.id,
          queue: key,
          message: {
            id,
            body: departure.message.body,
            clientId: 'ada',
            ttlSeconds: 600,
            createdAt: scene.now,
            visibleAt: scene.now,
            expiresAt: scene.now + 600_000,
            claimCount: 0,
            cameFrom: 'jobs',
            marker: null,
            posting: null,
          },
        })
        await scene.departed(departure)
        assert.deepEqual(await scene.departures(), [])
      }
    },
  )

  it.needing('oneEngine', 'its new lifetime counts from the moment at which it departs', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    scene.pass(10)
    await scene.tryClaim(queue, { deadLetter: { ...elsewhere, ttlSeconds: 100 } })
    const [departure] = await scene.departures()
    assert.equal(departure?.message.expiresAt, scene.now + 100_000)
    assert.equal(departure?.message.ttlSeconds, 110)
    scene.passAlmost(100)
    assert.equal((await scene.departures()).length, 1)
    scene.clock.advance(1)
    assert.deepEqual(await scene.departures(), [])
  })

  it.needing(
    'oneEngine',
    'they leave in the order in which they departed, and stay until they have arrived',
    async (scene) => {
      const queue = await scene.queue()
      const ids = await scene.post(queue, ...'abcd')
      await scene.tryClaim(queue, { limit: 2, deadLetter: elsewhere })
      const leaving = async (limit?: number) => (await scene.departures(limit)).map(({ message }) => message.id)
      assert.deepEqual(await leaving(), ids)
      assert.deepEqual(await leaving(3), ids.slice(0, 3))
      const [first, second] = await scene.departures()
      assert(first && second)
      await scene.departed(second, first)
      await scene.departed(second)
      for (const id of malformedIds) await scene.storage.messages.departed({ ids: [id], now: scene.now })
      assert.deepEqual(await leaving(), ids.slice(2))
    },
  )

  it.needing('oneEngine', 'they are read page by page', async (scene) => {
    const queue = await scene.queue()
    const ids = await scene.post(queue, ...'abc')
    await scene.tryClaim(queue, { deadLetter: elsewhere })
    const [first] = await scene.departures(1)
    const behind = (after: string) => scene.storage.messages.departures({ after, limit: 10, now: scene.now })
    assert.deepEqual(
      (await behind(first?.id ?? '')).map(({ message }) => message.id),
      ids.slice(1),
    )
    for (const id of malformedIds) assert.equal((await behind(id)).length, 3)
  })

  it.needing(
    'oneEngine',
    'they depart where the dead letter queue is not as it was seen, and only there',
    async (scene) => {
      const queue = await scene.queue()
      const { version } = await scene.queue('dead')
      const deadLetter: DeadLetterPolicy = { queue: 'dead', maxClaimCount: 0, ttlSeconds: null, version }
      await scene.post(queue, 'a')
      await scene.tryClaim(queue, { deadLetter })
      const dead = await scene.queue('dead')
      assert.deepEqual(await scene.listed(dead), ['a'])
      await scene.storage.queues.update({ queue: dead, metadata: '{"n": 1}', now: scene.now })
      await scene.post(queue, 'b')
      await scene.tryClaim(queue, { deadLetter })
      assert.equal((await scene.departures()).length, 1)
      await scene.storage.queues.delete({ queue: await scene.queue('dead'), now: scene.now })
      await scene.post(queue, 'c')
      await scene.tryClaim(queue, { deadLetter })
      assert.equal((await scene.departures()).length, 2)
      const key = { project: 'alpha', kind: 'queue', name: 'dead' } as const
      assert.equal(await scene.storage.queues.get({ key, now: scene.now }), null, 'none is made')
    },
  )

  it.needing(
    'oneEngine',
    'they arrive at the end of their queue, once, whatever became of them since',
    async (scene) => {
      const queue = await scene.queue()
      const ids = await scene.post(queue, 'a', 'b', 'c')
      await scene.tryClaim(queue, { deadLetter: elsewhere })
      const dead = await scene.queue('dead')
      await scene.post(dead, 'own')
      const departures = await scene.departures()
      await arrive(scene, dead, departures)
      assert.deepEqual(await scene.listed(dead), ['own', 'a', 'b', 'c'])
      assert.equal(await scene.delete(dead, ids[0] ?? ''), 'deleted')
      assert.deepEqual(await scene.pop(dead, 2), ['own', 'b'])
      await arrive(scene, dead, departures)
      await arrive(scene, dead, departures.slice(1))
      assert.deepEqual(await scene.listed(dead), ['c'])
      await scene.storage.messages.purge({ queue: dead, now: scene.now })
      await arrive(scene, dead, departures)
      assert.deepEqual(await scene.listed(dead), [])
    },
  )

  it.needing('oneEngine', 'what departs later arrives beside what has arrived', async (scene) => {
    const queue = await scene.queue()
    const dead = await scene.queue('dead')
    for (const word of ['a', 'b', 'c']) {
      await scene.post(queue, word)
      await scene.tryClaim(queue, { deadLetter: elsewhere })
      await arrive(scene, dead, await scene.departures())
    }
    assert.deepEqual(await scene.listed(dead), ['a', 'b', 'c'])
    assert.equal((await scene.stats(dead)).free, 3)
  })

  it.needing('oneEngine', 'departures of several queues do not pass for each other', async (scene) => {
    const [one, two] = [await scene.queue('one'), await scene.queue('two')]
    const dead = await scene.queue('dead')
    for (const queue of [one, two]) {
      await scene.post(queue, queue.name)
      await scene.tryClaim(queue, { deadLetter: elsewhere })
    }
    const departures = await scene.departures()
    await arrive(scene, dead, departures.slice(1))
    await arrive(scene, dead, departures)
    assert.deepEqual(new Set(await scene.listed(dead)), new Set(['one', 'two']))
    assert.equal((await scene.stats(dead)).free, 2)
  })

  it.needing('oneEngine', 'a message may go there, come back, and go there again', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const id = await scene.postOne(queue, 'a')
    for (let round = 0; round < 3; round += 1) {
      await scene.tryClaim(queue, { deadLetter: elsewhere })
      await carryAll(scene)
      assert.deepEqual(idsOf(await scene.get(dead, id)), [id])
      assert.deepEqual(await scene.redrive(dead, { elsewhere: ['jobs'] }), [{ id, queue: 'jobs' }])
      assert.deepEqual(await scene.get(dead, id), [])
      await carryAll(scene)
      assert.deepEqual(idsOf(await scene.get(queue, id)), [id])
    }
    assert.deepEqual(await scene.listed(queue), ['a'])
    assert.deepEqual(await scene.departures(), [])
  })

  it.needing(
    'oneEngine',
    'a redrive departs for queues that lie elsewhere only, and comes from nowhere then',
    async (scene) => {
      const [queue, other, dead] = [await scene.queue(), await scene.queue('other'), await scene.queue('dead')]
      const here: DeadLetterPolicy = { queue: 'dead', maxClaimCount: 0, ttlSeconds: null }
      for (const from of [queue, other]) {
        await scene.post(from, from.name)
        await scene.tryClaim(from, { deadLetter: here })
      }
      await scene.storage.queues.delete({ queue, now: scene.now })
      const moved = await scene.redrive(dead, { elsewhere: ['jobs'] })
      assert.deepEqual(
        moved.map((one) => one.queue),
        ['jobs', 'other'],
      )
      assert.deepEqual(await scene.listed(other), ['other'])
      const [departure, ...more] = await scene.departures()
      assert.deepEqual([departure?.queue.name, departure?.message.cameFrom, more], ['jobs', null, []])
    },
  )

  it.needing('oneEngine', 'a queue that is its own dead letter queue lets nothing depart', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    assert.deepEqual(await scene.claimed(queue, { deadLetter: { ...elsewhere, queue: 'jobs' } }), ['a'])
    assert.deepEqual(await scene.departures(), [])
  })

  it.needing(
    ['survivesReopen', 'oneEngine'],
    'they are there after a reopening, and so is what has arrived',
    async (scene) => {
      const queue = await scene.queue()
      const dead = await scene.queue('dead')
      await scene.post(queue, 'a', 'b')
      await scene.tryClaim(queue, { deadLetter: elsewhere })
      const departures = await scene.departures()
      await arrive(scene, dead, departures.slice(0, 1))
      await scene.pop(dead, 1)
      await scene.clients.reopen()
      assert.deepEqual(await scene.departures(), departures)
      await arrive(scene, dead, departures)
      assert.deepEqual(await scene.listed(dead), ['b'])
    },
  )
}

async function arrive(scene: Scene, queue: Queue, departures: readonly Departure[]): Promise<void> {
  await scene.import(
    queue,
    departures.map(({ id, message }) => ({ ...message, departure: id })),
  )
}

/** As a carrier does that is not stopped. */
async function carryAll(scene: Scene): Promise<void> {
  const departures = await scene.departures()
  for (const departure of departures) await arrive(scene, await scene.queue(departure.queue.name), [departure])
  await scene.departed(...departures)
}
