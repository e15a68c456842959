import { randomUUID } from 'node:crypto'
import type { QueueKey, QueueKind } from '../../model/model.ts'
import type { Placement, PlacementStore } from '../contract.ts'
import { drawPool } from '../draw-pool.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import { IS_NO_COPY } from './queues.ts'
import { Unfinished } from './turns.ts'

interface PlacementRow {
  readonly project: string
  readonly kind: QueueKind
  readonly name: string
  readonly pool: string
  readonly version: string
  readonly is_settled: number
  readonly is_leaving: number
  readonly token: string | null
  readonly target: string | null
}

/** Names that a listing looks at in one turn, where it looks for some of them. */
const LOOKS_PER_TURN = 1_000

/** What a listing found, up to the name that it looked at last. */
interface ListedSoFar {
  readonly found: readonly Placement[]
  readonly last: string
}

/** Rows of a pool are found by its name; `storage/sqlite/pools.ts` deletes none that has some. */
export function createPlacementStore({ db, turns, needRoom, tellOf }: Engine): PlacementStore {
  const find = db.prepare('SELECT * FROM placement WHERE project = ? AND kind = ? AND name = ?')
  const insert = db.prepare(
    'INSERT INTO placement (project, kind, name, pool, version, is_settled) VALUES (?, ?, ?, ?, ?, 0)',
  )
  const looked = limited(
    db,
    `SELECT project, kind, name, ${IS_NO_COPY} AS is_own FROM queue q WHERE (project, kind, name) > (?, ?, ?) ORDER BY project, kind, name`,
  )
  const adopt = db.prepare(
    `INSERT INTO placement (project, kind, name, pool, version, is_settled) VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`,
  )
  const update = db.prepare(
    `UPDATE placement SET pool = ?, version = ?, is_settled = ?, is_leaving = ?, token = ?, target = ?
     WHERE project = ? AND kind = ? AND name = ?`,
  )
  const remove = db.prepare('DELETE FROM placement WHERE project = ? AND kind = ? AND name = ?')
  const candidates = db.prepare(
    `SELECT name, weight FROM pool LEFT JOIN pool_flavor ON pool = name AND project = ?
     WHERE flavor IS ? AND weight > 0 ORDER BY name`,
  )
  const poolByName = db.prepare('SELECT 1 FROM pool WHERE name = ?')
  const page = limited(db, 'SELECT * FROM placement WHERE project = ? AND kind = ? AND name > ? ORDER BY name')
  const count = db.prepare(
    `SELECT pool, count(*) AS queues FROM placement WHERE project = ? AND kind = ? AND is_settled = 1 GROUP BY pool`,
  )
  const poolPage = limited(
    db,
    `SELECT * FROM placement WHERE pool = ? AND (project, kind, name) > (?, ?, ?) ORDER BY project, kind, name`,
  )

  function rowOf({ project, kind, name }: QueueKey): PlacementRow | undefined {
    return find.get(project, kind, name) as PlacementRow | undefined
  }

  function findOf(key: QueueKey): Placement | null {
    const row = rowOf(key)
    return row === undefined ? null : toPlacement(row)
  }

  /** The placement, when the row is of that version. */
  function same(placement: Placement): Placement | null {
    const found = findOf(placement)
    return found?.version === placement.version ? found : null
  }

  /** Answers it with a new version. */
  function change(found: Placement, changes: Partial<Placement>, isLeaving = false): Placement {
    const changed = { ...found, ...changes, version: randomUUID() }
    const { project, kind, name, pool, version, isSettled, token, target } = changed
    update.run(pool, version, isSettled ? 1 : 0, isLeaving ? 1 : 0, token, target, project, kind, name)
    return changed
  }

  return {
    get: ({ key }) => turns.submit(() => findOf(key)),

    place: ({ key, flavor, without, draw }) =>
      turns.submit(() => {
        const found = rowOf(key)
        if (found?.is_leaving) return { placement: change(toPlacement(found), { isSettled: false }), isNew: false }
        if (found !== undefined) return { placement: toPlacement(found), isNew: false }
        needRoom()
        const pools = candidates.all(key.project, flavor) as { name: string; weight: number }[]
        const pool = drawPool(pools, without, draw)
        if (pool === null) return 'no-pool'
        const { project, kind, name } = key
        const version = randomUUID()
        insert.run(project, kind, name, pool, version)
        const placement = { project, kind, name, pool, version, isSettled: false, token: null, target: null }
        return { placement, isNew: true }
      }),

    adopt: ({ pool, after, limit }) =>
      turns.submit(() => {
        if (poolByName.get(pool) === undefined) return null
        needRoom()
        const rows = looked(limit).all(...boundsOf(after)) as unknown as (QueueKey & { is_own: number })[]
        for (const { project, kind, name, is_own } of rows) {
          if (is_own === 1) adopt.run(project, kind, name, pool, randomUUID())
        }
        const last = rows.length < limit ? undefined : rows.at(-1)
        return last === undefined ? null : { project: last.project, kind: last.kind, name: last.name }
      }),

    settle: ({ placement }) =>
      turns.submit(() => {
        const found = same(placement)
        if (found === null) return false
        change(found, { isSettled: true })
        tellOf(found)
        return true
      }),

    unsettle: ({ key, pool, version }) =>
      turns.submit(() => {
        const found = findOf(key)
        if (found?.pool !== pool || (version !== undefined && found.version !== version)) return null
        return change(found, { isSettled: false }, true)
      }),

    move: ({ placement, pool, token = null, target = null }) =>
      turns.submit(() => {
        const found = same(placement)
        if (found === null || poolByName.get(pool) === undefined) return null
        tellOf(found)
        return change(found, { pool, token, target })
      }),

    remove: ({ placement }) =>
      turns.submit(() => {
        const found = same(placement)
        if (found === null) return false
        remove.run(found.project, found.kind, found.name)
        tellOf(found)
        return true
      }),

    list: ({ project, kind, after, limit, nameContains }) =>
      turns.submit((soFar: ListedSoFar = { found: [], last: after ?? '' }) => {
        const looks = nameContains === null ? limit : LOOKS_PER_TURN
        const rows = page(looks).all(project, kind, soFar.last) as unknown as PlacementRow[]
        const fitting = rows.filter(({ name }) => nameContains === null || name.includes(nameContains))
        const found = [...soFar.found, ...fitting.map(toPlacement)].slice(0, limit)
        const last = rows.at(-1)?.name
        if (last === undefined || rows.length < looks || found.length === limit) return found
        return new Unfinished<ListedSoFar>({ found, last })
      }),

    count: ({ project, kind }) =>
      turns.submit(() => (count.all(project, kind) as { pool: string; queues: number }[]).map((row) => ({ ...row }))),

    listPool: ({ pool, after, limit }) =>
      turns.submit(() => (poolPage(limit).all(pool, ...boundsOf(after)) as unknown as PlacementRow[]).map(toPlacement)),
  }
}

/** Behind which a page begins. */
function boundsOf(after: QueueKey | null): [project: string, kind: string, name: string] {
  return after === null ? ['', '', ''] : [after.project, after.kind, after.name]
}

function toPlacement({ is_settled, is_leaving: _, ...row }: PlacementRow): Placement {
  return { ...row, isSettled: is_settled === 1 }
}
