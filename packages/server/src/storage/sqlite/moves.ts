import { randomUUID } from 'node:crypto'
import type { StatementSync } from 'node:sqlite'
import type { Instant, Json, QueueKey } from '../../model/model.ts'
import { type MovedRecord, type MoveStore, NOTED_MS, RECORD_KINDS } from '../contract.ts'
import type { Engine } from './engine.ts'
import { MovedRows } from './moved-rows.ts'
import { A_TRIGGER, createTriggers, dropTriggers, MOVED_TABLES, type MovedTable } from './moved-tables.ts'
import type { QueueState } from './queue-states.ts'

interface MovingRow {
  readonly role: 'leaving' | 'arriving'
  readonly copy: string
  readonly token: string | null
  readonly page: number
  readonly cursor: string | null
  readonly first_fresh: number | null
}

interface TouchedRow {
  readonly kind: number
  readonly owner: number
  readonly key: string | number
}

/** Up to where the tables were read; `at` is behind the last one when they all were. */
type Reached = readonly [at: number, owner: number, key: string | number | null]
/** How far a copy has come: the page whose records are stored, and what was read until then. */
type Cursor = readonly [page: number, ...reached: Reached]
const START: Cursor = [0, 0, 0, null]

type Row = Record<string, Json>

interface Reader {
  readonly one: StatementSync
  readonly behind: StatementSync
}

/** What a record counts for beside its body. */
const BYTES_BESIDE_BODY = 300

export function createMoveStore(engine: Engine): MoveStore & { sweep(now: Instant): void } {
  const { db, turns, states, gone, work, latest, needRoom, tell, subscriptionWatchers } = engine
  const rows = new MovedRows(engine)
  const find = db.prepare('SELECT * FROM moving WHERE queue = ?')
  const insert = db.prepare(
    'INSERT INTO moving (queue, role, copy, token, until, read_at, page) VALUES (?, ?, ?, ?, 0, ?, 0)',
  )
  const setToken = db.prepare('UPDATE moving SET token = ?, until = ? WHERE queue = ?')
  const setPage = db.prepare('UPDATE moving SET page = ?, read_at = ? WHERE queue = ?')
  const setCursor = db.prepare('UPDATE moving SET cursor = ? WHERE queue = ?')
  const someTrigger = db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = '${A_TRIGGER}'`)
  const isLeaving = db.prepare("SELECT 1 FROM moving WHERE role = 'leaving'")
  const forgotten = db.prepare(
    `SELECT project, kind, name FROM moving m JOIN queue q ON q.number = m.queue
     WHERE role = 'leaving' AND token IS NULL AND read_at <= ?`,
  )
  const allFenced = db.prepare(
    `SELECT project, kind, name, role, token, until FROM moving m JOIN queue q ON q.number = m.queue
     WHERE token IS NOT NULL ORDER BY q.number LIMIT ?`,
  )
  const track = db.prepare('INSERT OR IGNORE INTO tracked (what, number, queue) VALUES (?, ?, ?)')
  const trackSubscriptions = db.prepare(
    `INSERT INTO tracked (what, number, queue, id)
     SELECT 'line', line, ?1, id FROM subscription WHERE bucket = ?2
     UNION ALL SELECT 'records', number, ?1, id FROM subscription WHERE bucket = ?2`,
  )
  const owners = db.prepare(
    'SELECT number, id FROM tracked WHERE queue = ? AND what = ? AND number >= ? ORDER BY number',
  )
  const ownerOf = db.prepare('SELECT id FROM tracked WHERE what = ? AND number = ?')
  const acknowledge = db.prepare('DELETE FROM touched WHERE queue = ? AND page = ? AND page > 0')
  const touched = db.prepare('SELECT kind, owner, key FROM touched WHERE queue = ? ORDER BY kind, owner, key')
  const handOut = db.prepare('UPDATE touched SET page = ? WHERE queue = ? AND kind = ? AND owner = ? AND key = ?')
  const isMore = db.prepare('SELECT EXISTS (SELECT 1 FROM touched WHERE queue = ? AND page <> ?) AS more')
  const removeDepartures = db.prepare('DELETE FROM departure WHERE incarnation = ?')
  const readers: readonly Reader[] = MOVED_TABLES.map(({ table, owner, key, columns }) => ({
    one: db.prepare(`SELECT ${columns}, ${key} AS at FROM ${table} WHERE ${owner} = ? AND ${key} = ?`),
    behind: db.prepare(
      `SELECT ${columns}, ${key} AS at FROM ${table} WHERE ${owner} = ?1 AND (?2 IS NULL OR ${key} > ?2) ORDER BY ${key}`,
    ),
  }))

  // Asked, not remembered: what a turn has created may be taken back.
  const areTriggersThere = () => someTrigger.get() !== undefined
  const moveOf = ({ number }: QueueState) => (find.get(number) as MovingRow | undefined) ?? null

  /** What was noted holds for the contents that the queue has now. */
  function isTracked({ number, bucket, subscriptionBucket }: QueueState): boolean {
    const hangs = (what: string, on: number) =>
      (owners.all(number, what, 0) as { number: number }[]).some((owner) => owner.number === on)
    return hangs('bucket', bucket) && hangs('subscriptions', subscriptionBucket)
  }

  /** A page of records. */
  class Page {
    readonly records: MovedRecord[] = []
    readonly state: QueueState
    #room: number
    #bytes: number

    constructor(state: QueueState, limit: number, bytes: number) {
      this.state = state
      this.#room = limit
      this.#bytes = bytes
    }

    get isFull(): boolean {
      return this.#room <= 0 || this.#bytes <= 0
    }

    add(record: MovedRecord): void {
      this.records.push(record)
      this.#room -= 1
      const body = record.row?.body
      this.#bytes -= BYTES_BESIDE_BODY + (typeof body === 'string' ? body.length : 0)
    }
  }

  /** From where the cursor says; answers how far it came. */
  function readAll(page: Page, [, from, fromOwner, fromKey]: Cursor, now: Instant): Reached {
    const { state } = page
    for (let at = from; at < MOVED_TABLES.length; at++) {
      const { kind, what } = MOVED_TABLES[at] as MovedTable
      const firstOwner = at === from ? fromOwner : 0
      for (const { number: owner, id } of owners.all(state.number, what, firstOwner) as {
        number: number
        id: string | null
      }[]) {
        const after = at === from && owner === fromOwner ? fromKey : null
        let last = after
        for (const { at: reached, ...row } of (readers[at] as Reader).behind.iterate(owner, after) as Iterable<Row>) {
          if (page.isFull) return [at, owner, last]
          page.add(rows.toRecord(kind, id, row as Row, state))
          last = reached as string | number
        }
      }
    }
    // Of those that are gone only the last minute's are there.
    const after = from === MOVED_TABLES.length ? ((fromKey as number | null) ?? 0) : 0
    for (let last = after; from <= MOVED_TABLES.length; ) {
      const some = gone.behind(state, last, 100, now)
      for (const row of some) {
        if (page.isFull) return [MOVED_TABLES.length, 0, last]
        page.add(rows.toGone(row))
        last = row.place as number
      }
      if (some.length === 0) break
    }
    return [MOVED_TABLES.length + 1, 0, null]
  }

  function readTouched(page: Page, number: number, now: Instant): void {
    const { state } = page
    const taken: TouchedRow[] = []
    for (const one of touched.iterate(state.number) as Iterable<unknown> as Iterable<TouchedRow>) {
      if (page.isFull) break
      taken.push(one)
      const kind = RECORD_KINDS[one.kind] as (typeof RECORD_KINDS)[number]
      if (kind === 'line') {
        page.add({ of: kind, key: [one.key], row: null })
        continue
      }
      const at = MOVED_TABLES.findIndex((table) => table.kind === kind)
      const { what } = MOVED_TABLES[at] as MovedTable
      const owner = ownerOf.get(what, one.owner) as { id: string | null } | undefined
      // What hung on a subscription that has gone goes with it.
      if (owner === undefined) continue
      const found = readers[at]?.one.get(one.owner, one.key) as Row | undefined
      if (found === undefined) {
        page.add({ of: kind, key: owner.id === null ? [one.key] : [owner.id, one.key], row: null })
        const [removed] = kind === 'message' ? gone.behind(state, (one.key as number) - 1, 1, now) : []
        if (removed?.place === one.key) page.add(rows.toGone(removed))
        continue
      }
      const { at: _, ...row } = found
      page.add(rows.toRecord(kind, owner.id, row as Row, state))
    }
    for (const { kind, owner, key } of taken) handOut.run(number, state.number, kind, owner, key)
  }

  function fencedBy(key: QueueKey, token: string): QueueState | null {
    const state = states.find(key)
    return state?.fence?.token === token ? state : null
  }

  /** Who waits for something in the queue looks where it is now. */
  function tellAll(state: QueueState): void {
    tell(state)
    subscriptionWatchers.changed(state.key)
  }

  return {
    begin: ({ key, now }) =>
      turns.submit(() => {
        const state = states.find(key)
        const move = state && moveOf(state)
        if (state === null || move?.role === 'arriving') return null
        if (move !== null && isTracked(state)) return move.copy
        needRoom()
        if (move !== null) {
          states.endMove(state)
          state.fence = null
        }
        if (!areTriggersThere()) createTriggers(db)
        const copy = randomUUID()
        insert.run(state.number, 'leaving', copy, null, now)
        track.run('bucket', state.bucket, state.number)
        track.run('subscriptions', state.subscriptionBucket, state.number)
        track.run('queue', state.number, state.number)
        track.run('incarnation', state.incarnation, state.number)
        trackSubscriptions.run(state.number, state.subscriptionBucket)
        return copy
      }),

    read: ({ key, copy, cursor, limit, bytes, now }) =>
      turns.submit(() => {
        const state = states.find(key)
        const move = state && moveOf(state)
        if (!state || move?.role !== 'leaving' || move.copy !== copy || !isTracked(state)) return 'lost'
        const from = cursor === null ? START : (JSON.parse(cursor) as Cursor)
        acknowledge.run(state.number, from[0])
        const number = move.page + 1
        setPage.run(number, now, state.number)
        const page = new Page(state, limit, bytes)
        page.add(rows.toQueue(state))
        const [at, owner, reached] = readAll(page, from, latest.notBefore(now))
        if (at > MOVED_TABLES.length) readTouched(page, number, latest.notBefore(now))
        const { more } = isMore.get(state.number, number) as { more: 0 | 1 }
        const left = at <= MOVED_TABLES.length || more === 1
        return { records: page.records, cursor: JSON.stringify([number, at, owner, reached]), left }
      }),

    fence: ({ key, copy, token, until }) =>
      turns.submit(() => {
        const state = states.find(key)
        const move = state && moveOf(state)
        if (!state || move?.role !== 'leaving' || move.copy !== copy || !isTracked(state)) return 'lost'
        setToken.run(token, until, state.number)
        state.fence = { role: 'leaving', token, until }
        tellAll(state)
        return 'fenced'
      }),

    receive: ({ key, copy, token, now }) =>
      turns.submit(() => {
        const state = states.find(key)
        const move = state && moveOf(state)
        if (state && state.fence === null) return 'occupied'
        if (state && move?.role === 'arriving' && move.copy === copy) {
          setToken.run(token, 0, state.number)
          state.fence = { role: 'arriving', token, until: 0 }
          return { cursor: move.cursor }
        }
        needRoom()
        if (state) discard(state)
        const { number } = states.create(key, '{}')
        insert.run(number, 'arriving', copy, token, now)
        states.reload(states.find(key) as QueueState)
        return { cursor: null }
      }),

    write: ({ key, token, records, cursor, now }) =>
      turns.submit(() => {
        const state = fencedBy(key, token)
        if (state?.fence?.role !== 'arriving') return 'lost'
        needRoom()
        for (const record of records) rows.store(state, record, latest.notBefore(now))
        setCursor.run(cursor, state.number)
        states.touch(state)
        return 'stored'
      }, bytesOf(records)),

    lift: ({ key, token, now }) =>
      turns.submit(() => {
        const state = fencedBy(key, token)
        if (state === null) return 'lost'
        if (state.fence?.role === 'leaving') setToken.run(null, 0, state.number)
        else {
          const fresh = moveOf(state)?.first_fresh ?? null
          if (fresh !== null) state.fresh = Math.min(state.fresh, fresh)
          states.endMove(state)
          rows.keepOn(key)
        }
        states.reload(state)
        states.touch(state)
        tellAll(state)
        work.wake(state, latest.notBefore(now))
        return 'lifted'
      }),

    drop: ({ key, token }) =>
      turns.submit(() => {
        const state = fencedBy(key, token)
        if (state === null) return 'lost'
        discard(state)
        return 'dropped'
      }),

    async end({ key }) {
      await turns.submit(() => {
        const state = states.find(key)
        if (state !== null && state.fence === null && moveOf(state) !== null) states.endMove(state)
      })
    },

    fenced: ({ limit }) =>
      turns.submit(() =>
        (allFenced.all(limit) as unknown as Fenced[]).map(({ project, kind, name, ...fence }) => ({
          key: { project, kind, name },
          ...fence,
        })),
      ),

    sweep(now) {
      for (const key of forgotten.all(now - NOTED_MS) as unknown as QueueKey[]) {
        const state = states.find(key)
        if (state !== null) states.endMove(state)
      }
      // Not with the last of them: queues move one after the other, and each change of the schema costs milliseconds.
      if (isLeaving.get() === undefined && areTriggersThere()) dropTriggers(db)
    },
  }

  function discard(state: QueueState): void {
    tellAll(state)
    removeDepartures.run(state.incarnation)
    rows.keepNoLonger(state.key)
    states.delete(state)
  }
}

type Fenced = QueueKey & { role: 'leaving' | 'arriving'; token: string; until: Instant }

/** About. */
function bytesOf(records: readonly MovedRecord[]): number {
  return records.reduce((sum, { row }) => sum + (typeof row?.body === 'string' ? row.body.length : 0), 0)
}
