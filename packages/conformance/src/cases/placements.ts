import assert from 'node:assert/strict'
import type { Placement, PlacementStore, QueueKey } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import { withSignals } from '../signal.ts'
import type { It } from './case.ts'

const project = 'alpha'
const jobs: QueueKey = { project, kind: 'queue', name: 'jobs' }

export function placementCases(it: It): void {
  it('a queue is placed once, and stays where it was placed', async (scene) => {
    const { placements } = await withPools(scene, { east: 1 })
    assert.equal(await placements.get({ key: jobs }), null)
    const placement = await place(placements, jobs)
    assert.deepEqual(placement, {
      ...jobs,
      pool: 'east',
      version: placement.version,
      isSettled: false,
      token: null,
      target: null,
    })
    assert.deepEqual(await placements.get({ key: jobs }), placement)
    await scene.storage.pools.updatePool({ project, name: 'east', weight: 0 })
    const again = await placements.place({ key: jobs, flavor: null, without: [], draw: 0 })
    assert(again !== 'no-pool')
    assert.deepEqual(again, { placement, isNew: false }, 'several may be about to make it')
  })

  it('who takes its mark away notices who places it after that', async (scene) => {
    const { placements } = await withPools(scene, { east: 1 })
    await place(placements, jobs)
    const leaving = await placements.unsettle({ key: jobs, pool: 'east' })
    assert(leaving)
    const again = await placements.place({ key: jobs, flavor: null, without: [], draw: 0 })
    assert(again !== 'no-pool')
    assert.equal(await placements.remove({ placement: leaving }), false)
    const another = await placements.place({ key: jobs, flavor: null, without: [], draw: 0 })
    assert.deepEqual(another, again)
    assert.equal(await placements.settle({ placement: again.placement }), true)
  })

  it('a settled one is left as it is', async (scene) => {
    const { placements } = await withPools(scene, { east: 1 })
    assert.equal(await placements.settle({ placement: await place(placements, jobs) }), true)
    const settled = await placements.get({ key: jobs })
    assert.equal(settled?.isSettled, true)
    const again = await placements.place({ key: jobs, flavor: null, without: [], draw: 0 })
    assert.deepEqual(again, { placement: settled, isNew: false })
  })

  it('what lies in the store without a placement is adopted, a page at a time', async (scene) => {
    const { storage } = scene
    const { placements } = await withPools(scene, { east: 1, west: 1 })
    const keys: QueueKey[] = [
      { project, kind: 'queue', name: 'a' },
      { project, kind: 'queue', name: 'b' },
      { project, kind: 'topic', name: 'a' },
      { project: 'beta', kind: 'queue', name: 'a' },
    ]
    for (const key of keys) await storage.queues.create({ key, metadata: '{}', now: scene.now })
    const placed = await place(placements, keys[1] as QueueKey, { without: ['east'] })
    const seen: (QueueKey | null)[] = []
    for (let after: QueueKey | null = null; ; ) {
      after = await placements.adopt({ pool: 'east', after, limit: 2 })
      seen.push(after)
      if (after === null) break
    }
    assert.deepEqual(seen, [keys[1], keys[3], null])
    const { queue } = await storage.queues.create({ key: jobs, metadata: '{}', now: scene.now })
    assert.equal(await placements.adopt({ pool: 'nowhere', after: null, limit: 10 }), null)
    assert.equal(await placements.get({ key: queue }), null)
    const adopted = await placements.listPool({ pool: 'east', after: null, limit: 10 })
    assert.deepEqual(
      adopted.map(({ project, kind, name, isSettled }) => ({ project, kind, name, isSettled })),
      [keys[0], keys[2], keys[3]].map((key) => ({ ...key, isSettled: true })),
    )
    assert.deepEqual(await placements.get({ key: keys[1] as QueueKey }), placed, 'what has one keeps it')
  })

  it('what is drawn hits the pools in proportion to their weights', async (scene) => {
    const { placements } = await withPools(scene, { east: 1, none: 0, west: 3 })
    const drawn: string[] = []
    for (const draw of [0, 0.24, 0.26, 0.5, 0.99]) {
      const placement = await place(placements, { ...jobs, name: `q${draw}` }, { draw })
      drawn.push(placement.pool)
    }
    assert.deepEqual(drawn, ['east', 'east', 'west', 'west', 'west'])
    assert.equal((await place(placements, jobs, { without: ['west'], draw: 0.99 })).pool, 'east')
  })

  it('a flavor has pools of its own, as the project sees them', async (scene) => {
    const { placements } = await withPools(scene, { east: 1, west: 1 })
    await scene.storage.pools.putFlavor({ flavor: { project, name: 'gold', pools: ['west'] } })
    const pools = async (project: string, flavor: string | null) => {
      const placed = await Promise.all(
        [0, 0.99].map((draw) => place(placements, { ...jobs, project, name: `${flavor}-${draw}` }, { flavor, draw })),
      )
      return placed.map(({ pool }) => pool)
    }
    assert.deepEqual(await pools(project, 'gold'), ['west', 'west'])
    assert.deepEqual(await pools(project, null), ['east', 'east'])
    assert.deepEqual(await pools('beta', null), ['east', 'west'])
    assert.equal(await placements.place({ key: jobs, flavor: 'silver', without: [], draw: 0 }), 'no-pool')
    assert.equal(await placements.place({ key: jobs, flavor: null, without: ['east'], draw: 0 }), 'no-pool')
    assert.equal(await placements.get({ key: jobs }), null)
  })

  it('what is done with a version that is not the latest does nothing', async (scene) => {
    const { placements } = await withPools(scene, { east: 1, west: 1 })
    const old = await place(placements, jobs)
    const placement = await placements.unsettle({ key: jobs, pool: 'east' })
    assert(placement)
    assert.equal(await placements.settle({ placement: old }), false)
    assert.equal(await placements.remove({ placement: old }), false)
    assert.equal(await placements.move({ placement: old, pool: 'west' }), null)
    assert.equal(await placements.unsettle({ key: jobs, pool: 'east', version: old.version }), null)
    assert.equal(await placements.unsettle({ key: jobs, pool: 'west' }), null)
    assert.deepEqual(await placements.get({ key: jobs }), placement)
    assert.equal(await placements.remove({ placement }), true)
    assert.equal(await placements.get({ key: jobs }), null)
    assert.equal(await placements.unsettle({ key: jobs, pool: 'east' }), null)
  })

  it('one can be moved to a pool that is there', async (scene) => {
    const { placements } = await withPools(scene, { east: 1, west: 0 })
    const placement = await place(placements, jobs)
    assert.equal(await placements.move({ placement, pool: 'south' }), null)
    const moved = await placements.move({ placement, pool: 'west' })
    assert(moved)
    assert.deepEqual(moved, { ...placement, pool: 'west', version: moved.version })
    assert.notEqual(moved.version, placement.version)
  })

  it('a pool that holds queues is not deleted', async (scene) => {
    const { placements } = await withPools(scene, { east: 1, west: 1 })
    const { pools } = scene.storage
    const placement = await place(placements, jobs)
    assert.deepEqual(await pools.deletePool({ name: 'east' }), { deleted: false, holds: 'queues' })
    assert.deepEqual(await pools.deletePool({ name: 'west' }), { deleted: true })
    await placements.remove({ placement })
    assert.deepEqual(await pools.deletePool({ name: 'east' }), { deleted: true })
  })

  it('they are listed by name, and counted when they are settled', async (scene) => {
    const { placements } = await withPools(scene, { east: 1, west: 1 })
    for (const name of ['b', 'a', 'ab', 'c']) {
      const placement = await place(placements, { ...jobs, name }, { draw: name === 'c' ? 0.9 : 0 })
      if (name !== 'b') await placements.settle({ placement })
    }
    await place(placements, { ...jobs, kind: 'topic', name: 'topic' })
    await place(placements, { ...jobs, project: 'beta', name: 'beta' })
    const list = async (after: string | null, limit: number, nameContains: string | null = null) => {
      const found = await placements.list({ project, kind: 'queue', after, limit, nameContains })
      return found.map(({ name, isSettled }) => (isSettled ? name : `${name}?`))
    }
    assert.deepEqual(await list(null, 10), ['a', 'ab', 'b?', 'c'])
    assert.deepEqual(await list('a', 2), ['ab', 'b?'])
    assert.deepEqual(await list(null, 10, 'b'), ['ab', 'b?'])
    const counted = await placements.count({ project, kind: 'queue' })
    assert.deepEqual(
      new Set(counted),
      new Set([
        { pool: 'east', queues: 2 },
        { pool: 'west', queues: 1 },
      ]),
    )
    const ofPool = async (after: QueueKey | null, limit: number) =>
      (await placements.listPool({ pool: 'east', after, limit })).map((one) => `${one.project} ${one.kind} ${one.name}`)
    const all = ['alpha queue a', 'alpha queue ab', 'alpha queue b', 'alpha topic topic', 'beta queue beta']
    assert.deepEqual(await ofPool(null, 10), all)
    assert.deepEqual(await ofPool({ ...jobs, name: 'ab' }, 2), all.slice(2, 4))
  })

  it('who watches the queue is told when it is settled, moved or removed', async (scene) => {
    const { placements } = await withPools(scene, { east: 1, west: 1 })
    const watch = (listener: () => void) => scene.storage.watch(jobs, listener)
    await withSignals(watch, async (signals) => {
      await signals.after(async () => placements.settle({ placement: await place(placements, jobs) }))
      const placement = await placements.get({ key: jobs })
      assert(placement)
      await signals.after(() => placements.move({ placement, pool: 'west' }))
      const moved = await placements.get({ key: jobs })
      assert(moved)
      await signals.after(() => placements.remove({ placement: moved }))
    })
  })

  it.needing('survivesReopen', 'they are there after a reopening', async (scene) => {
    const { placements } = await withPools(scene, { east: 1 })
    const placement = await place(placements, jobs)
    await scene.clients.reopen()
    assert.deepEqual(await scene.storage.placements.get({ key: jobs }), placement)
    assert.equal(await scene.storage.placements.settle({ placement }), true)
  })
}

/** Pools of these weights. */
async function withPools(scene: Scene, weights: Readonly<Record<string, number>>): Promise<Scene['storage']> {
  for (const [name, weight] of Object.entries(weights)) {
    const pool = { name, uri: `redis://${name}`, weight, options: '{}', flavor: null }
    await scene.storage.pools.putPool({ project, pool })
  }
  return scene.storage
}

async function place(
  placements: PlacementStore,
  key: QueueKey,
  terms: { flavor?: string; without?: string[]; draw?: number } | { flavor: string | null; draw: number } = {},
): Promise<Placement> {
  const answer = await placements.place({ key, flavor: null, without: [], draw: 0, ...terms })
  assert(answer !== 'no-pool')
  assert(answer.isNew)
  return answer.placement
}
