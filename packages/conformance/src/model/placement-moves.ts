import type { Placement, PlacementStore, QueueKey } from 'zaqar/storage'
import type { Moves } from './moves.ts'
import { compareCodePoints, isSameQueue, type ModelState, newVersion, type PlacementRow, pageBy } from './state.ts'
import type { Watchers } from './watchers.ts'

export function placementMoves(state: ModelState, watchers: Watchers): Moves<PlacementStore> {
  const find = (key: QueueKey) => state.placements.find((row) => isSameQueue(row, key)) ?? null
  const same = (placement: Placement) => {
    const found = find(placement)
    return found?.version === placement.version ? found : null
  }
  const change = (found: PlacementRow, changes: Partial<PlacementRow>): PlacementRow => {
    const changed = { ...found, ...changes, version: newVersion(state) }
    state.placements = state.placements.map((row) => (row === found ? changed : row))
    return changed
  }

  return {
    get({ key }) {
      const found = find(key)
      return found && shown(found)
    },

    place({ key, flavor, without, draw }) {
      const found = find(key)
      if (found)
        return { placement: shown(found.isLeaving ? change(found, { isLeaving: false }) : found), isNew: false }
      const pool = drawPool(state, key.project, flavor, without, draw)
      if (pool === null) return 'no-pool'
      const { project, kind, name } = key
      const placement = {
        project,
        kind,
        name,
        pool,
        version: newVersion(state),
        isSettled: false,
        token: null,
        target: null,
      }
      state.placements.push({ ...placement, isLeaving: false })
      return { placement, isNew: true }
    },

    adopt({ pool, after, limit }) {
      if (!state.pools.some(({ name }) => name === pool)) return null
      const page = [...state.queues]
        .filter((queue) => after === null || compareKeys(queue, after) > 0)
        .sort(compareKeys)
        .slice(0, limit)
      for (const key of page.filter((queue) => find(queue) === null)) {
        const { project, kind, name } = key
        const placement = { project, kind, name, pool, version: newVersion(state), isSettled: true }
        state.placements.push({ ...placement, token: null, target: null, isLeaving: false })
      }
      const last = page.at(-1)
      return last && page.length === limit ? { project: last.project, kind: last.kind, name: last.name } : null
    },

    settle({ placement }) {
      const found = same(placement)
      if (!found) return false
      change(found, { isSettled: true, isLeaving: false })
      watchers.notify(found)
      return true
    },

    unsettle({ key, pool, version }) {
      const found = find(key)
      if (found?.pool !== pool || (version !== undefined && version !== found.version)) return null
      return shown(change(found, { isSettled: false, isLeaving: true }))
    },

    move({ placement, pool, token = null, target = null }) {
      const found = same(placement)
      if (!found || !state.pools.some(({ name }) => name === pool)) return null
      watchers.notify(found)
      return shown(change(found, { pool, token, target }))
    },

    remove({ placement }) {
      const found = same(placement)
      if (!found) return false
      state.placements = state.placements.filter((row) => row !== found)
      watchers.notify(found)
      return true
    },

    list({ project, kind, nameContains, ...page }) {
      const wanted = state.placements
        .filter((row) => row.project === project && row.kind === kind)
        .filter(({ name }) => nameContains === null || name.includes(nameContains))
      return pageBy(wanted, ({ name }) => name, page).map(shown)
    },

    count({ project, kind }) {
      const wanted = state.placements.filter((row) => row.project === project && row.kind === kind && row.isSettled)
      const pools = [...new Set(wanted.map(({ pool }) => pool))].sort(compareCodePoints)
      return pools.map((pool) => ({ pool, queues: wanted.filter((row) => row.pool === pool).length }))
    },

    listPool: ({ pool, after, limit }) =>
      state.placements
        .filter((row) => row.pool === pool && (after === null || compareKeys(row, after) > 0))
        .sort(compareKeys)
        .slice(0, limit)
        .map(shown),
  }
}

function shown({ isLeaving: _isLeaving, ...placement }: PlacementRow): Placement {
  return placement
}

function drawPool(
  state: ModelState,
  project: string,
  flavor: string | null,
  without: readonly string[],
  draw: number,
): string | null {
  const flavorOf = (pool: string) =>
    state.poolFlavors.find((row) => row.pool === pool && row.project === project)?.flavor ?? null
  const candidates = state.pools
    .filter(({ name, weight }) => weight > 0 && !without.includes(name) && flavorOf(name) === flavor)
    .sort((a, b) => compareCodePoints(a.name, b.name))
  // As many lots for each as it weighs.
  const lots = candidates.flatMap(({ name, weight }) => Array.from({ length: weight }, () => name))
  return lots[Math.floor(draw * lots.length)] ?? null
}

function compareKeys(a: QueueKey, b: QueueKey): number {
  return (
    compareCodePoints(a.project, b.project) || compareCodePoints(a.kind, b.kind) || compareCodePoints(a.name, b.name)
  )
}
