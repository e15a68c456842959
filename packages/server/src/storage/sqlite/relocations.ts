import { randomUUID } from 'node:crypto'
import type { Instant, Relocation } from '../../model/model.ts'
import type { RelocationStore } from '../contract.ts'
import type { Engine } from './engine.ts'

interface RelocationRow {
  readonly pool: string
  readonly status: Relocation['status']
  readonly rate: number | null
  readonly asked_at: Instant
  readonly ended_at: Instant | null
  readonly queues_left: number | null
  readonly queues_moved: number
  readonly records_moved: number
  readonly trouble: string | null
  readonly weight: number
  readonly lease: string | null
}

export function createRelocationStore({ db, turns, needRoom }: Engine): RelocationStore {
  const find = db.prepare('SELECT * FROM relocation WHERE pool = ?')
  const weightOf = db.prepare('SELECT weight FROM pool WHERE name = ?')
  const setWeight = db.prepare('UPDATE pool SET weight = ? WHERE name = ?')
  const giveBack = db.prepare('UPDATE pool SET weight = ? WHERE name = ? AND weight = 0')
  const setRate = db.prepare('UPDATE relocation SET rate = ? WHERE pool = ?')
  const insert = db.prepare(
    `INSERT OR REPLACE INTO relocation (pool, status, rate, asked_at, weight) VALUES (?, 'active', ?, ?, ?)`,
  )
  const cancel = db.prepare(`UPDATE relocation SET status = 'cancelled', ended_at = ?, weight = 0 WHERE pool = ?`)
  const free = db.prepare(
    `SELECT pool FROM relocation WHERE status = 'active' AND leased_until <= ? ORDER BY pool LIMIT 1`,
  )
  const lease = db.prepare('UPDATE relocation SET lease = ?, leased_until = ? WHERE pool = ?')
  const tell = db.prepare(
    `UPDATE relocation SET queues_left = ?, queues_moved = queues_moved + ?, records_moved = records_moved + ?, trouble = ?,
     leased_until = ? WHERE pool = ?`,
  )
  const end = db.prepare(
    `UPDATE relocation SET status = ?, ended_at = ?, weight = iif(? = 'done', 0, weight)
     WHERE pool = ? AND status = 'active'`,
  )

  function rowOf(pool: string | null): RelocationRow | undefined {
    return find.get(pool ?? '') as RelocationRow | undefined
  }

  function shown(pool: string | null): Relocation {
    return toRelocation(rowOf(pool) as RelocationRow)
  }

  return {
    begin: ({ pool, rate, now }) =>
      turns.submit(() => {
        const found = rowOf(pool)
        if (found?.status === 'active') {
          setRate.run(rate, pool ?? '')
          return shown(pool)
        }
        needRoom()
        let weight = 0
        if (pool !== null) {
          const row = weightOf.get(pool) as { weight: number } | undefined
          if (row === undefined) return 'no-pool'
          // One that failed has taken the weight already.
          weight = row.weight || (found?.weight ?? 0)
          setWeight.run(0, pool)
        }
        insert.run(pool ?? '', rate, now, weight)
        return shown(pool)
      }),

    get: ({ pool }) =>
      turns.submit(() => {
        const found = rowOf(pool)
        return found === undefined ? null : toRelocation(found)
      }),

    cancel: ({ pool, now }) =>
      turns.submit(() => {
        const found = rowOf(pool)
        if (found === undefined) return null
        if (found.status === 'active' || found.status === 'failed') {
          if (pool !== null) giveBack.run(found.weight, pool)
          cancel.run(now, pool ?? '')
        }
        return shown(pool)
      }),

    lease: ({ seconds, now }) =>
      turns.submit(() => {
        const found = free.get(now) as { pool: string } | undefined
        if (found === undefined) return null
        const id = randomUUID()
        lease.run(id, now + seconds * 1000, found.pool)
        return { relocation: shown(found.pool), lease: id }
      }),

    settle: ({ pool, lease, queuesLeft, queuesMoved, recordsMoved, trouble, seconds, ends, now }) =>
      turns.submit(() => {
        const name = pool ?? ''
        if (rowOf(pool)?.lease !== lease) return 'lost'
        tell.run(queuesLeft, queuesMoved, recordsMoved, trouble, now + seconds * 1000, name)
        if (ends !== null) end.run(ends, now, ends, name)
        return shown(pool)
      }),
  }
}

function toRelocation(row: RelocationRow): Relocation {
  const { pool, status, rate, trouble } = row
  return {
    pool: pool || null,
    status,
    rate,
    askedAt: row.asked_at,
    endedAt: row.ended_at,
    queuesLeft: row.queues_left,
    queuesMoved: row.queues_moved,
    recordsMoved: row.records_moved,
    trouble,
  }
}
