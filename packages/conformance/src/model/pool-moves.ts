import type { Flavor, Pool, PoolStore } from 'zaqar/storage'
import type { Moves } from './moves.ts'
import { compareCodePoints, type ModelState, pageBy } from './state.ts'

export function poolMoves(state: ModelState): Moves<PoolStore> {
  return {
    putPool: ({ project, pool }) => putPool(state, project, pool),

    getPool: ({ project, name }) => findPool(state, project, name),

    listPools: ({ project, ...page }) =>
      pageBy(state.pools, (pool) => pool.name, page).map((pool) => toPool(state, project, pool)),

    updatePool({ project, name, uri, weight, options, flavor }) {
      const pool = findPool(state, project, name)
      if (!pool) return 'absent'
      const changed = {
        ...pool,
        ...(uri !== undefined && { uri }),
        ...(weight !== undefined && { weight }),
        ...(options !== undefined && { options }),
        ...(flavor !== undefined && { flavor }),
      }
      const outcome = putPool(state, project, changed)
      return outcome === 'stored' ? changed : outcome
    },

    // The flavors of all projects count, named in code point order, each name once; one that was never put counts, too.
    deletePool({ name }) {
      const last = state.poolFlavors.filter(
        (row) => row.pool === name && poolsOf(state, { project: row.project, name: row.flavor }).length === 1,
      )
      if (last.length > 0) {
        const flavors = [...new Set(last.map((row) => row.flavor))].sort(compareCodePoints)
        return { deleted: false, flavors }
      }
      if (state.placements.some(({ pool }) => pool === name)) return { deleted: false, holds: 'queues' }
      state.pools = state.pools.filter((pool) => pool.name !== name)
      state.poolFlavors = state.poolFlavors.filter((row) => row.pool !== name)
      state.relocations = state.relocations.filter((row) => row.pool !== name)
      return { deleted: true }
    },

    putFlavor({ flavor }) {
      const unknownPool = unknownPoolOf(state, flavor)
      if (unknownPool !== undefined) return { stored: false, unknownPool }
      const { project, name } = flavor
      if (!hasFlavor(state, flavor)) state.flavors.push({ project, name })
      for (const pool of flavor.pools) tie(state, project, pool, name)
      return { stored: true }
    },

    getFlavor: ({ project, name }) =>
      hasFlavor(state, { project, name }) ? { project, name, pools: poolsOf(state, { project, name }) } : null,

    listFlavors({ project, ...page }) {
      const wanted = state.flavors.filter((flavor) => flavor.project === project)
      const listed = pageBy(wanted, (flavor) => flavor.name, page)
      return listed.map((flavor) => ({ ...flavor, pools: poolsOf(state, flavor) }))
    },

    updateFlavor({ flavor }) {
      if (!hasFlavor(state, flavor)) return 'absent'
      const unknownPool = unknownPoolOf(state, flavor)
      if (unknownPool !== undefined) return { stored: false, unknownPool }
      untieAll(state, flavor)
      for (const pool of flavor.pools) tie(state, flavor.project, pool, flavor.name)
      return { stored: true }
    },

    deleteFlavor(key) {
      state.flavors = state.flavors.filter((flavor) => !isSameFlavor(flavor, key))
      untieAll(state, key)
    },
  }
}

type FlavorKey = Pick<Flavor, 'project' | 'name'>

function isSameFlavor(a: FlavorKey, b: FlavorKey): boolean {
  return a.project === b.project && a.name === b.name
}

function hasFlavor(state: ModelState, key: FlavorKey): boolean {
  return state.flavors.some((flavor) => isSameFlavor(flavor, key))
}

function poolsOf(state: ModelState, { project, name }: FlavorKey): string[] {
  const rows = state.poolFlavors.filter((row) => row.project === project && row.flavor === name)
  return rows.map((row) => row.pool).sort(compareCodePoints)
}

function unknownPoolOf(state: ModelState, { pools }: Flavor): string | undefined {
  return pools.find((name) => !state.pools.some((pool) => pool.name === name))
}

function putPool(state: ModelState, project: string, { flavor, ...pool }: Pool): 'stored' | 'uri-in-use' | 'draining' {
  const others = state.pools.filter((other) => other.name !== pool.name)
  if (others.some((other) => other.uri === pool.uri)) return 'uri-in-use'
  const isDraining = state.relocations.some((row) => row.pool === pool.name && row.status === 'active')
  if (pool.weight > 0 && isDraining) return 'draining'
  state.pools = [...others, pool]
  tie(state, project, pool.name, flavor)
  return 'stored'
}

function findPool(state: ModelState, project: string, name: string): Pool | null {
  const pool = state.pools.find((one) => one.name === name)
  return pool ? toPool(state, project, pool) : null
}

function toPool(state: ModelState, project: string, pool: Omit<Pool, 'flavor'>): Pool {
  const row = state.poolFlavors.find((one) => one.pool === pool.name && one.project === project)
  return { ...pool, flavor: row?.flavor ?? null }
}

/** In place of what the pool belonged to in the project; null: to nothing. */
function tie(state: ModelState, project: string, pool: string, flavor: string | null): void {
  const others = state.poolFlavors.filter((row) => row.pool !== pool || row.project !== project)
  state.poolFlavors = flavor === null ? others : [...others, { pool, project, flavor }]
}

function untieAll(state: ModelState, { project, name }: FlavorKey): void {
  state.poolFlavors = state.poolFlavors.filter((row) => row.project !== project || row.flavor !== name)
}
