import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { QueueKey, Storage } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import { Signals, withSignals } from '../signal.ts'
import type { It } from './case.ts'

const bury = { deadLetter: { queue: 'dead', maxClaimCount: 0, ttlSeconds: null } }

export function watchCases(it: It): void {
  it('a POST is signalled, also to who watched before the queue was there', async (scene) => {
    await watching(scene, { project: 'alpha', kind: 'queue', name: 'jobs' }, async (signals) => {
      const queue = await scene.queue()
      await signals.after(() => scene.post(queue, 'a'))
      await signals.after(() => scene.post(queue, 'b'))
    })
  })

  it('what is signalled can be seen', async (scene) => {
    const queue = await scene.queue()
    await watching(scene, queue, async (signals) => {
      const posting = scene.post(queue, 'a')
      let seen: string[] = []
      // A signal may come without reason, so only the last of them has to show the message.
      for (let heard = 0; seen.length === 0; ) {
        await signals.moreThan(heard)
        heard = signals.heard
        seen = await scene.listed(queue)
      }
      assert.deepEqual(seen, ['a'])
      await posting
    })
  })

  it('the end of a delay is signalled, whoever watched first', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 20 }, 'before the watch')
    await watching(scene, queue, async (signals) => {
      await scene.postWith(queue, { delaySeconds: 10 }, 'after it')
      await signals.after(() => scene.pass(10))
      assert.deepEqual(await scene.listed(queue), ['after it'])
      await signals.after(() => scene.pass(10))
      assert.deepEqual(await scene.listed(queue), ['after it', 'before the watch'])
    })
  })

  it('the end of a claim is signalled, whoever watched first', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.claim(queue, { limit: 1, ttlSeconds: 20 })
    await watching(scene, queue, async (signals) => {
      await scene.claim(queue, { limit: 1, ttlSeconds: 10 })
      await signals.after(() => scene.pass(10))
      assert.deepEqual(await scene.listed(queue), ['b'])
      await signals.after(() => scene.pass(10))
      assert.deepEqual(await scene.listed(queue), ['a', 'b'])
    })
  })

  it('the end of a renewed claim is signalled, at its new instant', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await watching(scene, queue, async (signals) => {
      const { id } = await scene.claim(queue, { ttlSeconds: 10 })
      scene.pass(5)
      await scene.renew(queue, id, 20)
      scene.passAlmost(20)
      assert.deepEqual(await scene.listed(queue), [])
      await signals.after(() => scene.clock.advance(1))
      assert.deepEqual(await scene.listed(queue), ['a'])
      const shortened = await scene.claim(queue, { ttlSeconds: 100 })
      await scene.renew(queue, shortened.id, 10)
      await signals.after(() => scene.pass(10))
      assert.deepEqual(await scene.listed(queue), ['a'])
    })
  })

  it('time that passes in leaps loses no signal', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await watching(scene, queue, async (signals) => {
      const { id } = await scene.claim(queue, { ttlSeconds: 1 })
      assert.deepEqual(await scene.listed(queue), [])
      await scene.renew(queue, id, 5)
      // The first leap stops at the end that the claim had at first, the second at its new one, with no turn in
      // between.
      scene.pass(1)
      const { heard } = signals
      scene.pass(4)
      await signals.moreThan(heard)
      assert.deepEqual(await scene.listed(queue), ['a'])
    })
  })

  it('a release is signalled', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    const { id } = await scene.claim(queue)
    await watching(scene, queue, (signals) => signals.after(() => scene.release(queue, id)))
  })

  it('a move into a dead letter queue is signalled there, by claim and by pop', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a')
    await watching(scene, dead, async (signals) => {
      await signals.after(() => scene.tryClaim(queue, bury))
      await scene.post(queue, 'b')
      await signals.after(() => scene.pop(queue, 1, bury))
    })
  })

  it('a dead letter queue that comes into being is signalled to who watched before', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await watching(scene, { ...queue, name: 'dead' }, (signals) => signals.after(() => scene.tryClaim(queue, bury)))
  })

  it('a redrive is signalled in the old queue', async (scene) => {
    const [queue, dead] = [await scene.queue(), await scene.queue('dead')]
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, bury)
    await watching(scene, queue, (signals) => signals.after(() => scene.redrive(dead)))
  })

  it('all who watch are told, until they end it', async (scene) => {
    const queue = await scene.queue()
    const [staying, leaving] = [signalsOf(scene.storage, queue), signalsOf(scene.storage, queue)]
    await staying.after(() => leaving.after(() => scene.post(queue, 'a')))
    leaving.end()
    leaving.end()
    const { heard } = leaving
    await staying.after(() => scene.post(queue, 'b'))
    assert.equal(leaving.heard, heard)
    staying.end()
  })

  it('a listener that throws hurts nobody: each move happens once, others are told, the process is warned', async (scene) => {
    const queue = await scene.queue()
    const warnings: Error[] = []
    const warned = (warning: Error) => void warnings.push(warning)
    process.on('warning', warned)
    const end = scene.storage.watch(queue, () => {
      throw new Error('a listener that throws')
    })
    await watching(scene, queue, async (signals) => {
      await signals.after(() => Promise.all([scene.post(queue, 'a'), scene.post(queue, 'b')]))
      assert.deepEqual(await scene.listed(queue), ['a', 'b'])
      await scene.claim(queue, { ttlSeconds: 10 })
      await signals.after(() => scene.pass(10))
      assert.deepEqual(await scene.claimed(queue), ['a', 'b'])
    })
    end()
    process.off('warning', warned)
    assert(
      warnings.some((warning) => inspect(warning).includes('a listener that throws')),
      inspect(warnings),
    )
  })

  it.needing('severalProcesses', 'what another client does is signalled', async (scene) => {
    const queue = await scene.queue()
    const other = await scene.clients.openAnother()
    const watched = signalsOf(other, queue)
    await watched.after(() => scene.post(queue, 'a'))
    const { id } = await scene.claim(queue, { ttlSeconds: 10 })
    await watched.after(() => scene.pass(10))
    await scene.postWith(queue, { delaySeconds: 10 }, 'b')
    await watched.after(() => scene.pass(10))
    assert.equal(await scene.getClaim(queue, id), null)
    watched.end()
  })

  it.needing(
    'severalProcesses',
    'the end of a delay is signalled, even if another client saw it first',
    async (scene) => {
      const queue = await scene.queue()
      const other = await scene.clients.openAnother()
      const watched = signalsOf(other, queue)
      for (let messages = 0; messages < 1000; messages += 100) await scene.post(queue, ...Array(100).fill('a'))
      const page = { queue, after: null, limit: 1000, hideClientId: null, includeClaimed: true, includeDelayed: false }
      // Keeps who watches from finding out soon that there is a delay to wait for.
      const busy = Array.from({ length: 100 }, () => other.messages.list({ ...page, now: scene.now }))
      await watched.after(() => scene.postWith(queue, { delaySeconds: 10 }, 'b'))
      const { heard } = watched
      scene.pass(10)
      await scene.list(queue)
      await watched.moreThan(heard)
      await Promise.all(busy)
      watched.end()
    },
  )

  it.needing('survivesReopen', 'ends of delays and claims are signalled after a reopening', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await scene.claim(queue, { ttlSeconds: 10 })
    await scene.postWith(queue, { delaySeconds: 20 }, 'b')
    await scene.clients.reopen()
    await watching(scene, queue, async (signals) => {
      await signals.after(() => scene.pass(10))
      await signals.after(() => scene.pass(10))
    })
  })
}

function signalsOf(storage: Storage, key: QueueKey): Signals {
  return new Signals((listener) => storage.watch(key, listener))
}

function watching(scene: Scene, key: QueueKey, run: (signals: Signals) => Promise<void>): Promise<void> {
  return withSignals((listener) => scene.storage.watch(key, listener), run)
}
