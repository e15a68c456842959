import assert from 'node:assert/strict'
import type { Pool } from 'zaqar/storage'
import type { It } from './case.ts'

export function catalogueCases(it: It): void {
  it('a pool is stored, overwritten and read back', async ({ storage: { catalogue } }) => {
    assert.equal(await catalogue.getPool({ name: 'east' }), null)
    const east = pool('east', { weight: 4294967295, options: { b: 1, a: [null] }, flavor: 'gold' })
    assert.equal(await catalogue.putPool({ pool: east }), 'stored')
    assert.deepEqual(await catalogue.getPool({ name: 'east' }), east)
    const changed = pool('east', { uri: 'redis://other', weight: 0 })
    assert.equal(await catalogue.putPool({ pool: changed }), 'stored')
    assert.deepEqual(await catalogue.getPool({ name: 'east' }), changed)
    assert.deepEqual(await catalogue.listPools({ after: null, limit: 10 }), [changed])
  })

  it('a URI belongs to one pool', async ({ storage: { catalogue } }) => {
    await catalogue.putPool({ pool: pool('east') })
    const west = pool('west', { uri: pool('east').uri })
    assert.equal(await catalogue.putPool({ pool: west }), 'uri-in-use')
    assert.equal(await catalogue.getPool({ name: 'west' }), null)
    assert.equal(await catalogue.putPool({ pool: pool('east', { weight: 7 }) }), 'stored', 'its own is not in use')
    await catalogue.putPool({ pool: pool('west') })
    assert.equal(await catalogue.putPool({ pool: west }), 'uri-in-use')
    assert.deepEqual(await catalogue.getPool({ name: 'west' }), pool('west'))
    await catalogue.deletePool({ name: 'east' })
    assert.equal(await catalogue.putPool({ pool: west }), 'stored')
  })

  it('pools and flavors are listed by name, page by page', async ({ storage: { catalogue } }) => {
    const inOrder = ['10', '9', 'B', 'a', 'é']
    for (const name of inOrder.toReversed()) {
      await catalogue.putPool({ pool: pool(name) })
      await catalogue.putFlavor({ flavor: { project: 'alpha', name, pools: [name] } })
    }
    const pages = async (list: (page: { after: string | null; limit: number }) => Promise<{ name: string }[]>) => {
      const names = (rows: { name: string }[]) => rows.map((row) => row.name)
      assert.deepEqual(names(await list({ after: null, limit: 10 })), inOrder)
      assert.deepEqual(names(await list({ after: null, limit: 2 })), inOrder.slice(0, 2))
      assert.deepEqual(names(await list({ after: '9', limit: 2 })), inOrder.slice(2, 4))
      assert.deepEqual(names(await list({ after: 'A', limit: 10 })), inOrder.slice(2))
    }
    await pages((page) => catalogue.listPools(page))
    await pages((page) => catalogue.listFlavors({ project: 'alpha', ...page }))
    assert.deepEqual(await catalogue.listFlavors({ project: 'beta', after: null, limit: 10 }), [])
  })

  it('the last pool of a flavor cannot be deleted', async ({ storage: { catalogue } }) => {
    for (const name of ['east', 'west']) await catalogue.putPool({ pool: pool(name) })
    await catalogue.putFlavor({ flavor: { project: 'alpha', name: 'gold', pools: ['east'] } })
    await catalogue.putFlavor({ flavor: { project: 'alpha', name: 'both', pools: ['east', 'west'] } })
    await catalogue.putFlavor({ flavor: { project: 'beta', name: 'bronze', pools: ['east'] } })
    assert.deepEqual(await catalogue.deletePool({ name: 'east' }), { deleted: false, flavors: ['bronze', 'gold'] })
    assert.notEqual(await catalogue.getPool({ name: 'east' }), null)
    assert.deepEqual(await catalogue.deletePool({ name: 'west' }), { deleted: true })
    assert.deepEqual((await catalogue.getFlavor({ project: 'alpha', name: 'both' }))?.pools, ['east'])
    for (const [project, name] of [
      ['alpha', 'gold'],
      ['alpha', 'both'],
      ['beta', 'bronze'],
    ] as const) {
      await catalogue.deleteFlavor({ project, name })
    }
    assert.deepEqual(await catalogue.deletePool({ name: 'east' }), { deleted: true })
    assert.deepEqual(await catalogue.deletePool({ name: 'missing' }), { deleted: true })
  })

  it('a flavor is stored, overwritten, read back and deleted, in its project', async ({ storage: { catalogue } }) => {
    for (const name of ['east', 'west']) await catalogue.putPool({ pool: pool(name) })
    const gold = { project: 'alpha', name: 'gold', pools: ['east'] }
    assert.deepEqual(await catalogue.putFlavor({ flavor: gold }), { stored: true })
    assert.deepEqual(await catalogue.getFlavor(gold), gold)
    assert.equal(await catalogue.getFlavor({ project: 'beta', name: 'gold' }), null)
    const wider = { ...gold, pools: ['east', 'west'] }
    await catalogue.putFlavor({ flavor: wider })
    assert.deepEqual(await catalogue.getFlavor(gold), wider)
    await catalogue.deleteFlavor({ project: 'beta', name: 'gold' })
    assert.deepEqual(await catalogue.listFlavors({ project: 'alpha', after: null, limit: 10 }), [wider])
    await catalogue.deleteFlavor(gold)
    await catalogue.deleteFlavor(gold)
    assert.equal(await catalogue.getFlavor(gold), null)
  })

  it('a flavor with an unknown pool is not stored', async ({ storage: { catalogue } }) => {
    await catalogue.putPool({ pool: pool('east') })
    const gold = { project: 'alpha', name: 'gold', pools: ['east'] }
    await catalogue.putFlavor({ flavor: gold })
    const answer = await catalogue.putFlavor({ flavor: { ...gold, pools: ['east', 'nowhere', 'west'] } })
    assert.deepEqual(answer, { stored: false, unknownPool: 'nowhere' })
    assert.deepEqual(await catalogue.getFlavor(gold), gold)
  })
}

function pool(name: string, terms: Partial<Pool> = {}): Pool {
  return { name, uri: `redis://${name}`, weight: 100, options: {}, flavor: null, ...terms }
}
