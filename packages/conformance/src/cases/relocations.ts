import assert from 'node:assert/strict'
import type { LeasedRelocation, Pool, Relocation, RelocationStore } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

const project = 'alpha'

export function relocationCases(it: It): void {
  it('a drain takes the weight of its pool, and is shown', async (scene) => {
    await putPool(scene, 'east', 7)
    const { relocations } = scene.storage
    assert.equal(await relocations.get({ pool: 'east' }), null)
    const asked = await begin(scene, 'east', 500)
    const expected: Relocation = {
      pool: 'east',
      status: 'active',
      rate: 500,
      askedAt: scene.now,
      endedAt: null,
      queuesLeft: null,
      queuesMoved: 0,
      recordsMoved: 0,
      trouble: null,
    }
    assert.deepEqual(asked, expected)
    assert.deepEqual(await relocations.get({ pool: 'east' }), asked)
    assert.equal(await weightOf(scene, 'east'), 0)
    assert.equal(await relocations.get({ pool: null }), null)
  })

  it('there is none of a pool that is not there', async (scene) => {
    const { relocations } = scene.storage
    for (const pool of ['east', 'e\0', '\ud800']) {
      assert.equal(await relocations.begin({ pool, rate: null, now: scene.now }), 'no-pool')
      assert.equal(await relocations.get({ pool }), null)
      assert.equal(await relocations.cancel({ pool, now: scene.now }), null)
    }
    assert.equal(await relocations.cancel({ pool: null, now: scene.now }), null)
    assert.equal(await relocations.lease({ seconds: 10, now: scene.now }), null)
  })

  it('who asks again for one that is active changes its rate alone', async (scene) => {
    await putPool(scene, 'east', 7)
    const first = await begin(scene, 'east', 500)
    scene.pass(5)
    assert.deepEqual(await begin(scene, 'east', null), { ...first, rate: null })
  })

  it('the rebalance needs no pool, and takes no weight', async (scene) => {
    await putPool(scene, 'east', 7)
    const asked = await begin(scene, null)
    assert.equal(asked.pool, null)
    assert.deepEqual(await scene.storage.relocations.get({ pool: null }), asked)
    assert.equal(await weightOf(scene, 'east'), 7)
  })

  it('a pool gets no weight while it is drained', async (scene) => {
    const { pools, relocations } = scene.storage
    const east = await putPool(scene, 'east', 7)
    await begin(scene, 'east')
    assert.equal(await pools.putPool({ project, pool: east }), 'draining')
    assert.equal(await pools.updatePool({ project, name: 'east', weight: 3 }), 'draining')
    assert.equal(await weightOf(scene, 'east'), 0)
    const changed = await pools.updatePool({ project, name: 'east', weight: 0, options: '{"a": 1}' })
    assert.deepEqual(changed, { ...east, weight: 0, options: '{"a": 1}' })
    await relocations.cancel({ pool: 'east', now: scene.now })
    assert.equal(await pools.putPool({ project, pool: { ...east, weight: 3 } }), 'stored')
  })

  it('when it is cancelled, its pool has the weight that it had', async (scene) => {
    const { pools, relocations } = scene.storage
    await putPool(scene, 'east', 7)
    const asked = await begin(scene, 'east')
    scene.pass(5)
    const cancelled = await relocations.cancel({ pool: 'east', now: scene.now })
    assert.deepEqual(cancelled, { ...asked, status: 'cancelled', endedAt: scene.now })
    assert.equal(await weightOf(scene, 'east'), 7)
    await pools.updatePool({ project, name: 'east', weight: 0 })
    scene.pass(5)
    assert.deepEqual(await relocations.cancel({ pool: 'east', now: scene.now }), cancelled)
    assert.equal(await weightOf(scene, 'east'), 0, 'once')
    await begin(scene, 'east')
    await relocations.cancel({ pool: 'east', now: scene.now })
    assert.equal(await weightOf(scene, 'east'), 0, 'it had none')
  })

  it('a pool that is drained stays without a weight; whether it failed, it can still be cancelled', async (scene) => {
    const { relocations } = scene.storage
    for (const [ends, weight] of [
      ['done', 0],
      ['failed', 7],
    ] as const) {
      await putPool(scene, ends, 7)
      await begin(scene, ends)
      const { lease } = await take(scene)
      scene.pass(2)
      const ended = await settle(scene, ends, lease, { ends, trouble: 'none', seconds: 0 })
      assert(ended !== 'lost')
      assert.deepEqual([ended.status, ended.endedAt, ended.trouble], [ends, scene.now, 'none'])
      assert.equal(await relocations.lease({ seconds: 10, now: scene.now }), null)
      assert.equal(await weightOf(scene, ends), 0)
      await relocations.cancel({ pool: ends, now: scene.now })
      assert.equal(await weightOf(scene, ends), weight, ends)
    }
  })

  it('one that failed can be asked for anew, and remembers the weight', async (scene) => {
    await putPool(scene, 'east', 7)
    await begin(scene, 'east')
    const { lease } = await take(scene)
    await settle(scene, 'east', lease, { queuesLeft: 3, queuesMoved: 2, recordsMoved: 9, trouble: 'x', ends: 'failed' })
    scene.pass(100)
    const again = await begin(scene, 'east')
    assert.deepEqual([again.status, again.askedAt, again.endedAt], ['active', scene.now, null])
    assert.deepEqual([again.queuesLeft, again.queuesMoved, again.recordsMoved, again.trouble], [null, 0, 0, null])
    assert.equal(await settle(scene, 'east', lease), 'lost', 'of the one before')
    await scene.storage.relocations.cancel({ pool: 'east', now: scene.now })
    assert.equal(await weightOf(scene, 'east'), 7)
  })

  it('each has one lease at a time, until it is over or given back', async (scene) => {
    const { relocations } = scene.storage
    const lease = () => relocations.lease({ seconds: 10, now: scene.now })
    await putPool(scene, 'east', 1)
    await begin(scene, 'east')
    await begin(scene, null)
    const taken = [await take(scene), await take(scene)]
    assert.deepEqual(taken.map(({ relocation }) => relocation.pool).sort(), ['east', null])
    assert.equal(await lease(), null)
    const east = taken.find(({ relocation }) => relocation.pool === 'east') as LeasedRelocation
    scene.pass(9)
    assert.notEqual(await settle(scene, 'east', east.lease), 'lost')
    scene.pass(1)
    assert.equal((await lease())?.relocation.pool, null)
    assert.equal(await lease(), null)
    assert.notEqual(await settle(scene, 'east', east.lease, { seconds: 0 }), 'lost')
    const again = await lease()
    assert.equal(again?.relocation.pool, 'east')
    assert.equal(await settle(scene, 'east', east.lease), 'lost')
    assert.equal(await settle(scene, null, east.lease), 'lost')
    scene.pass(11)
    assert.notEqual(await settle(scene, 'east', again.lease), 'lost', 'nobody has taken it meanwhile')
  })

  it('what is told is added up, and what stands in the way is the last of it', async (scene) => {
    await putPool(scene, 'east', 1)
    const asked = await begin(scene, 'east')
    const { lease } = await take(scene)
    await settle(scene, 'east', lease, { queuesLeft: 10, queuesMoved: 1, recordsMoved: 100, trouble: 'it is away' })
    const told = await settle(scene, 'east', lease, { queuesLeft: 4, queuesMoved: 2, recordsMoved: 1 })
    assert.deepEqual(told, { ...asked, queuesLeft: 4, queuesMoved: 3, recordsMoved: 101 })
    assert.deepEqual(await scene.storage.relocations.get({ pool: 'east' }), told)
  })

  it('who works at one hears that it was cancelled, and may tell what was done', async (scene) => {
    const { relocations } = scene.storage
    await putPool(scene, 'east', 1)
    await begin(scene, 'east')
    const { lease } = await take(scene)
    await relocations.cancel({ pool: 'east', now: scene.now })
    const told = await settle(scene, 'east', lease, { queuesMoved: 1, ends: 'done' })
    assert(told !== 'lost')
    assert.deepEqual([told.status, told.queuesMoved], ['cancelled', 1])
    assert.equal(await weightOf(scene, 'east'), 1)
  })

  it('it goes with its pool', async (scene) => {
    const { pools, relocations } = scene.storage
    await putPool(scene, 'east', 1)
    await begin(scene, 'east')
    await begin(scene, null)
    const taken = [await take(scene), await take(scene)]
    assert.deepEqual(await pools.deletePool({ name: 'east' }), { deleted: true })
    assert.equal(await relocations.get({ pool: 'east' }), null)
    for (const { relocation, lease } of taken) {
      const { pool } = relocation
      assert.equal((await settle(scene, pool, lease)) === 'lost', pool === 'east')
    }
  })

  it.needing('survivesReopen', 'it is there after a reopening', async (scene) => {
    await putPool(scene, 'east', 7)
    const asked = await begin(scene, 'east', 5)
    await scene.clients.reopen()
    assert.deepEqual(await scene.storage.relocations.get({ pool: 'east' }), asked)
    await scene.storage.relocations.cancel({ pool: 'east', now: scene.now })
    assert.equal(await weightOf(scene, 'east'), 7)
  })
}

async function putPool({ storage }: Scene, name: string, weight: number): Promise<Pool> {
  const pool = { name, uri: `redis://${name}`, weight, options: '{}', flavor: null }
  await storage.pools.putPool({ project, pool })
  return pool
}

async function weightOf({ storage }: Scene, name: string): Promise<number | undefined> {
  return (await storage.pools.getPool({ project, name }))?.weight
}

async function begin({ storage, now }: Scene, pool: string | null, rate: number | null = null): Promise<Relocation> {
  const asked = await storage.relocations.begin({ pool, rate, now })
  assert(asked !== 'no-pool')
  return asked
}

async function take({ storage, now }: Scene): Promise<LeasedRelocation> {
  const taken = await storage.relocations.lease({ seconds: 10, now })
  assert(taken)
  return taken
}

function settle(
  { storage, now }: Scene,
  pool: string | null,
  lease: string,
  told: Partial<Parameters<RelocationStore['settle']>[0]> = {},
): ReturnType<RelocationStore['settle']> {
  const nothing = { queuesLeft: null, queuesMoved: 0, recordsMoved: 0, trouble: null, seconds: 10, ends: null }
  return storage.relocations.settle({ ...nothing, ...told, pool, lease, now })
}
