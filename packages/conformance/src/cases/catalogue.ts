import assert from 'node:assert/strict'
import type { CatalogueStore, Pool } from 'zaqar/storage'
import type { It } from './case.ts'

const project = 'alpha'

export function catalogueCases(it: It): void {
  it('a pool is stored, overwritten and read back', async ({ storage: { catalogue } }) => {
    assert.equal(await catalogue.getPool({ project, name: 'east' }), null)
    const east = pool('east', { weight: 4294967295, options: '{"b": 1.0, "10": [null]}', flavor: 'gold' })
    assert.equal(await catalogue.putPool({ project, pool: east }), 'stored')
    assert.deepEqual(await catalogue.getPool({ project, name: 'east' }), east)
    const changed = pool('east', { uri: 'redis://other', weight: 0 })
    assert.equal(await catalogue.putPool({ project, pool: changed }), 'stored')
    assert.deepEqual(await catalogue.getPool({ project, name: 'east' }), changed)
    assert.deepEqual(await catalogue.listPools({ project, after: null, limit: 10 }), [changed])
  })

  it('a URI belongs to one pool', async ({ storage: { catalogue } }) => {
    const put = (one: Pool) => catalogue.putPool({ project, pool: one })
    await put(pool('east'))
    const west = pool('west', { uri: pool('east').uri })
    assert.equal(await put(west), 'uri-in-use')
    assert.equal(await catalogue.getPool({ project, name: 'west' }), null)
    assert.equal(await put(pool('east', { weight: 7 })), 'stored', 'its own is not in use')
    await put(pool('west'))
    assert.equal(await put(west), 'uri-in-use')
    assert.equal(await catalogue.updatePool({ project, name: 'west', uri: west.uri, weight: 3 }), 'uri-in-use')
    assert.deepEqual(await catalogue.getPool({ project, name: 'west' }), pool('west'))
    await catalogue.deletePool({ name: 'east' })
    assert.equal(await put(west), 'stored')
  })

  it('an update of a pool changes what is given and leaves the rest', async ({ storage: { catalogue } }) => {
    const east = pool('east', { options: '{"n": 1}', flavor: 'gold' })
    await catalogue.putPool({ project, pool: east })
    const changes = [{ uri: 'redis://other' }, { weight: 0 }, { options: '{}' }, { flavor: null }, { flavor: 'silver' }]
    let expected = east
    for (const change of changes) {
      expected = { ...expected, ...change }
      assert.deepEqual(await catalogue.updatePool({ project, name: 'east', ...change }), expected)
      assert.deepEqual(await catalogue.getPool({ project, name: 'east' }), expected)
    }
    assert.equal(await catalogue.updatePool({ project, name: 'west', weight: 1 }), 'absent')
  })

  it('pools and flavors are listed by name, page by page', async ({ storage: { catalogue } }) => {
    const inOrder = ['10', '9', 'B', 'a', 'é']
    for (const name of inOrder.toReversed()) {
      await catalogue.putPool({ project, pool: pool(name) })
      await catalogue.putFlavor({ flavor: { project, name, pools: [name] } })
    }
    const pages = async (list: (page: { after: string | null; limit: number }) => Promise<{ name: string }[]>) => {
      const names = (rows: { name: string }[]) => rows.map((row) => row.name)
      assert.deepEqual(names(await list({ after: null, limit: 10 })), inOrder)
      assert.deepEqual(names(await list({ after: null, limit: 2 })), inOrder.slice(0, 2))
      assert.deepEqual(names(await list({ after: '9', limit: 2 })), inOrder.slice(2, 4))
      assert.deepEqual(names(await list({ after: 'A', limit: 10 })), inOrder.slice(2))
    }
    await pages((page) => catalogue.listPools({ project: 'beta', ...page }))
    await pages((page) => catalogue.listFlavors({ project, ...page }))
    assert.deepEqual(await catalogue.listFlavors({ project: 'beta', after: null, limit: 10 }), [])
  })

  it('the last pool of a flavor of any project cannot be deleted', async ({ storage: { catalogue } }) => {
    await putPools(catalogue, 'east', 'west')
    await catalogue.putFlavor({ flavor: { project, name: 'both', pools: ['east', 'west'] } })
    await catalogue.putFlavor({ flavor: { project: 'beta', name: 'bronze', pools: ['east'] } })
    await catalogue.updatePool({ project: 'gamma', name: 'east', flavor: 'a flavor to come' })
    const flavors = ['a flavor to come', 'bronze']
    assert.deepEqual(await catalogue.deletePool({ name: 'east' }), { deleted: false, flavors })
    assert.notEqual(await catalogue.getPool({ project, name: 'east' }), null)
    assert.deepEqual(await catalogue.deletePool({ name: 'west' }), { deleted: true })
    assert.deepEqual(await poolsOf(catalogue, 'both'), ['east'])
    await catalogue.updatePool({ project: 'gamma', name: 'east', flavor: null })
    await catalogue.deleteFlavor({ project: 'beta', name: 'bronze' })
    assert.deepEqual(await catalogue.deletePool({ name: 'east' }), { deleted: false, flavors: ['both'] })
    await catalogue.deleteFlavor({ project, name: 'both' })
    assert.deepEqual(await catalogue.deletePool({ name: 'east' }), { deleted: true })
    assert.deepEqual(await catalogue.deletePool({ name: 'missing' }), { deleted: true })
  })

  it('a flavor is stored, read back and deleted', async ({ storage: { catalogue } }) => {
    await putPools(catalogue, 'east', 'west')
    const gold = { project, name: 'gold', pools: ['east', 'west'] }
    assert.equal(await catalogue.getFlavor(gold), null)
    assert.deepEqual(await catalogue.putFlavor({ flavor: { ...gold, pools: ['west', 'east'] } }), { stored: true })
    assert.deepEqual(await catalogue.getFlavor(gold), gold)
    assert.deepEqual(await catalogue.listFlavors({ project, after: null, limit: 10 }), [gold])
    assert.deepEqual(await flavorsOf(catalogue, 'east', 'west'), ['gold', 'gold'])
    await catalogue.deleteFlavor(gold)
    await catalogue.deleteFlavor(gold)
    assert.equal(await catalogue.getFlavor(gold), null)
    assert.deepEqual(await flavorsOf(catalogue, 'east', 'west'), [null, null])
  })

  it('a put adds pools to a flavor, an update takes others out', async ({ storage: { catalogue } }) => {
    await putPools(catalogue, 'east', 'west')
    const gold = { project, name: 'gold', pools: ['east'] }
    assert.equal(await catalogue.updateFlavor({ flavor: gold }), 'absent')
    assert.deepEqual(await flavorsOf(catalogue, 'east'), [null])
    await catalogue.putFlavor({ flavor: gold })
    await catalogue.putFlavor({ flavor: { ...gold, pools: ['west'] } })
    assert.deepEqual(await poolsOf(catalogue, 'gold'), ['east', 'west'])
    assert.deepEqual(await catalogue.updateFlavor({ flavor: { ...gold, pools: ['west'] } }), { stored: true })
    assert.deepEqual(await poolsOf(catalogue, 'gold'), ['west'])
    assert.deepEqual(await flavorsOf(catalogue, 'east', 'west'), [null, 'gold'])
  })

  it('in a project a pool belongs to one flavor', async ({ storage: { catalogue } }) => {
    await putPools(catalogue, 'east', 'west')
    await catalogue.updatePool({ project, name: 'east', flavor: 'gold' })
    await catalogue.putFlavor({ flavor: { project, name: 'gold', pools: ['west'] } })
    assert.deepEqual(
      await poolsOf(catalogue, 'gold'),
      ['east', 'west'],
      'one that was tied before the flavor was there',
    )
    await catalogue.putFlavor({ flavor: { project, name: 'silver', pools: ['east', 'west'] } })
    assert.deepEqual(await poolsOf(catalogue, 'gold'), [])
    await catalogue.updatePool({ project, name: 'east', flavor: 'gold' })
    assert.deepEqual(await poolsOf(catalogue, 'gold'), ['east'])
    assert.deepEqual(await poolsOf(catalogue, 'silver'), ['west'])
  })

  it('flavors of the same name in two projects have nothing in common', async ({ storage: { catalogue } }) => {
    await putPools(catalogue, 'east', 'west')
    const mine = { project, name: 'gold', pools: ['east', 'west'] }
    const theirs = { project: 'beta', name: 'gold', pools: ['east'] }
    await catalogue.putFlavor({ flavor: mine })
    assert.equal(await catalogue.getFlavor(theirs), null)
    assert.equal(await catalogue.updateFlavor({ flavor: theirs }), 'absent')
    await catalogue.putFlavor({ flavor: theirs })
    await catalogue.updateFlavor({ flavor: theirs })
    await catalogue.putPool({ project: 'beta', pool: pool('west') })
    assert.deepEqual(await catalogue.getFlavor(mine), mine)
    assert.deepEqual(await flavorsOf(catalogue, 'east', 'west'), ['gold', 'gold'])
    assert.equal((await catalogue.getPool({ project: 'beta', name: 'west' }))?.flavor, null)
    await catalogue.deleteFlavor(theirs)
    assert.deepEqual(await catalogue.getFlavor(mine), mine)
  })

  it('a flavor with an unknown pool is not stored', async ({ storage: { catalogue } }) => {
    await putPools(catalogue, 'east')
    const gold = { project, name: 'gold', pools: ['east'] }
    const wrong = { ...gold, pools: ['east', 'nowhere', 'west'] }
    const refused = { stored: false, unknownPool: 'nowhere' }
    assert.deepEqual(await catalogue.putFlavor({ flavor: wrong }), refused)
    assert.equal(await catalogue.getFlavor(gold), null)
    assert.deepEqual(await flavorsOf(catalogue, 'east'), [null])
    await catalogue.putFlavor({ flavor: gold })
    assert.deepEqual(await catalogue.updateFlavor({ flavor: wrong }), refused)
    assert.deepEqual(await catalogue.getFlavor(gold), gold)
  })
}

function pool(name: string, terms: Partial<Pool> = {}): Pool {
  return { name, uri: `redis://${name}`, weight: 100, options: '{}', flavor: null, ...terms }
}

async function putPools(catalogue: CatalogueStore, ...names: string[]): Promise<void> {
  for (const name of names) await catalogue.putPool({ project, pool: pool(name) })
}

async function poolsOf(catalogue: CatalogueStore, name: string): Promise<readonly string[] | undefined> {
  return (await catalogue.getFlavor({ project, name }))?.pools
}

async function flavorsOf(catalogue: CatalogueStore, ...pools: string[]): Promise<(string | null | undefined)[]> {
  return Promise.all(pools.map(async (name) => (await catalogue.getPool({ project, name }))?.flavor))
}
