import type { DatabaseSync } from 'node:sqlite'
import type { Instant, QueueKey } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import { type QueueHandle, STALE, type Stale } from '../contract.ts'
import type { EngineFigures } from '../engine-figures.ts'
import { Sealer } from '../sealed-id.ts'
import { Feed } from './feed.ts'
import { GoneMessages } from './gone.ts'
import { LatestInstant } from './latest-instant.ts'
import { MessageRows } from './message-rows.ts'
import { Owed } from './owed.ts'
import { type QueueState, QueueStates } from './queue-states.ts'
import type { Room } from './room.ts'
import { Settling } from './settling.ts'
import { SubscriptionRows } from './subscription-rows.ts'
import { SubscriptionWatchers } from './subscription-watchers.ts'
import { Turns, Unfinished } from './turns.ts'
import { Watchers } from './watchers.ts'
import { Work } from './work.ts'

/** A move on a queue; `soFar`: see `Move`. */
type Act<T, S> = (state: QueueState, now: Instant, soFar: Readonly<S> | undefined) => T | Unfinished<S>

/** What the stores of this engine share. */
export interface Engine {
  readonly db: DatabaseSync
  readonly clock: Clock
  readonly turns: Turns
  readonly figures: EngineFigures
  readonly states: QueueStates
  readonly latest: LatestInstant
  /** What `sealer` seals with. */
  readonly idKey: Uint8Array
  readonly sealer: Sealer
  readonly rows: MessageRows
  readonly work: Work
  readonly feed: Feed
  readonly owed: Owed
  readonly subscriptions: SubscriptionRows
  readonly gone: GoneMessages
  readonly settling: Settling
  readonly watchers: Watchers
  readonly subscriptionWatchers: SubscriptionWatchers
  /** What the id of a claim of this queue tells, or null. */
  claimNumber(state: QueueState, claimId: string): number | null
  /** For a move that is about to store what was not there before. @throws StorageUnavailable when the disk is full */
  needRoom(): void
  /** Something may be new in that queue once the turn is committed. */
  tell(state: QueueState): void
  /** As `tell`, of a queue that need not be here. */
  tellOf(key: QueueKey): void
  /**
   * Runs a move on a queue that must be as the caller saw it, after what is due in it has been done.
   * `now` is handed on, but never earlier than an instant that was acted on before. `newBytes`: see `Turns.submit`.
   */
  onQueue<T, S = undefined>(handle: QueueHandle, now: Instant, act: Act<T, S>, newBytes?: number): Promise<T | Stale>
}

export interface EngineParts {
  readonly db: DatabaseSync
  readonly clock: Clock
  readonly room: Room | null
  readonly figures: EngineFigures
  readonly idKey: Uint8Array
}

export function createEngine({ db, clock, room, figures, idKey }: EngineParts): Engine {
  const sealer = new Sealer(idKey)
  const latest = new LatestInstant()
  const states = new QueueStates(db, latest)
  let changed: readonly QueueState[] = []
  const told = new Set<QueueState>()
  const tell = (state: QueueState) => void told.add(state)
  let toldOf: QueueKey[] = []
  const turns = new Turns(
    db,
    {
      refusalOfNew: () => room?.refusalOfNew() ?? null,
      beforeCommit() {
        changed = states.flush()
      },
      afterCommit() {
        gone.committed()
        for (const state of changed) watchers.foresee(state)
        for (const state of told) watchers.notify(state.key)
        told.clear()
        for (const key of toldOf) watchers.notify(key)
        toldOf = []
        subscriptionWatchers.committed()
        work.committed()
      },
      afterRollback(error) {
        told.clear()
        toldOf = []
        gone.rolledBack()
        subscriptionWatchers.rolledBack()
        work.rolledBack()
        states.forget()
        room?.failed(error)
      },
    },
    figures,
  )
  const needRoom = () => {
    const refusal = room?.refusalOfNew() ?? null
    if (refusal !== null) throw refusal
  }
  const claimNumber = ({ incarnation }: QueueState, claimId: string) => {
    const opened = sealer.open('claim', claimId)
    return opened?.incarnation === incarnation ? opened.number : null
  }
  const rows = new MessageRows(db, sealer)
  const gone = new GoneMessages(rows)
  const work = new Work(db)
  const feed = new Feed(db, states, work)
  const owed = new Owed(db, states, sealer)
  const subscriptions = new SubscriptionRows(db)
  const isFull = () => (room?.refusalOfNew() ?? null) !== null
  const settling = new Settling(db, states, { feed, gone, tell, isFull })
  const subscriptionWatchers = new SubscriptionWatchers()
  const watchers = new Watchers({ clock, turns, states, settling, latest })
  const onQueue = <T, S>(handle: QueueHandle, now: Instant, act: Act<T, S>, newBytes?: number): Promise<T | Stale> =>
    turns.submit<T | Stale, S>((soFar) => {
      const state = states.open(handle)
      if (state === STALE) return STALE
      const actual = latest.notBefore(now)
      return settling.settle(state, actual) ? act(state, actual, soFar) : new Unfinished(soFar)
    }, newBytes)
  return {
    db,
    clock,
    turns,
    figures,
    states,
    latest,
    idKey,
    sealer,
    rows,
    work,
    feed,
    owed,
    subscriptions,
    gone,
    settling,
    watchers,
    subscriptionWatchers,
    claimNumber,
    needRoom,
    tell,
    tellOf: (key) => void toldOf.push(key),
    onQueue,
  }
}
