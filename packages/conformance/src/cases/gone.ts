import assert from 'node:assert/strict'
import { GONE_MS, type QueueHandle } from 'zaqar/storage'
import { idsOf, type Scene } from '../scene.ts'
import type { It } from './case.ts'

const bury = { deadLetter: { queue: 'dead', maxClaimCount: 0, ttlSeconds: 1 } }
const everything = { includeClaimed: true, includeGone: true, withMarkers: true }

export function goneCases(it: It): void {
  /** Removes the message with that id, which a claim holds or not, or more with it. */
  const removals: Readonly<Record<string, (scene: Scene, queue: QueueHandle, id: string) => Promise<unknown>>> = {
    'a deletion': (scene, queue, id) => scene.delete(queue, id),
    'a deletion with a claim': async (scene, queue, id) => {
      const claim = await scene.claim(queue)
      assert.equal(await scene.delete(queue, id, claim.id), 'deleted')
    },
    'a deletion of many': (scene, queue, id) => scene.deleteMany(queue, [id]),
    'a pop': (scene, queue) => scene.pop(queue),
    'an exchange': async (scene, queue) => {
      const claim = await scene.claim(queue)
      await scene.exchange(
        queue,
        claim.messages.map(({ id }) => ({ id, claimId: claim.id })),
      )
    },
    'a move to a dead letter queue, by a claim': (scene, queue) => scene.tryClaim(queue, bury),
    'a move to a dead letter queue, by a pop': (scene, queue) => scene.pop(queue, 1, bury),
    // Where several engines are one, it may be in this one all the same.
    'a move to a dead letter queue in another store': (scene, queue) =>
      scene.tryClaim(queue, { deadLetter: { ...bury.deadLetter, elsewhere: true } }),
  }

  for (const [name, remove] of Object.entries(removals)) {
    it(`what ${name} takes away can still be listed, as it was and where it was`, async (scene) => {
      const queue = await scene.queue()
      const end = await scene.storage.keepGone(queue)
      const id = await scene.postOne(queue, 'a')
      await remove(scene, queue, id)
      const { messages, marker } = await scene.list(queue, everything)
      const [message] = messages
      assert(message?.marker)
      const { claimCount, marker: place, ...rest } = message
      assert.deepEqual(rest, {
        id,
        body: '"a"',
        ttlSeconds: 3600,
        createdAt: scene.now,
        clientId: 'poster',
        claimId: null,
      })
      assert.equal(claimCount, name.includes('with a claim') || name.includes('exchange') ? 1 : 0)
      assert.equal(messages.length, 1)
      assert.equal(marker, place)
      assert.deepEqual(await scene.listedWithGone(queue, { after: place }), [])
      assert.deepEqual(await scene.listedWithGone(queue, { after: id }), [])
      assert.deepEqual(await scene.listed(queue, { includeClaimed: true }), [])
      assert.deepEqual(await scene.get(queue, id), [])
      assert.equal(await scene.delete(queue, id), 'absent')
      end()
    })
  }

  it('a message has the marker that it had before', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.post(queue, 'a', 'b', 'c')
    const before = await scene.list(queue, everything)
    await scene.pop(queue, 2)
    assert.deepEqual(await scene.list(queue, everything), before)
    end()
  })

  it('what there is and what is gone fill a page together, in the order of places', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const ids = await scene.post(queue, ...words)
    const wanted = (...indices: number[]) => indices.map((index) => ids[index] ?? '')
    await scene.deleteMany(queue, wanted(5, 0, 3, 2))
    const { messages } = await scene.list(queue, everything)
    assert.deepEqual(idsOf(messages), ids)
    for (const limit of [1, 2, 3, 4]) {
      for (const [index, message] of messages.entries()) {
        const page = await scene.listedWithGone(queue, { after: message.marker ?? null, limit })
        assert.deepEqual(page, words.slice(index + 1, index + 1 + limit))
      }
    }
    end()
  })

  it('one whose delay was over is at the place that it took then; one that had none is not there', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    const delayed = await scene.postOne(queue, 'delayed', { delaySeconds: 5 })
    const never = await scene.postOne(queue, 'never', { delaySeconds: 6 })
    await scene.post(queue, 'a', 'b')
    scene.pass(5)
    await scene.post(queue, 'c')
    await scene.deleteMany(queue, [delayed, never])
    assert.deepEqual(await scene.pop(queue, 1), ['a'])
    assert.deepEqual(await scene.listedWithGone(queue), ['a', 'b', 'delayed', 'c'])
    scene.pass(1)
    assert.deepEqual(await scene.listedWithGone(queue), ['a', 'b', 'delayed', 'c'])
    end()
  })

  it('what its poster hides stays hidden when it is gone', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    for (const word of ['a', 'b', 'c']) {
      await scene.postWith(queue, { clientId: 'ada' }, `${word} of ada`)
      await scene.postWith(queue, { clientId: 'bob' }, `${word} of bob`)
    }
    await scene.pop(queue, 3)
    const terms = { hideClientId: 'ada', limit: 2 }
    assert.deepEqual(await scene.listedWithGone(queue, terms), ['a of bob', 'b of bob'])
    await scene.pop(queue)
    assert.deepEqual(await scene.listedWithGone(queue, terms), ['a of bob', 'b of bob'])
    assert.deepEqual(await scene.listedWithGone(queue, { ...terms, limit: 10 }), ['a of bob', 'b of bob', 'c of bob'])
    end()
  })

  it('what is gone shows also where claimed messages do not', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.post(queue, 'a', 'b', 'c')
    const { id, messages } = await scene.claim(queue, { limit: 2 })
    await scene.delete(queue, messages[0]?.id ?? '', id)
    assert.deepEqual(await scene.listedWithGone(queue, { includeClaimed: false }), ['a', 'c'])
    end()
  })

  it('it can be listed for a while, and no longer than it would have lived', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.post(queue, 'a')
    await scene.pop(queue)
    scene.clock.advance(GONE_MS - 1)
    assert.deepEqual(await scene.listedWithGone(queue), ['a'])
    await scene.postWith(queue, { ttlSeconds: 1 }, 'b')
    assert.deepEqual(await scene.pop(queue), ['b'])
    assert((await scene.listedWithGone(queue)).includes('b'))
    scene.pass(1)
    assert(!(await scene.listedWithGone(queue)).includes('b'))
    end()
  })

  it('who has read all that there was is not told that he missed something', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.post(queue, 'a')
    await scene.pop(queue)
    const first = await scene.list(queue, everything)
    assert(!('missed' in first))
    scene.clock.advance(10 * GONE_MS)
    await scene.post(queue, 'b')
    await scene.pop(queue)
    const second = await scene.list(queue, { ...everything, after: first.marker })
    assert.deepEqual(
      second.messages.map(({ body }) => body),
      ['"b"'],
    )
    assert(!('missed' in second))
    assert(!('missed' in (await scene.list(queue, { includeClaimed: true }))))
    end()
  })

  it('nothing is kept of a queue that nobody has kept', async (scene) => {
    const [queue, other] = [await scene.queue(), await scene.queue('other')]
    await scene.post(queue, 'a', 'b')
    await scene.pop(queue, 1)
    const end = await scene.storage.keepGone(other)
    await scene.pop(queue)
    assert.deepEqual(await scene.listedWithGone(queue), [])
    end()
  })

  it('it is kept as long as anybody keeps it', async (scene) => {
    const queue = await scene.queue()
    const [one, two, three] = [
      await scene.storage.keepGone(queue),
      await scene.storage.keepGone(queue),
      await scene.storage.keepGone({ ...queue, kind: 'topic' }),
    ]
    one()
    one()
    three()
    await scene.post(queue, 'a')
    await scene.pop(queue)
    assert.deepEqual(await scene.listedWithGone(queue), ['a'])
    two()
  })

  it('a queue may be kept before it is there, and when it is there again', async (scene) => {
    const end = await scene.storage.keepGone({ project: 'alpha', kind: 'queue', name: 'jobs' })
    for (const word of ['first', 'second']) {
      const queue = await scene.queue()
      await scene.post(queue, word)
      await scene.pop(queue)
      assert.deepEqual(await scene.listedWithGone(queue), [word])
      await scene.storage.queues.delete({ queue, now: scene.now })
    }
    end()
  })

  it('what was purged is not there, nor what was gone before', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    const [first = ''] = await scene.post(queue, 'a', 'b')
    await scene.delete(queue, first)
    await scene.storage.messages.purge({ queue, now: scene.now })
    assert.deepEqual(await scene.listedWithGone(queue), [])
    await scene.post(queue, 'c', 'd')
    await scene.pop(queue, 1)
    assert.deepEqual(await scene.listedWithGone(queue), ['c', 'd'])
    end()
  })

  it('what has expired is not there', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.postWith(queue, { ttlSeconds: 1 }, 'short')
    await scene.post(queue, 'a')
    scene.pass(1)
    assert.deepEqual(await scene.listedWithGone(queue), ['a'])
    await scene.pop(queue)
    assert.deepEqual(await scene.listedWithGone(queue), ['a'])
    end()
  })

  it('a message that was moved back is gone from the dead letter queue, and once in its own', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const ends = [await scene.storage.keepGone(queue), await scene.storage.keepGone(dead)]
    await scene.post(queue, 'a')
    const { marker } = await scene.list(queue)
    await scene.tryClaim(queue, { deadLetter: { ...bury.deadLetter, ttlSeconds: null } })
    await scene.post(queue, 'b')
    assert.deepEqual(await scene.listedWithGone(queue), ['a', 'b'])
    await scene.redrive(dead)
    assert.deepEqual(await scene.listedWithGone(dead), ['a'])
    assert.deepEqual(await scene.listedWithGone(queue), ['b', 'a'])
    assert.deepEqual(await scene.listedWithGone(queue, { after: marker }), ['b', 'a'])
    await scene.pop(queue)
    assert.deepEqual(await scene.listedWithGone(queue), ['b', 'a'])
    for (const end of ends) end()
  })

  it.needing('oneEngine', 'a message that departs from a dead letter queue is gone there', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    const end = await scene.storage.keepGone(dead)
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, bury)
    await scene.redrive(dead, { elsewhere: ['jobs'] })
    assert.deepEqual(await scene.listedWithGone(dead), ['a'])
    end()
  })

  it('a message that is imported again is there once', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.post(queue, 'a', 'b')
    const exported = await scene.export(queue)
    await scene.pop(queue, 1)
    await scene.import(queue, exported.messages)
    assert.deepEqual(await scene.listedWithGone(queue), ['b', 'a'])
    await scene.pop(queue)
    assert.deepEqual(await scene.listedWithGone(queue), ['b', 'a'])
    end()
  })

  it('a removal that did not happen leaves no trace', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    const [a = '', b = ''] = await scene.post(queue, 'a', 'b')
    const { id } = await scene.claim(queue, { limit: 1 })
    assert.equal(await scene.delete(queue, a), 'held')
    assert.equal(await scene.deleteMany(queue, [a, b], [id]), 'held')
    assert('kept' in (await scene.exchange(queue, [{ id: b, claimId: id }])))
    assert.deepEqual(await scene.listedWithGone(queue), ['a', 'b'])
    end()
  })

  it('who lists while messages are taken away sees all of them, once', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    const words = ['a', 'b', 'c', 'd', 'e']
    const [first = '', , third = ''] = await scene.post(queue, ...words)
    const list = () => scene.listedWithGone(queue)
    const answers = await Promise.all([
      list(),
      scene.deleteMany(queue, [third, first]),
      list(),
      scene.pop(queue, 2),
      list(),
      scene.pop(queue),
      list(),
    ])
    const listings = [answers[0], answers[2], answers[4], answers[6]]
    assert.deepEqual(listings, [words, words, words, words])
    end()
  })

  it.needing('failNeighbour', 'what shares its fate with a move that fails is gone once', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.post(queue, 'a', 'b', 'c')
    const [popped, , listed] = await Promise.all([
      scene.pop(queue, 1),
      scene.clients.failNeighbour(),
      scene.listedWithGone(queue),
    ])
    assert.deepEqual(popped, ['a'])
    assert.deepEqual(listed, ['a', 'b', 'c'])
    assert.deepEqual(await scene.listedWithGone(queue), ['a', 'b', 'c'])
    end()
  })

  it.needing('severalProcesses', 'one client keeps what another posts and takes away at once', async (scene) => {
    const queue = await scene.queue()
    const other = await scene.clients.openAnother()
    const end = await other.keepGone(queue)
    await Promise.all([scene.post(queue, 'a'), scene.pop(queue, 1)])
    await scene.pop(queue)
    const seen = await other.messages.list({
      queue,
      after: null,
      limit: 10,
      hideClientId: null,
      includeDelayed: false,
      now: scene.now,
      ...everything,
    })
    assert(typeof seen === 'object')
    assert.deepEqual(
      seen.messages.map(({ body }) => body),
      ['"a"'],
    )
    assert.deepEqual(await scene.listedWithGone(queue), ['a'])
    end()
  })

  it('a storage that is closed keeps nothing more', async (scene) => {
    const queue = await scene.queue()
    const end = await scene.storage.keepGone(queue)
    await scene.storage.close()
    await assert.rejects(scene.storage.keepGone(queue), { name: 'StorageUnavailable' })
    end()
  })
}
