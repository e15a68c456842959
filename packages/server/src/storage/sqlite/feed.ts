import type { DatabaseSync } from 'node:sqlite'
import type { Instant } from '../../model/model.ts'
import { NEVER, type QueueState, type QueueStates } from './queue-states.ts'
import type { DeliveryRow } from './subscription-rows.ts'
import type { Work } from './work.ts'

/** Rows that one turn removes from behind those who listen. */
const ROWS_PER_TURN = 250
/** Numbers after which somebody who goes on looks again what can be removed. */
const NUMBERS_BETWEEN_TRIMS = 100

/** A message that enters a feed at its POST. */
interface Entry {
  readonly born: number
  readonly createdAt: Instant
  readonly ttlSeconds: number
  readonly clientId: string
  readonly body: string
}

/** The feeds of the queues: what their subscriptions are told of. */
export class Feed {
  readonly #states: QueueStates
  readonly #work: Work
  readonly #insert
  readonly #insertDelayed
  readonly #isListening
  readonly #least
  readonly #trim
  readonly #firstQueue
  readonly #queueByNumber

  constructor(db: DatabaseSync, states: QueueStates, work: Work) {
    this.#states = states
    this.#work = work
    this.#insert = db.prepare(
      `INSERT INTO feed (queue, number, born_incarnation, born, created_at, ttl, delay, since, client, body)
       VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
    )
    this.#insertDelayed = db.prepare(
      `INSERT INTO feed (queue, number, born_incarnation, born, created_at, ttl, delay, since, client, body)
       SELECT ?2, ?3, ifnull(born_incarnation, ?4), ifnull(born, number), created_at, ttl, (due_at - created_at) / 1000,
         due_at, client, body
       FROM delayed WHERE rowid = ?1`,
    )
    const ofListening = (what: string, isFree: 0 | 1, condition = 'true') =>
      `(SELECT ${what} FROM subscription INDEXED BY subscription_ready
        WHERE bucket = ?1 AND is_free = ${isFree} AND is_listening = 1 AND ${condition} ORDER BY position LIMIT 1)`
    const isLive = 'expires_at > ?2'
    this.#isListening = db.prepare(
      `SELECT ${ofListening('1', 1, isLive)} AS free, ${ofListening('1', 0, isLive)} AS busy`,
    )
    this.#least = db.prepare(
      `SELECT min(ifnull(${ofListening('position', 1)}, ${NEVER}), ifnull(${ofListening('position', 0)}, ${NEVER})) AS position`,
    )
    this.#trim = db.prepare(
      `DELETE FROM feed WHERE rowid IN
         (SELECT rowid FROM feed WHERE queue = ? AND number <= ? ORDER BY number LIMIT ${ROWS_PER_TURN})`,
    )
    this.#firstQueue = db.prepare('SELECT min(queue) AS number FROM feed WHERE queue > ?')
    this.#queueByNumber = db.prepare('SELECT subscription_bucket AS bucket FROM queue WHERE number = ?')
  }

  /** At its POST. Only where subscriptions listen. */
  enter(state: QueueState, { born, createdAt, ttlSeconds, clientId, body }: Entry): void {
    const number = this.#nextNumber(state, createdAt)
    this.#insert.run(
      ...[state.number, number, state.incarnation, born, createdAt, ttlSeconds, createdAt, clientId],
      body,
    )
  }

  /** When its delay is over; `rowid` of `delayed`. Only where subscriptions listen. */
  enterDelayed(state: QueueState, rowid: number, now: Instant): void {
    this.#insertDelayed.run(rowid, state.number, this.#nextNumber(state, now), state.incarnation)
  }

  /** A number behind everything that is in the feed, for what is owed beside it. */
  takeNumber(state: QueueState): number {
    state.numbered += 1
    this.#states.touch(state)
    return state.numbered
  }

  /** A delay ends then: who listens is told of it without anybody else having to act on the queue. */
  foresee(state: QueueState): void {
    if (state.listens && state.dueAt < NEVER) this.#work.wake(state, state.dueAt)
  }

  /** A subscription listens from now on. */
  listen(state: QueueState): void {
    state.listens = true
    state.hasFree = true
    this.foresee(state)
  }

  /** Lets leases find the subscription, when it is worth a look. */
  await(state: QueueState, row: DeliveryRow, now: Instant): void {
    if (row.wakes_at < NEVER) this.#work.wake(state, Math.max(row.wakes_at, now))
    if (row.is_free === 0 || row.is_listening === 0) return
    state.hasFree = true
    if (row.position < state.fed) this.#work.wake(state, now)
  }

  /** Finds out whether any subscription listens still. */
  review(state: QueueState, now: Instant): void {
    if (!state.listens) return
    const { free, busy } = this.#isListening.get(state.subscriptionBucket, now) as Record<'free' | 'busy', 1 | null>
    state.hasFree = free !== null
    state.listens = state.hasFree || busy !== null
  }

  /** Somebody has come as far as `position`: some of what all have behind them goes. */
  trimInPassing(state: QueueState, position: number): void {
    if (position < state.trimAt) return
    state.trimAt = position + NUMBERS_BETWEEN_TRIMS
    this.#trim.run(state.number, this.#leastPosition(state.subscriptionBucket))
  }

  /** One turn of the sweeper in the feeds of queues behind that one; the one to go on behind, null at the end. */
  sweep(after: number): number | null {
    let last = after
    for (let left = ROWS_PER_TURN; left > 0; left--) {
      const { number: queue } = this.#firstQueue.get(last) as { number: number | null }
      if (queue === null) return null
      const { bucket = null } = (this.#queueByNumber.get(queue) as { bucket: number } | undefined) ?? {}
      const changes = Number(this.#trim.run(queue, bucket === null ? NEVER : this.#leastPosition(bucket)).changes)
      if (changes === ROWS_PER_TURN) return last
      last = queue
      left -= changes
    }
    return last
  }

  /** Everybody who listens has that behind him; expired ones hold it until they are removed. */
  #leastPosition(bucket: number): number {
    return (this.#least.get(bucket) as { position: number }).position
  }

  #nextNumber(state: QueueState, now: Instant): number {
    state.fed = this.takeNumber(state)
    if (state.hasFree) this.#work.wake(state, now)
    return state.fed
  }
}
