import { parseJson, printJson } from '../../core/model/json.ts'
import type { Flavor, JsonObject, Pool } from '../../core/model/model.ts'
import type { CatalogueStore } from '../contract.ts'
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
  project: string
  name: string
  pools: string
}

export function createCatalogueStore({ db, turns }: Engine): CatalogueStore {
  const poolByUri = db.prepare('SELECT name FROM pools WHERE uri = ?')
  const poolByName = db.prepare('SELECT name, uri, weight, options, flavor FROM pools WHERE name = ?')
  const poolPage = limited(db, 'SELECT name, uri, weight, options, flavor FROM pools WHERE name > ? ORDER BY name')
  const putPool = db.prepare('INSERT OR REPLACE INTO pools (name, uri, weight, options, flavor) VALUES (?, ?, ?, ?, ?)')
  const deletePool = db.prepare('DELETE FROM pools WHERE name = ?')
  const flavorsOfOnly = db.prepare('SELECT DISTINCT name FROM flavors WHERE pools = ? ORDER BY name')
  const flavorByName = db.prepare('SELECT project, name, pools FROM flavors WHERE project = ? AND name = ?')
  const flavorPage = limited(
    db,
    'SELECT project, name, pools FROM flavors WHERE project = ? AND name > ? ORDER BY name',
  )
  const putFlavor = db.prepare('INSERT OR REPLACE INTO flavors (project, name, pools) VALUES (?, ?, ?)')
  const deleteFlavor = db.prepare('DELETE FROM flavors WHERE project = ? AND name = ?')

  return {
    putPool: ({ pool }) =>
      turns.submit(() => {
        const owner = poolByUri.get(pool.uri) as { name: string } | undefined
        if (owner !== undefined && owner.name !== pool.name) return 'uri-in-use'
        putPool.run(pool.name, pool.uri, pool.weight, printJson(pool.options), pool.flavor)
        return 'stored'
      }),

    getPool: ({ name }) =>
      turns.submit(() => {
        const row = poolByName.get(name) as PoolRow | undefined
        return row === undefined ? null : toPool(row)
      }),

    listPools: ({ after, limit }) =>
      turns.submit(() => (poolPage(limit).all(after ?? '') as unknown as PoolRow[]).map(toPool)),

    deletePool: ({ name }) =>
      turns.submit(() => {
        const flavors = flavorsOfOnly.all(JSON.stringify([name])) as {
          name: string
        }[]
        if (flavors.length > 0)
          return {
            deleted: false,
            flavors: flavors.map((flavor) => flavor.name),
          }
        deletePool.run(name)
        return { deleted: true }
      }),

    putFlavor: ({ flavor }) =>
      turns.submit(() => {
        const unknownPool = flavor.pools.find((name) => poolByName.get(name) === undefined)
        if (unknownPool !== undefined) return { stored: false, unknownPool }
        putFlavor.run(flavor.project, flavor.name, JSON.stringify(flavor.pools.toSorted()))
        return { stored: true }
      }),

    getFlavor: ({ project, name }) =>
      turns.submit(() => {
        const row = flavorByName.get(project, name) as FlavorRow | undefined
        return row === undefined ? null : toFlavor(row)
      }),

    listFlavors: ({ project, after, limit }) =>
      turns.submit(() => (flavorPage(limit).all(project, after ?? '') as unknown as FlavorRow[]).map(toFlavor)),

    deleteFlavor: ({ project, name }) => turns.submit(() => void deleteFlavor.run(project, name)),
  }
}

function toPool(row: PoolRow): Pool {
  return { ...row, options: parseJson(row.options) as JsonObject }
}

function toFlavor(row: FlavorRow): Flavor {
  return {
    project: row.project,
    name: row.name,
    pools: JSON.parse(row.pools) as string[],
  }
}
