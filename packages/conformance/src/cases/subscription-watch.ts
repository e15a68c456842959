import assert from 'node:assert/strict'
import { type QueueKey, STALE, type Storage } from 'zaqar/storage'
import { fresh, type Scene } from '../scene.ts'
import { Signals, withSignals } from '../signal.ts'
import type { It } from './case.ts'

export function subscriptionWatchCases(it: It): void {
  it('every change of a subscription is signalled', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's')
    await watching(scene, queue, async (signals) => {
      const update = (terms: { subscriber?: string; ttlSeconds?: number; options?: string; vault?: string }) =>
        signals.after(() => scene.storage.subscriptions.update({ queue, id: 's', now: scene.now, ...terms }))
      await update({ ttlSeconds: 60 })
      await update({ options: '{"a": 1}' })
      await update({ subscriber: 'http://other.example/' })
      await update({ vault: 'secret' })
      await signals.after(() => scene.confirm(queue, 's', true))
      await signals.after(() => scene.confirm(queue, 's', false))
    })
  })

  it('the removal of one or of all is signalled', async (scene) => {
    const queue = await scene.queue()
    for (const id of ['s', 't', 'u']) await scene.subscribe(queue, id, { isListening: id === 's' })
    await watching(scene, queue, async (signals) => {
      await signals.after(() => scene.unsubscribe(queue, 's'))
      await signals.after(() => scene.unsubscribe(queue, 't'))
      await signals.after(() => scene.storage.subscriptions.purge({ queue, now: scene.now }))
    })
  })

  it('the deletion of the queue is signalled, also to who watched before it was there', async (scene) => {
    await watching(scene, { project: 'alpha', kind: 'queue', name: 'jobs' }, async (signals) => {
      for (let times = 0; times < 2; times += 1) {
        const queue = await scene.queue()
        await scene.subscribe(queue, 's')
        await signals.after(() => scene.storage.queues.delete({ queue, now: scene.now }))
      }
    })
  })

  it('what is signalled can be seen', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's')
    await watching(scene, queue, async (signals) => {
      const removing = scene.unsubscribe(queue, 's')
      for (let heard = 0; (await scene.subscription(queue, 's')) !== null; ) {
        await signals.moreThan(heard)
        heard = signals.heard
      }
      await removing
    })
  })

  it('all who watch are told, until they end it, and of each queue for itself', async (scene) => {
    const [queue, topic] = [await scene.queue(), await scene.queue('jobs', { kind: 'topic' })]
    await scene.subscribe(queue, 's')
    await scene.subscribe(topic, 's')
    const [staying, leaving, elsewhere] = [
      signalsOf(scene.storage, queue),
      signalsOf(scene.storage, queue),
      signalsOf(scene.storage, topic),
    ]
    await staying.after(() => leaving.after(() => scene.confirm(queue, 's', true)))
    leaving.end()
    leaving.end()
    const { heard } = leaving
    await staying.after(() => scene.confirm(queue, 's', false))
    assert.equal(leaving.heard, heard)
    await elsewhere.after(() => scene.confirm(topic, 's', true))
    staying.end()
    elsewhere.end()
  })

  it('a refused change need not be signalled, and the one behind it is', async (scene) => {
    const queue = await scene.queue()
    await scene.subscribe(queue, 's')
    const updated = fresh(await scene.storage.queues.update({ queue, metadata: '{"a": 1}', now: scene.now }))
    await watching(scene, queue, async (signals) => {
      const { subscriptions } = scene.storage
      assert.equal(await subscriptions.update({ queue, id: 's', ttlSeconds: 60, now: scene.now }), STALE)
      await signals.after(() => scene.unsubscribe(updated, 's'))
    })
  })

  it.needing('severalProcesses', 'what another client does is signalled', async (scene) => {
    const queue = await scene.queue()
    for (const id of ['s', 't']) await scene.subscribe(queue, id)
    const watched = signalsOf(await scene.clients.openAnother(), queue)
    await watched.after(() => scene.confirm(queue, 's', true))
    await watched.after(() => scene.unsubscribe(queue, 's'))
    await watched.after(() => scene.storage.subscriptions.purge({ queue, now: scene.now }))
    await watched.after(() => scene.storage.queues.delete({ queue, now: scene.now }))
    watched.end()
  })
}

function signalsOf(storage: Storage, key: QueueKey): Signals {
  return new Signals((listener) => storage.watchSubscriptions(key, listener))
}

function watching(scene: Scene, key: QueueKey, run: (signals: Signals) => Promise<void>): Promise<void> {
  return withSignals((listener) => scene.storage.watchSubscriptions(key, listener), run)
}
