import type { Relocation, RelocationStore } from 'zaqar/storage'
import type { Moves } from './moves.ts'
import { compareCodePoints, type ModelState, newName, nextNumber, type RelocationRow } from './state.ts'

export function relocationMoves(state: ModelState): Moves<RelocationStore> {
  const find = (pool: string | null) => state.relocations.find((row) => row.pool === pool) ?? null
  const put = (row: RelocationRow): Relocation => {
    state.relocations = [...state.relocations.filter((other) => other.pool !== row.pool), row]
    return shown(row)
  }
  const setWeight = (pool: string | null, weight: number) => {
    state.pools = state.pools.map((one) => (one.name === pool ? { ...one, weight } : one))
  }
  const weightOf = (pool: string | null) => state.pools.find(({ name }) => name === pool)?.weight

  return {
    begin({ pool, rate, now }) {
      const found = find(pool)
      if (found?.status === 'active') return put({ ...found, rate })
      const weight = weightOf(pool)
      if (pool !== null && weight === undefined) return 'no-pool'
      setWeight(pool, 0)
      return put({
        pool,
        status: 'active',
        rate,
        askedAt: now,
        endedAt: null,
        queuesLeft: null,
        queuesMoved: 0,
        recordsMoved: 0,
        trouble: null,
        // One that failed has taken the weight already.
        weight: weight || (found?.weight ?? 0),
        lease: null,
        leasedUntil: 0,
      })
    },

    get({ pool }) {
      const found = find(pool)
      return found && shown(found)
    },

    cancel({ pool, now }) {
      const found = find(pool)
      if (found?.status !== 'active' && found?.status !== 'failed') return found && shown(found)
      if (weightOf(pool) === 0) setWeight(pool, found.weight)
      return put({ ...found, status: 'cancelled', endedAt: now, weight: 0 })
    },

    // The first one, by the name of its pool; the rebalance comes before them.
    lease({ seconds, now }) {
      const [found] = state.relocations
        .filter(({ status, leasedUntil }) => status === 'active' && leasedUntil <= now)
        .sort((a, b) => compareCodePoints(a.pool ?? '', b.pool ?? ''))
      if (!found) return null
      const lease = newName('lease', nextNumber(state))
      return { relocation: put({ ...found, lease, leasedUntil: now + seconds * 1000 }), lease }
    },

    settle({ pool, lease, queuesLeft, queuesMoved, recordsMoved, trouble, seconds, ends, now }) {
      const found = find(pool)
      if (found?.lease !== lease) return 'lost'
      const told = {
        ...found,
        queuesLeft,
        queuesMoved: found.queuesMoved + queuesMoved,
        recordsMoved: found.recordsMoved + recordsMoved,
        trouble,
        leasedUntil: now + seconds * 1000,
      }
      if (ends === null || found.status !== 'active') return put(told)
      return put({ ...told, status: ends, endedAt: now, weight: ends === 'done' ? 0 : found.weight })
    },
  }
}

function shown({ weight: _weight, lease: _lease, leasedUntil: _until, ...relocation }: RelocationRow): Relocation {
  return relocation
}
