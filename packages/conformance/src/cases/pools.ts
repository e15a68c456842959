import assert from 'node:assert/strict'
import type { Pool, PoolStore } from 'zaqar/storage'
import type { It } from './case.ts'

const project = 'alpha'

export function poolCases(it: It): void {
  it('a pool is stored, overwritten and read back', async ({ storage: { pools } }) => {
    assert.equal(await pools.getPool({ project, name: 'east' }), null)
    const east = pool('east', { weight: 4294967295, options: '{"b": 1.0, "10": [null]}', flavor: 'gold' })
    assert.equal(await pools.putPool({ project, pool: east }), 'stored')
    assert.deepEqual(await pools.getPool({ project, name: 'east' }), east)
    const changed = pool('east', { uri: 'redis://other', weight: 0 })
    assert.equal(await pools.putPool({ project, pool: changed }), 'stored')
    assert.deepEqual(await pools.getPool({ project, name: 'east' }), changed)
    assert.deepEqual(await pools.listPools({ project, after: null, limit: 10 }), [changed])
  })

  it('a URI belongs to one pool', async ({ storage: { pools } }) => {
    const put = (one: Pool) => pools.putPool({ project, pool: one })
    await put(pool('east'))
    const west = pool('west', { uri: pool('east').uri })
    assert.equal(await put(west), 'uri-in-use')
    assert.equal(await pools.getPool({ project, name: 'west' }), null)
    assert.equal(await put(pool('east', { weight: 7 })), 'stored', 'its own is not in use')
    await put(pool('west'))
    assert.equal(await put(west), 'uri-in-use')
    assert.equal(await pools.updatePool({ project, name: 'west', uri: west.uri, weight: 3 }), 'uri-in-use')
    assert.deepEqual(await pools.getPool({ project, name: 'west' }), pool('west'))
    await pools.deletePool({ name: 'east' })
    assert.equal(await put(west), 'stored')
  })

  it('an update of a pool changes what is given and leaves the rest', async ({ storage: { pools } }) => {
    const east = pool('east', { options: '{"n": 1}', flavor: 'gold' })
    await pools.putPool({ project, pool: east })
    const changes = [{ uri: 'redis://other' }, { weight: 0 }, { options: '{}' }, { flavor: null }, { flavor: 'silver' }]
    let expected = east
    for (const change of changes) {
      expected = { ...expected, ...change }
      assert.deepEqual(await pools.updatePool({ project, name: 'east', ...change }), expected)
      assert.deepEqual(await pools.getPool({ project, name: 'east' }), expected)
    }
    assert.equal(await pools.updatePool({ project, name: 'west', weight: 1 }), 'absent')
  })

  it('pools and flavors are listed by name, page by page', async ({ storage: { pools } }) => {
    const inOrder = ['10', '9', 'B', 'a', 'é']
    for (const name of inOrder.toReversed()) {
      await pools.putPool({ project, pool: pool(name) })
      await pools.putFlavor({ flavor: { project, name, pools: [name] } })
    }
    const pages = async (list: (page: { after: string | null; limit: number }) => Promise<{ name: string }[]>) => {
      const names = (rows: { name: string }[]) => rows.map((row) => row.name)
      assert.deepEqual(names(await list({ after: null, limit: 10 })), inOrder)
      assert.deepEqual(names(await list({ after: null, limit: 2 })), inOrder.slice(0, 2))
      assert.deepEqual(names(await list({ after: '9', limit: 2 })), inOrder.slice(2, 4))
      assert.deepEqual(names(await list({ after: 'A', limit: 10 })), inOrder.slice(2))
    }
    await pages((page) => pools.listPools({ project: 'beta', ...page }))
    await pages((page) => pools.listFlavors({ project, ...page }))
    assert.deepEqual(await pools.listFlavors({ project: 'beta', after: null, limit: 10 }), [])
  })

  it('the last pool of a flavor of any project cannot be deleted', async ({ storage: { pools } }) => {
    await putPools(pools, 'east', 'west')
    await pools.putFlavor({ flavor: { project, name: 'both', pools: ['east', 'west'] } })
    await pools.putFlavor({ flavor: { project: 'beta', name: 'bronze', pools: ['east'] } })
    await pools.updatePool({ project: 'gamma', name: 'east', flavor: 'a flavor to come' })
    const flavors = ['a flavor to come', 'bronze']
    assert.deepEqual(await pools.deletePool({ name: 'east' }), { deleted: false, flavors })
    assert.notEqual(await pools.getPool({ project, name: 'east' }), null)
    assert.deepEqual(await pools.deletePool({ name: 'west' }), { deleted: true })
    assert.deepEqual(await poolsOf(pools, 'both'), ['east'])
    await pools.updatePool({ project: 'gamma', name: 'east', flavor: null })
    await pools.deleteFlavor({ project: 'beta', name: 'bronze' })
    assert.deepEqual(await pools.deletePool({ name: 'east' }), { deleted: false, flavors: ['both'] })
    await pools.deleteFlavor({ project, name: 'both' })
    assert.deepEqual(await pools.deletePool({ name: 'east' }), { deleted: true })
    assert.deepEqual(await pools.deletePool({ name: 'missing' }), { deleted: true })
  })

  it('a flavor is stored, read back and deleted', async ({ storage: { pools } }) => {
    await putPools(pools, 'east', 'west')
    const gold = { project, name: 'gold', pools: ['east', 'west'] }
    assert.equal(await pools.getFlavor(gold), null)
    assert.deepEqual(await pools.putFlavor({ flavor: { ...gold, pools: ['west', 'east'] } }), { stored: true })
    assert.deepEqual(await pools.getFlavor(gold), gold)
    assert.deepEqual(await pools.listFlavors({ project, after: null, limit: 10 }), [gold])
    assert.deepEqual(await flavorsOf(pools, 'east', 'west'), ['gold', 'gold'])
    await pools.deleteFlavor(gold)
    await pools.deleteFlavor(gold)
    assert.equal(await pools.getFlavor(gold), null)
    assert.deepEqual(await flavorsOf(pools, 'east', 'west'), [null, null])
  })

  it('a put adds pools to a flavor, an update takes others out', async ({ storage: { pools } }) => {
    await putPools(pools, 'east', 'west')
    const gold = { project, name: 'gold', pools: ['east'] }
    assert.equal(await pools.updateFlavor({ flavor: gold }), 'absent')
    assert.deepEqual(await flavorsOf(pools, 'east'), [null])
    await pools.putFlavor({ flavor: gold })
    await pools.putFlavor({ flavor: { ...gold, pools: ['west'] } })
    assert.deepEqual(await poolsOf(pools, 'gold'), ['east', 'west'])
    assert.deepEqual(await pools.updateFlavor({ flavor: { ...gold, pools: ['west'] } }), { stored: true })
    assert.deepEqual(await poolsOf(pools, 'gold'), ['west'])
    assert.deepEqual(await flavorsOf(pools, 'east', 'west'), [null, 'gold'])
  })

  it('in a project a pool belongs to one flavor', async ({ storage: { pools } }) => {
    await putPools(pools, 'east', 'west')
    await pools.updatePool({ project, name: 'east', flavor: 'gold' })
    await pools.putFlavor({ flavor: { project, name: 'gold', pools: ['west'] } })
    assert.deepEqual(await poolsOf(pools, 'gold'), ['east', 'west'], 'one that was tied before the flavor was there')
    await pools.putFlavor({ flavor: { project, name: 'silver', pools: ['east', 'west'] } })
    assert.deepEqual(await poolsOf(pools, 'gold'), [])
    await pools.updatePool({ project, name: 'east', flavor: 'gold' })
    assert.deepEqual(await poolsOf(pools, 'gold'), ['east'])
    assert.deepEqual(await poolsOf(pools, 'silver'), ['west'])
  })

  it('flavors of the same name in two projects have nothing in common', async ({ storage: { pools } }) => {
    await putPools(pools, 'east', 'west')
    const mine = { project, name: 'gold', pools: ['east', 'west'] }
    const theirs = { project: 'beta', name: 'gold', pools: ['east'] }
    await pools.putFlavor({ flavor: mine })
    assert.equal(await pools.getFlavor(theirs), null)
    assert.equal(await pools.updateFlavor({ flavor: theirs }), 'absent')
    await pools.putFlavor({ flavor: theirs })
    await pools.updateFlavor({ flavor: theirs })
    await pools.putPool({ project: 'beta', pool: pool('west') })
    assert.deepEqual(await pools.getFlavor(mine), mine)
    assert.deepEqual(await flavorsOf(pools, 'east', 'west'), ['gold', 'gold'])
    assert.equal((await pools.getPool({ project: 'beta', name: 'west' }))?.flavor, null)
    await pools.deleteFlavor(theirs)
    assert.deepEqual(await pools.getFlavor(mine), mine)
  })

  it('a flavor with an unknown pool is not stored', async ({ storage: { pools } }) => {
    await putPools(pools, 'east')
    const gold = { project, name: 'gold', pools: ['east'] }
    const wrong = { ...gold, pools: ['east', 'nowhere', 'west'] }
    const refused = { stored: false, unknownPool: 'nowhere' }
    assert.deepEqual(await pools.putFlavor({ flavor: wrong }), refused)
    assert.equal(await pools.getFlavor(gold), null)
    assert.deepEqual(await flavorsOf(pools, 'east'), [null])
    await pools.putFlavor({ flavor: gold })
    assert.deepEqual(await pools.updateFlavor({ flavor: wrong }), refused)
    assert.deepEqual(await pools.getFlavor(gold), gold)
  })
}

function pool(name: string, terms: Partial<Pool> = {}): Pool {
  return { name, uri: `redis://${name}`, weight: 100, options: '{}', flavor: null, ...terms }
}

async function putPools(pools: PoolStore, ...names: string[]): Promise<void> {
  for (const name of names) await pools.putPool({ project, pool: pool(name) })
}

async function poolsOf(pools: PoolStore, name: string): Promise<readonly string[] | undefined> {
  return (await pools.getFlavor({ project, name }))?.pools
}

async function flavorsOf(pools: PoolStore, ...names: string[]): Promise<(string | null | undefined)[]> {
  return Promise.all(names.map(async (name) => (await pools.getPool({ project, name }))?.flavor))
}
