import type { DatabaseSync } from 'node:sqlite'
import type { Instant } from '../../core/model/model.ts'
import type { QueueState, QueueStates } from './queue-states.ts'

/** Rows that one slice removes or gives back: about a millisecond. */
const SLICE = 250
/** Claims that one slice ends; each holds ten or twenty messages as a rule. */
const CLAIMS = 20

/**
 * Does what has become due in a queue before anything else acts on it: removes messages and idempotency records that have
 * expired, and gives back what ended claims held. So every move meets only what lives, and none looks past the dead.
 * Each row is settled once; whoever meets many of them does them in slices and lets others have their turn in between.
 */
export class Settling {
  readonly #states: QueueStates
  readonly #announce: (state: QueueState) => void
  readonly #expired
  readonly #deleteMessage
  readonly #dropFromClaim
  readonly #deleteEmptyClaim
  readonly #endedClaims
  readonly #deleteClaim
  readonly #giveBack
  readonly #deleteRecords
  readonly #nextEnd

  constructor(db: DatabaseSync, states: QueueStates, announce: (state: QueueState) => void) {
    this.#states = states
    this.#announce = announce
    this.#expired = db.prepare(
      `SELECT number, claim FROM messages WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at LIMIT ${SLICE}`,
    )
    this.#deleteMessage = db.prepare('DELETE FROM messages WHERE number = ?')
    this.#dropFromClaim = db.prepare('UPDATE claims SET holds = holds - ? WHERE number = ?')
    this.#deleteEmptyClaim = db.prepare('DELETE FROM claims WHERE number = ? AND holds <= 0')
    this.#endedClaims = db.prepare(
      `SELECT number, taken FROM claims WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at LIMIT ${CLAIMS}`,
    )
    this.#deleteClaim = db.prepare('DELETE FROM claims WHERE number = ?')
    this.#giveBack = db.prepare('UPDATE messages SET held = 0, claim = NULL WHERE number = ? AND claim = ?')
    this.#deleteRecords = db.prepare(
      `DELETE FROM idempotency WHERE (bucket, key) IN
         (SELECT bucket, key FROM idempotency WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at LIMIT ${SLICE})`,
    )
    this.#nextEnd = db.prepare(
      `SELECT min(ifnull((SELECT min(expires_at) FROM messages WHERE bucket = $bucket), 9e15),
                  ifnull((SELECT min(expires_at) FROM claims WHERE bucket = $bucket), 9e15),
                  ifnull((SELECT min(expires_at) FROM idempotency WHERE bucket = $bucket), 9e15)) AS next_end`,
    )
  }

  /** False: a slice was done and more is due, so nothing else may act on the queue in this turn. */
  settle(state: QueueState, now: Instant): boolean {
    if (now < state.nextEnd) return true
    if (!(this.#removeExpired(state, now) && this.#endClaims(state, now) && this.#removeRecords(state, now)))
      return false
    state.nextEnd = (this.#nextEnd.get({ $bucket: state.bucket }) as { next_end: number }).next_end
    return true
  }

  /** Ends one claim before its time. */
  release(state: QueueState, claim: number, taken: string): void {
    const numbers = JSON.parse(taken) as number[]
    let given = 0
    for (const number of numbers) given += Number(this.#giveBack.run(number, claim).changes)
    this.#deleteClaim.run(claim)
    state.claimed -= given
    state.free += given
    this.#states.touch(state)
    this.#announce(state)
  }

  /** Removes a message that stands in the queue, and what its claim knows of it. */
  remove(state: QueueState, message: { readonly number: number; readonly claim: number | null }): void {
    this.#deleteMessage.run(message.number)
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

  // Each does one slice and answers whether that was all.

  #removeExpired(state: QueueState, now: Instant): boolean {
    const expired = this.#expired.all(state.bucket, now) as {
      number: number
      claim: number | null
    }[]
    for (const message of expired) this.remove(state, message)
    return expired.length < SLICE
  }

  #endClaims(state: QueueState, now: Instant): boolean {
    const claims = this.#endedClaims.all(state.bucket, now) as {
      number: number
      taken: string
    }[]
    for (const { number, taken } of claims) this.release(state, number, taken)
    return claims.length < CLAIMS
  }

  #removeRecords(state: QueueState, now: Instant): boolean {
    return this.#deleteRecords.run(state.bucket, now).changes < SLICE
  }
}
