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
/** After a queue has left the triggers stay for so long: as a rule another one follows. */
const REST_MS = 30_000

export function createMoveStore({ lanes }: Engine, clock: Clock): MoveStore & { close(): void } {
  let timer: Timer | null = null

  async function forEachTable(move: string): Promise<void> {
    for (const table of NOTED_TABLES) await lanes.alone(move, { table })
  }

  function restSoon(): void {
    timer?.cancel()
    // What could not be done is done after the next move.
    timer = clock.at(clock.now() + REST_MS, () => void forEachTable('rest_triggers').catch(() => {}))
  }

  return {
    async begin({ key, now }) {
      const copy = await lanes.write<string | null>('begin_move', key, { now })
      if (copy !== null) await forEachTable('note_changes')
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

    async drop({ key, token, now }) {
      const answer = await lanes.write<'dropped' | 'lost'>('drop_move', key, { token, now })
      restSoon()
      return answer
    },

    async end({ key, now }) {
      await lanes.write('end_move', key, { now })
      restSoon()
    },

    async fenced({ limit }) {
      const rows = await lanes.service<FencedRow[]>('list_fenced', { limit })
      return rows.map(([project, kind, name, role, token, until]) => ({
        key: { project, kind, name } satisfies QueueKey,
        ...{ role, token, until },
      }))
    },

    close() {
      timer?.cancel()
    },
  }
}

function toRecord([of, key, row]: RecordRow): MovedRecord {
  return { of, key, row }
}
