import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Instant } from '../../model/model.ts'
import { limited } from './limited.ts'
import { BEGINNING, type Cursor, type MessageRow } from './message-rows.ts'
import type { QueueState, QueueStates } from './queue-states.ts'

/** Rows that a move removes in passing. */
const IN_PASSING = 20
/** Rows that one turn of the sweeper removes: about a millisecond. */
const SWEPT_PER_TURN = 250
/** Claims that one turn ends; each holds ten or twenty messages as a rule. */
const CLAIMS_PER_TURN = 20

/**
 * Does what has become due in a queue before anything else acts on it. Ended claims give back what they held, all of them,
 * so that whatever comes next finds it there; where there are many, in several turns with others in between. Expired
 * messages are never seen, since every query passes over them; a move removes a few of them, the sweeper the rest.
 */
export class Settling {
  readonly #states: QueueStates
  readonly #announce: (state: QueueState) => void
  readonly #expired: (rows: number) => StatementSync
  readonly #expiredRecords: (rows: number) => StatementSync
  readonly #deleteRecord
  readonly #deleteMessage
  readonly #dropFromClaim
  readonly #deleteEmptyClaim
  readonly #endedClaims
  readonly #deleteClaim
  readonly #giveBack
  readonly #nextEnd
  readonly #firstLive
  readonly #countEnded

  constructor(db: DatabaseSync, states: QueueStates, announce: (state: QueueState) => void) {
    this.#states = states
    this.#announce = announce
    this.#expired = limited(
      db,
      `SELECT number, claim, expires_at, octet_length(body) AS bytes FROM messages
       WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at`,
    )
    this.#expiredRecords = limited(
      db,
      'SELECT key, octet_length(key) + octet_length(digest) AS bytes FROM idempotency WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at',
    )
    this.#deleteRecord = db.prepare('DELETE FROM idempotency WHERE bucket = ? AND key = ?')
    this.#deleteMessage = db.prepare('DELETE FROM messages WHERE number = ?')
    this.#dropFromClaim = db.prepare('UPDATE claims SET holds = holds - ? WHERE number = ?')
    this.#deleteEmptyClaim = db.prepare('DELETE FROM claims WHERE number = ? AND holds <= 0')
    this.#endedClaims = db.prepare(
      `SELECT number, taken FROM claims WHERE bucket = ? AND expires_at <= ?
       ORDER BY expires_at LIMIT ${CLAIMS_PER_TURN}`,
    )
    this.#deleteClaim = db.prepare('DELETE FROM claims WHERE number = ?')
    this.#giveBack = db.prepare('UPDATE messages SET held = 0, claim = NULL WHERE number = ? AND claim = ?')
    this.#nextEnd = db.prepare(
      `SELECT min(ifnull((SELECT min(expires_at) FROM messages WHERE bucket = ?1), 9e15),
                  ifnull((SELECT min(expires_at) FROM claims WHERE bucket = ?1), 9e15),
                  ifnull((SELECT min(expires_at) FROM idempotency WHERE bucket = ?1), 9e15)) AS next_end`,
    )
    this.#firstLive = db.prepare(
      `SELECT visible_at AS instant, place FROM messages
       WHERE bucket = ?1 AND held = 0 AND delayed = 0 AND (visible_at, place) >= (?2, ?3) AND expires_at > ?4
       ORDER BY visible_at, place LIMIT 1`,
    )
    this.#countEnded = db.prepare(
      'SELECT count(*) AS count FROM messages WHERE bucket = ? AND expires_at > ? AND expires_at <= ?',
    )
  }

  /** False: claims were ended and more have to be, so nothing else may act on the queue in this turn. */
  settle(state: QueueState, now: Instant): boolean {
    if (now < state.nextEnd) return true
    if (!this.#endClaims(state, now)) return false
    this.#removeExpired(state, now, IN_PASSING)
    this.#foresee(state)
    if (state.nextEnd <= now) this.overlookExpired(state, now)
    return true
  }

  /**
   * Passes over what has expired and is still stored, once, so that those who come after need not: 0.1 µs for each message that
   * has expired since the last time.
   */
  overlookExpired(state: QueueState, now: Instant): void {
    const { instant, place } = state.head ?? BEGINNING
    const live = this.#firstLive.get(state.bucket, instant, place, now) as unknown as Cursor | undefined
    // Whatever is posted from now on stands behind that.
    state.head = live ?? { instant: now, place: 0 }
    const { until, count } = state.expired
    const more = this.#countEnded.get(state.bucket, until, now) as { count: number }
    state.expired = { until: now, count: count + more.count }
  }

  /** How many have expired and are still stored, in a queue that is settled. */
  countExpired(state: QueueState, now: Instant): number {
    return state.nextEnd > now ? 0 : state.expired.count
  }

  /** One turn of the sweeper; true when nothing is due any more. */
  sweep(state: QueueState, now: Instant): boolean {
    const done = this.#endClaims(state, now) && this.#removeExpired(state, now, SWEPT_PER_TURN)
    this.#foresee(state)
    return done
  }

  /** Ends one claim before its time. */
  release(state: QueueState, claim: number, taken: string): void {
    const numbers = JSON.parse(taken) as number[]
    let given = 0
    for (const number of numbers) given += Number(this.#giveBack.run(number, claim).changes)
    this.#deleteClaim.run(claim)
    state.claimed -= given
    state.free += given
    state.head = null
    this.#states.touch(state)
    this.#announce(state)
  }

  /** Removes a message that stands in the queue, and what its claim knows of it. `bytes`: of its body. */
  remove(state: QueueState, message: Pick<MessageRow, 'number' | 'claim'>, bytes: number): void {
    this.#deleteMessage.run(message.number)
    state.bytes -= bytes
    if (message.claim === null) state.free -= 1
    else {
      state.claimed -= 1
      this.dropFromClaim(message.claim, 1)
    }
    this.#states.touch(state)
  }

  dropFromClaim(claim: number, count: number): void {
    this.#dropFromClaim.run(count, claim)
    this.#deleteEmptyClaim.run(claim)
  }

  #endClaims(state: QueueState, now: Instant): boolean {
    const claims = this.#endedClaims.all(state.bucket, now) as { number: number; taken: string }[]
    for (const { number, taken } of claims) this.release(state, number, taken)
    return claims.length < CLAIMS_PER_TURN
  }

  /** Up to that many messages and idempotency records; whether that was all. */
  #removeExpired(state: QueueState, now: Instant, rows: number): boolean {
    const expired = this.#expired(rows).all(state.bucket, now) as unknown as (Pick<
      MessageRow,
      'number' | 'claim' | 'expires_at'
    > & { bytes: number })[]
    for (const message of expired) this.remove(state, message, message.bytes)
    const { until, count } = state.expired
    state.expired = { until, count: count - expired.filter(({ expires_at }) => expires_at <= until).length }
    const records = this.#expiredRecords(rows).all(state.bucket, now) as { key: string; bytes: number }[]
    for (const { key, bytes } of records) {
      this.#deleteRecord.run(state.bucket, key)
      state.bytes -= bytes
    }
    if (records.length > 0) this.#states.touch(state)
    return expired.length < rows && records.length < rows
  }

  #foresee(state: QueueState): void {
    state.nextEnd = (this.#nextEnd.get(state.bucket) as { next_end: number }).next_end
  }
}
