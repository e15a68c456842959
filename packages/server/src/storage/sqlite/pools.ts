import type { Flavor, Pool } from '../../model/model.ts'
import type { PoolStore } from '../contract.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'

interface PoolRow {
  name: string
  uri: string
  weight: number
  options: string
  flavor: string | null
}

interface FlavorRow {
  name: string
  /** JSON array of names. */
  pools: string
}

const POOL = `
  SELECT name, uri, weight, options, flavor FROM pool LEFT JOIN pool_flavor ON pool = name AND project = ?`
const FLAVOR = `
  SELECT name, (SELECT json_group_array(pool ORDER BY pool) FROM pool_flavor
                WHERE project = flavor.project AND flavor = flavor.name) AS pools
  FROM flavor`

export function createPoolStore({ db, turns }: Engine): PoolStore {
  const poolByUri = db.prepare('SELECT name FROM pool WHERE uri = ?')
  const poolByName = db.prepare(`${POOL} WHERE name = ?`)
  const poolPage = limited(db, `${POOL} WHERE name > ? ORDER BY name`)
  const putPool = db.prepare('INSERT OR REPLACE INTO pool (name, uri, weight, options) VALUES (?, ?, ?, ?)')
  const hasQueues = db.prepare('SELECT 1 FROM placement WHERE pool = ? LIMIT 1')
  const isDraining = db.prepare(`SELECT 1 FROM relocation WHERE pool = ? AND status = 'active'`)
  const deletePool = db.prepare('DELETE FROM pool WHERE name = ?')
  const forgetDrain = db.prepare('DELETE FROM relocation WHERE pool = ?')

  const flavorByName = db.prepare(`${FLAVOR} WHERE project = ? AND name = ?`)
  const flavorPage = limited(db, `${FLAVOR} WHERE project = ? AND name > ? ORDER BY name`)
  const putFlavor = db.prepare('INSERT OR IGNORE INTO flavor (project, name) VALUES (?, ?)')
  const deleteFlavor = db.prepare('DELETE FROM flavor WHERE project = ? AND name = ?')

  const tie = db.prepare('INSERT OR REPLACE INTO pool_flavor (pool, project, flavor) VALUES (?, ?, ?)')
  const untie = db.prepare('DELETE FROM pool_flavor WHERE pool = ? AND project = ?')
  const untiePool = db.prepare('DELETE FROM pool_flavor WHERE pool = ?')
  const untieFlavor = db.prepare('DELETE FROM pool_flavor WHERE project = ? AND flavor = ?')
  const flavorsOfLast = db.prepare(`
    SELECT DISTINCT flavor FROM pool_flavor AS tied WHERE pool = ?
    AND NOT EXISTS (SELECT 1 FROM pool_flavor WHERE project = tied.project AND flavor = tied.flavor AND pool <> tied.pool)
    ORDER BY flavor`)

  function findPool(project: string, name: string): Pool | null {
    const row = poolByName.get(project, name) as PoolRow | undefined
    return row === undefined ? null : toPool(row)
  }

  function storePool(project: string, pool: Pool): 'stored' | 'uri-in-use' | 'draining' {
    const owner = poolByUri.get(pool.uri) as { name: string } | undefined
    if (owner !== undefined && owner.name !== pool.name) return 'uri-in-use'
    if (pool.weight > 0 && isDraining.get(pool.name) !== undefined) return 'draining'
    putPool.run(pool.name, pool.uri, pool.weight, pool.options)
    if (pool.flavor === null) untie.run(pool.name, project)
    else tie.run(pool.name, project, pool.flavor)
    return 'stored'
  }

  function unknownPool({ project, pools }: Flavor): string | undefined {
    return pools.find((name) => poolByName.get(project, name) === undefined)
  }

  return {
    putPool: ({ project, pool }) => turns.submit(() => storePool(project, pool)),

    getPool: ({ project, name }) => turns.submit(() => findPool(project, name)),

    listPools: ({ project, after, limit }) =>
      turns.submit(() => (poolPage(limit).all(project, after ?? '') as unknown as PoolRow[]).map(toPool)),

    updatePool: ({ project, name, uri, weight, options, flavor }) =>
      turns.submit(() => {
        const pool = findPool(project, name)
        if (pool === null) return 'absent'
        const changed: Pool = {
          name,
          uri: uri ?? pool.uri,
          weight: weight ?? pool.weight,
          options: options ?? pool.options,
          flavor: flavor === undefined ? pool.flavor : flavor,
        }
        const outcome = storePool(project, changed)
        return outcome === 'stored' ? changed : outcome
      }),

    deletePool: ({ name }) =>
      turns.submit(() => {
        const flavors = (flavorsOfLast.all(name) as { flavor: string }[]).map((row) => row.flavor)
        if (flavors.length > 0) return { deleted: false, flavors }
        if (hasQueues.get(name) !== undefined) return { deleted: false, holds: 'queues' }
        deletePool.run(name)
        forgetDrain.run(name)
        untiePool.run(name)
        return { deleted: true }
      }),

    putFlavor: ({ flavor }) =>
      turns.submit(() => {
        const unknown = unknownPool(flavor)
        if (unknown !== undefined) return { stored: false, unknownPool: unknown }
        putFlavor.run(flavor.project, flavor.name)
        for (const pool of flavor.pools) tie.run(pool, flavor.project, flavor.name)
        return { stored: true }
      }),

    getFlavor: ({ project, name }) =>
      turns.submit(() => {
        const row = flavorByName.get(project, name) as FlavorRow | undefined
        return row === undefined ? null : toFlavor(project, row)
      }),

    listFlavors: ({ project, after, limit }) =>
      turns.submit(() => {
        const rows = flavorPage(limit).all(project, after ?? '') as unknown as FlavorRow[]
        return rows.map((row) => toFlavor(project, row))
      }),

    updateFlavor: ({ flavor }) =>
      turns.submit(() => {
        if (flavorByName.get(flavor.project, flavor.name) === undefined) return 'absent'
        const unknown = unknownPool(flavor)
        if (unknown !== undefined) return { stored: false, unknownPool: unknown }
        untieFlavor.run(flavor.project, flavor.name)
        for (const pool of flavor.pools) tie.run(pool, flavor.project, flavor.name)
        return { stored: true }
      }),

    deleteFlavor: ({ project, name }) =>
      turns.submit(() => {
        deleteFlavor.run(project, name)
        untieFlavor.run(project, name)
      }),
  }
}

function toPool(row: PoolRow): Pool {
  return { ...row }
}

function toFlavor(project: string, { name, pools }: FlavorRow): Flavor {
  return { project, name, pools: JSON.parse(pools) as string[] }
}
