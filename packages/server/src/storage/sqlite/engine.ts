import type { DatabaseSync } from 'node:sqlite'
import type { Instant } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import { type QueueHandle, STALE, type Stale } from '../contract.ts'
import { Sealer } from '../sealed-id.ts'
import { MessageRows } from './message-rows.ts'
import { Numbers } from './numbers.ts'
import { type QueueState, QueueStates } from './queue-states.ts'
import type { Room } from './room.ts'
import { Settling } from './settling.ts'
import { Turns, Unfinished } from './turns.ts'
import { Watchers } from './watchers.ts'

/** A move on a queue; `soFar`: see `Move`. */
type Act<T, S> = (state: QueueState, now: Instant, soFar: Readonly<S> | undefined) => T | Unfinished<S>

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
  /** For a move that is about to store what was not there before. @throws StorageUnavailable when the disk is full */
  needRoom(): void
  /** Something may be new in that queue once the turn is committed. */
  announce(state: QueueState): void
  /**
   * Runs a move on a queue that must be as the caller saw it, after what is due in it has been done.
   * `now` is handed on, but never earlier than an instant that was acted on before. `newBytes`: see `Turns.submit`.
   */
  onQueue<T, S = undefined>(handle: QueueHandle, now: Instant, act: Act<T, S>, newBytes?: number): Promise<T | Stale>
}

export function createEngine(db: DatabaseSync, clock: Clock, room: Room | null): Engine {
  const { seal_key } = db.prepare('SELECT seal_key FROM store').get() as {
    seal_key: Uint8Array
  }
  const sealer = new Sealer(seal_key)
  const states = new QueueStates(db)
  const numbers = new Numbers(db)
  const announced = new Set<QueueState>()
  const announce = (state: QueueState) => void announced.add(state)
  const turns = new Turns(db, {
    refusalOfNew: () => room?.refusalOfNew() ?? null,
    beforeCommit() {
      if (states.flush()) numbers.flush()
    },
    afterCommit() {
      for (const state of announced) watchers.notify(state.key)
      announced.clear()
    },
    afterRollback(error) {
      announced.clear()
      states.forget()
      numbers.reload()
      room?.failed(error)
    },
  })
  const needRoom = () => {
    const refusal = room?.refusalOfNew() ?? null
    if (refusal !== null) throw refusal
  }
  const rows = new MessageRows(db, sealer)
  const settling = new Settling(db, states, announce)
  const watchers = new Watchers({ db, clock, turns, states })
  const onQueue = <T, S>(handle: QueueHandle, now: Instant, act: Act<T, S>, newBytes?: number): Promise<T | Stale> =>
    turns.submit<T | Stale, S>((soFar) => {
      const state = states.open(handle)
      if (state === STALE) return STALE
      const actual = numbers.notBefore(now)
      return settling.settle(state, actual) ? act(state, actual, soFar) : new Unfinished(soFar)
    }, newBytes)
  return {
    db,
    turns,
    states,
    numbers,
    sealer,
    rows,
    settling,
    watchers,
    needRoom,
    announce,
    onQueue,
  }
}
