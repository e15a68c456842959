import type { Instant, Json, QueueKey, QueueKind } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { MovedRecord, MoveStore, RecordKind } from '../contract.ts'
import type { Engine } from './engine.ts'

/** A record as the SQL function `moved_record` answers it. */
type RecordRow = [of: RecordKind, key: (string | number)[], row: { [column: string]: Json } | null]
type Page = { records: RecordRow[]; cursor: Json; left: boolean }
type FencedRow = [
  project: string,
  kind: QueueKind,
  name: string,
  role: 'leaving' | 'arriving',
  token: string,
  until: Instant,
]

/** Whose changes triggers note while queues leave. */
const NOTED_TABLES = [
  ...['message', 'delayed', 'claim', 'idempotency', 'arrival', 'departure'],
  ...['subscription', 'feed', 'owed', 'failure', 'log'],
]
/** Whether a queue leaves is looked at so often: as a rule others follow the first, and each change of a table costs. */
const LOOK_MS = 30_000

export function createMoveStore({ lanes }: Engine, clock: Clock): MoveStore & { close(): void } {
  let timer: Timer | null = null
  let isClosed = false

  const look = () => lanes.alone<{ noted: string[]; isNeeded: boolean }>('noted_tables', {})

  async function noteChanges(): Promise<void> {
    const { noted } = await look()
    for (const table of NOTED_TABLES) {
      if (!noted.includes(table)) await lanes.alone('note_changes', { table })
    }
  }

  /** Whoever began may be dead, so each node looks. */
  async function restWhenIdle(): Promise<void> {
    const { noted, isNeeded } = await look()
    if (isNeeded) return
    for (const table of noted) await lanes.alone('rest_triggers', { table })
  }

  function lookLater(): void {
    if (isClosed) return
    timer = clock.at(clock.now() + LOOK_MS, () => {
      // What could not be done is done next time.
      restWhenIdle()
        .catch(() => undefined)
        .finally(lookLater)
    })
  }
  lookLater()

  return {
    async begin({ key, now }) {
      const copy = await lanes.write<string | null>('begin_move', key, { now })
      if (copy !== null) await noteChanges()
      return copy
    },

    async read({ key, copy, cursor, limit, bytes, now }) {
      const from = cursor === null ? null : JSON.parse(cursor)
      const parameters = { copy, cursor: from, limit, bytes, now }
      const page = await lanes.write<Page | 'lost'>('read_move', key, parameters)
      if (page === 'lost') return page
      const { records, cursor: reached, left } = page as Page
      return { records: records.map(toRecord), cursor: JSON.stringify(reached), left }
    },

    fence: ({ key, copy, token, until, now }) =>
      lanes.write<'fenced' | 'lost'>('fence_move', key, { copy, token, until, now }),

    async receive({ key, copy, token, now }) {
      type Answer = { cursor: string | null } | 'occupied'
      return lanes.write<Answer>('receive_move', key, { copy, token, now })
    },

    write: ({ key, token, records, cursor, now }) => {
      const rows = records.map(({ of, key, row }) => [of, key, row])
      return lanes.write<'stored' | 'lost'>('write_move', key, { token, records: rows, cursor, now })
    },

    lift: ({ key, token, now }) => lanes.write<'lifted' | 'lost'>('lift_move', key, { token, now }),

    drop: ({ key, token, now }) => lanes.write<'dropped' | 'lost'>('drop_move', key, { token, now }),

    async end({ key, now }) {
      await lanes.write('end_move', key, { now })
    },

    async fenced({ limit }) {
      const rows = await lanes.service<FencedRow[]>('list_fenced', { limit })
      return rows.map(([project, kind, name, role, token, until]) => ({
        key: { project, kind, name } satisfies QueueKey,
        ...{ role, token, until },
      }))
    },

    close() {
      isClosed = true
      timer?.cancel()
    },
  }
}

function toRecord([of, key, row]: RecordRow): MovedRecord {
  return { of, key, row }
}
