import type { Instant, QueueKey } from '../../model/model.ts'
import type { CensusStore } from '../contract.ts'
import type { Engine } from './engine.ts'

type Row = [
  project: string,
  kind: QueueKey['kind'],
  name: string,
  free: number,
  claimed: number,
  oldestAt: Instant | null,
]

export function createCensusStore({ lanes }: Engine): CensusStore {
  return {
    async queues({ after, limit }) {
      const { project = '', kind = '', name = '' } = after ?? {}
      const rows = await lanes.service<Row[]>('census_queues', { after: [project, kind, name], limit })
      return rows.map(([project, kind, name, free, claimed, oldestAt]) => ({
        project,
        kind,
        name,
        free,
        claimed,
        oldestAt,
      }))
    },

    owed: ({ limit }) => lanes.service('census_owed', { limit }),
  }
}
