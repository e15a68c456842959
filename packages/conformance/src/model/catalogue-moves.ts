import type { CatalogueStore, Flavor } from 'zaqar/storage'
import type { Moves } from './moves.ts'
import { compareCodePoints, type ModelState, pageBy } from './state.ts'

export function catalogueMoves(state: ModelState): Moves<CatalogueStore> {
  return {
    putPool({ pool }) {
      if (state.pools.some((other) => other.name !== pool.name && other.uri === pool.uri)) return 'uri-in-use'
      state.pools = [...state.pools.filter((other) => other.name !== pool.name), pool]
      return 'stored'
    },

    getPool: ({ name }) => state.pools.find((pool) => pool.name === name) ?? null,

    listPools: (page) => pageBy(state.pools, (pool) => pool.name, page),

    // Decisions: the flavors of all projects count, named in code point order, each name once; a flavor that keeps other
    // pools loses this one.
    deletePool({ name }) {
      const last = state.flavors.filter(({ pools }) => pools.length === 1 && pools[0] === name)
      if (last.length > 0) {
        const flavors = [...new Set(last.map((flavor) => flavor.name))].sort(compareCodePoints)
        return { deleted: false, flavors }
      }
      state.pools = state.pools.filter((pool) => pool.name !== name)
      state.flavors = state.flavors.map((flavor) => ({
        ...flavor,
        pools: flavor.pools.filter((pool) => pool !== name),
      }))
      return { deleted: true }
    },

    // Decision: the flavor tag of a pool is as `putPool` set it; flavors leave it alone.
    putFlavor({ flavor }) {
      const unknownPool = flavor.pools.find((name) => !state.pools.some((pool) => pool.name === name))
      if (unknownPool !== undefined) return { stored: false, unknownPool }
      state.flavors = [...state.flavors.filter((other) => !isSameFlavor(other, flavor)), flavor]
      return { stored: true }
    },

    getFlavor: (key) => state.flavors.find((flavor) => isSameFlavor(flavor, key)) ?? null,

    listFlavors({ project, ...page }) {
      const wanted = state.flavors.filter((flavor) => flavor.project === project)
      return pageBy(wanted, (flavor) => flavor.name, page)
    },

    deleteFlavor(key) {
      state.flavors = state.flavors.filter((flavor) => !isSameFlavor(flavor, key))
    },
  }
}

function isSameFlavor(a: Pick<Flavor, 'project' | 'name'>, b: Pick<Flavor, 'project' | 'name'>): boolean {
  return a.project === b.project && a.name === b.name
}
