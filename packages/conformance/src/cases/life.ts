import assert from 'node:assert/strict'
import { StorageUnavailable } from 'zaqar/storage'
import type { It } from './case.ts'

export function lifeCases(it: It): void {
  it('an open storage answers a ping and names itself', async ({ storage }) => {
    await storage.ping()
    assert.match(storage.abilities.engine, /^\S+$/)
    assert.notEqual(storage.weakness(), '')
  })

  it('closing waits for the moves under way', async (scene) => {
    const queue = await scene.queue()
    const moves = Array.from({ length: 20 }, (_, n) => scene.post(queue, `${n}`))
    await scene.storage.close()
    const answers = await Promise.all(moves)
    assert.equal(new Set(answers.flat()).size, 20)
  })

  it('a closed storage refuses every move, and may be closed again', async (scene) => {
    const queue = await scene.queue()
    const { storage, now } = scene
    const end = storage.watch(queue, () => assert.fail('a closed storage has no news'))
    await storage.close()
    await storage.close()
    end()
    const moves: (() => Promise<unknown>)[] = [
      () => storage.ping(),
      () => storage.queues.get({ key: queue, now }),
      () => storage.queues.create({ key: queue, metadata: '{}', now }),
      () => storage.messages.get({ queue, ids: [], now }),
      () => scene.post(queue, 'a'),
      () => scene.tryClaim(queue),
      () => storage.subscriptions.get({ queue: queue, id: 's', now }),
    ]
    for (const move of moves) await assert.rejects(move, StorageUnavailable)
  })

  it('what was read is a copy', async (scene) => {
    const queue = await scene.queue()
    const id = await scene.postOne(queue, 'a')
    const before = await scene.getOne(queue, id)
    const claim = await scene.claim(queue)
    assert.equal(before.claimId, null)
    await scene.release(queue, claim.id)
    assert.equal(claim.messages[0]?.claimId, claim.id)
  })
}

export function registryLifeCases(it: It): void {
  it('a closed storage refuses every move of its registry', async ({ storage, now }) => {
    await storage.close()
    const moves: (() => Promise<unknown>)[] = [
      () => storage.queues.count({ project: 'alpha', kind: 'queue', now }),
      () => storage.pools.getPool({ project: 'alpha', name: 'east' }),
    ]
    for (const move of moves) await assert.rejects(move, StorageUnavailable)
  })
}
