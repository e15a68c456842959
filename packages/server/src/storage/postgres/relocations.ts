import type { Instant, Relocation } from '../../model/model.ts'
import { isStorable } from '../../model/text.ts'
import type { RelocationStore } from '../contract.ts'
import type { Engine } from './engine.ts'

type RelocationRow = [
  pool: string,
  status: Relocation['status'],
  rate: number | null,
  askedAt: Instant,
  endedAt: Instant | null,
  queuesLeft: number | null,
  queuesMoved: number,
  recordsMoved: number,
  trouble: string | null,
]
type LeasedRow = [row: RelocationRow, lease: number]

export function createRelocationStore({ lanes }: Engine): RelocationStore {
  return {
    async begin({ pool, rate, now }) {
      if (!isStorable(pool ?? '')) return 'no-pool'
      const answer = await lanes.service<RelocationRow | 'no-pool'>('begin_relocation', { pool: pool ?? '', rate, now })
      return answer === 'no-pool' ? answer : toRelocation(answer)
    },

    async get({ pool }) {
      if (!isStorable(pool ?? '')) return null
      const row = await lanes.service<RelocationRow | null>('get_relocation', { pool: pool ?? '' })
      return row && toRelocation(row)
    },

    async cancel({ pool, now }) {
      if (!isStorable(pool ?? '')) return null
      const row = await lanes.service<RelocationRow | null>('cancel_relocation', { pool: pool ?? '', now })
      return row && toRelocation(row)
    },

    async lease({ seconds, now }) {
      const answer = await lanes.service<LeasedRow | null>('lease_relocation', { until: now + seconds * 1000, now })
      return answer && { relocation: toRelocation(answer[0]), lease: String(answer[1]) }
    },

    async settle({ pool, seconds, trouble, now, ...told }) {
      const parameters = { ...told, pool: pool ?? '', trouble: trouble?.replaceAll('\0', '') ?? null, now }
      const until = now + seconds * 1000
      const row = await lanes.service<RelocationRow | 'lost'>('settle_relocation', { ...parameters, until })
      return row === 'lost' ? row : toRelocation(row)
    },
  }
}

function toRelocation(row: RelocationRow): Relocation {
  const [pool, status, rate, askedAt, endedAt, queuesLeft, queuesMoved, recordsMoved, trouble] = row
  return { pool: pool || null, status, rate, askedAt, endedAt, queuesLeft, queuesMoved, recordsMoved, trouble }
}
