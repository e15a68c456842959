import type { QueueKey, QueueKind } from '../../model/model.ts'
import { isStorable } from '../../model/text.ts'
import type { Placement, PlacementStore } from '../contract.ts'
import { type Engine, storableAfter } from './engine.ts'

type PlacementRow = [
  project: string,
  kind: QueueKind,
  name: string,
  pool: string,
  version: number,
  isSettled: boolean,
  token: string | null,
  target: string | null,
]
type Placed = { placement: PlacementRow; isNew: boolean }

export function createPlacementStore({ lanes }: Engine): PlacementStore {
  const change = async (move: string, placement: Placement, parameters: object = {}): Promise<Placement | null> => {
    const { version } = placement
    return toPlacement(await lanes.write<PlacementRow | null>(move, placement, { ...parameters, version }))
  }

  return {
    get: async ({ key }) => toPlacement(await lanes.read<PlacementRow | null>('get_placement', key, {})),

    async place({ key, flavor, without, draw }) {
      const answer = await lanes.write<Placed | 'no-pool'>('place_queue', key, { flavor, without, draw })
      if (answer === 'no-pool') return answer
      return { placement: toPlacement(answer.placement) as Placement, isNew: answer.isNew }
    },

    async adopt({ pool, after, limit }) {
      if (!isStorable(pool)) return null
      const last = await lanes.service<[string, QueueKind, string] | null>('adopt_queues', {
        pool,
        after: after && nameOf(after),
        limit,
      })
      return last && { project: last[0], kind: last[1], name: last[2] }
    },

    settle: ({ placement }) => lanes.write<boolean>('settle_placement', placement, { version: placement.version }),

    async unsettle({ key, pool, version }) {
      return toPlacement(await lanes.write<PlacementRow | null>('unsettle_placement', key, { pool, version }))
    },

    move: ({ placement, pool, token = null, target = null }) =>
      change('move_placement', placement, { pool, token, target }),

    remove: ({ placement }) => lanes.write<boolean>('remove_placement', placement, { version: placement.version }),

    async list({ project, kind, after, limit, nameContains }) {
      if (nameContains !== null && !isStorable(nameContains)) return []
      const parameters = { project, kind, after: storableAfter(after), limit, nameContains }
      return toPlacements(await lanes.service<PlacementRow[]>('list_placements', parameters))
    },

    async count({ project, kind }) {
      const counted = await lanes.service<[pool: string, queues: number][]>('count_placements', { project, kind })
      return counted.map(([pool, queues]) => ({ pool, queues }))
    },

    async listPool({ pool, after, limit }) {
      if (!isStorable(pool)) return []
      const parameters = { pool, after: after && nameOf(after), limit }
      return toPlacements(await lanes.service<PlacementRow[]>('list_placements_of', parameters))
    },
  }
}

function nameOf({ project, kind, name }: QueueKey): string[] {
  return [project, kind, name]
}

function toPlacements(rows: readonly PlacementRow[]): Placement[] {
  return rows.map((row) => toPlacement(row) as Placement)
}

function toPlacement(row: PlacementRow | null): Placement | null {
  if (row === null) return null
  const [project, kind, name, pool, version, isSettled, token, target] = row
  return { project, kind, name, pool, version: String(version), isSettled, token, target }
}
