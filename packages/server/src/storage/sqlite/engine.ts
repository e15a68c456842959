import type { DatabaseSync } from 'node:sqlite'
import type { Instant } from '../../core/model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import { type QueueHandle, STALE, type Stale } from '../contract.ts'
import { Sealer } from '../sealed-id.ts'
import { MessageRows } from './message-rows.ts'
import { Numbers } from './numbers.ts'
import { type QueueState, QueueStates } from './queue-states.ts'
import { Settling } from './settling.ts'
import { Turns, UNFINISHED } from './turns.ts'
import { Watchers } from './watchers.ts'

/** What the stores of this engine share. */
export interface Engine {
  readonly db: DatabaseSync
  readonly turns: Turns
  readonly states: QueueStates
  readonly numbers: Numbers
  readonly sealer: Sealer
  readonly rows: MessageRows
  readonly settling: Settling
  readonly watchers: Watchers
  /** Something may be new in that queue once the turn is committed. */
  announce(state: QueueState): void
  /**
   * Runs a move on a queue that must be as the caller saw it, after what is due in it has been done.
   * `now` is handed on, but never earlier than an instant that was acted on before.
   */
  onQueue<T>(
    handle: QueueHandle,
    now: Instant,
    act: (state: QueueState, now: Instant) => T | typeof UNFINISHED,
  ): Promise<T | Stale>
}

export function createEngine(db: DatabaseSync, clock: Clock): Engine {
  const { seal_key } = db.prepare('SELECT seal_key FROM store').get() as {
    seal_key: Uint8Array
  }
  const sealer = new Sealer(seal_key)
  const states = new QueueStates(db)
  const numbers = new Numbers(db)
  const announced = new Set<QueueState>()
  const announce = (state: QueueState) => void announced.add(state)
  const turns = new Turns(db, {
    beforeCommit() {
      if (states.flush()) numbers.flush()
    },
    afterCommit() {
      for (const state of announced) watchers.notify(state.key)
      announced.clear()
    },
    afterRollback() {
      announced.clear()
      states.forget()
      numbers.reload()
    },
  })
  const rows = new MessageRows(db, sealer)
  const settling = new Settling(db, states, announce)
  const watchers = new Watchers({ db, clock, turns, states })
  const onQueue: Engine['onQueue'] = (handle, now, act) =>
    turns.submit(() => {
      const state = states.open(handle)
      if (state === STALE) return STALE
      const actual = numbers.notBefore(now)
      return settling.settle(state, actual) ? act(state, actual) : UNFINISHED
    })
  return {
    db,
    turns,
    states,
    numbers,
    sealer,
    rows,
    settling,
    watchers,
    announce,
    onQueue,
  }
}
