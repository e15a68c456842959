import type { DatabaseSync } from 'node:sqlite'
import type { Instant, Queue } from '../../model/model.ts'
import type { Batch, Lease } from '../contract.ts'
import type { Engine } from './engine.ts'
import type { Page } from './owed.ts'
import { NEVER, type QueueState } from './queue-states.ts'
import { foresee, type SubscriptionRow, toSubscription } from './subscription-rows.ts'

/** What one turn may look at: a queue or a subscription counts as some, a notification as one and its body as more. */
const LOOKS_PER_TURN = 2_000
const LOOKS_AT_A_ROW = 5
const BYTES_OF_A_LOOK = 1_000
/** Subscriptions that are read at once. */
const READ_AT_ONCE = 100

export interface LeaseTerms {
  readonly limit: number
  readonly seconds: number
  readonly batch: Batch
  readonly now: Instant
}

/** A turn of a lease, as far as it has come. */
interface Turn extends LeaseTerms {
  readonly leases: Lease[]
  looksLeft: number
}

/** A queue that a turn looks at. */
interface Place {
  readonly state: QueueState
  readonly queue: Queue
  /** See `Owed.next`. */
  readonly pages: Map<number, Page>
}

/**
 * Ends all leases, when the store is opened: whoever had them is this process no more, and no other uses the file.
 */
export function endLeases(db: DatabaseSync): void {
  db.exec(`
    BEGIN;
    INSERT OR REPLACE INTO work (queue, wakes_at)
      SELECT q.number, 0 FROM work w JOIN queue q ON q.number = w.queue
      WHERE EXISTS (SELECT 1 FROM subscription s WHERE s.bucket = q.subscription_bucket AND lease_ends_at > 0);
    UPDATE subscription SET lease_ends_at = 0, wakes_at = 0
      WHERE lease_ends_at > 0 AND bucket IN (SELECT q.subscription_bucket FROM work w JOIN queue q ON q.number = w.queue);
    COMMIT`)
}

/** Takes leases of subscriptions that are owed something. */
export class Leasing {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** As far as one turn may go; `isAll`: there is nothing more by now. */
  lease(terms: LeaseTerms): { leases: Lease[]; isAll: boolean } {
    const { states, work } = this.#engine
    const turn: Turn = { ...terms, leases: [], looksLeft: LOOKS_PER_TURN }
    const { leases, limit, now } = turn
    for (let due = work.due(now); due.length > 0; due = work.due(now)) {
      for (const key of due) {
        if (leases.length >= limit || turn.looksLeft <= 0) return { leases, isAll: false }
        const state = states.find(key) as QueueState
        if (state.fence !== null) {
          work.looked(state, NEVER)
          continue
        }
        // What is left of it comes behind others that have waited.
        work.looked(state, this.#lookAt(state, turn) ? this.#nextOf(state, now) : now)
      }
    }
    return { leases, isAll: true }
  }

  /** The subscription, if that lease of it has not ended. */
  find(state: QueueState, { id, subscription }: Lease, now: Instant): SubscriptionRow | null {
    const row = this.#engine.subscriptions.byId(state.subscriptionBucket, subscription.id, now)
    return row !== null && String(row.lease) === id && row.lease_ends_at > now ? row : null
  }

  /** Whether that was all that can be leased there by now. */
  #lookAt(state: QueueState, turn: Turn): boolean {
    const { settling, subscriptions, states } = this.#engine
    const { subscriptionBucket: bucket } = state
    const { now } = turn
    turn.looksLeft -= LOOKS_AT_A_ROW
    if (!settling.settle(state, now)) {
      turn.looksLeft = 0
      return false
    }
    const place = { state, queue: states.toQueue(state), pages: new Map() }
    return (
      this.#takeAll(place, turn, (limit) => subscriptions.woken(bucket, now, limit)) &&
      this.#takeAll(place, turn, (limit) => subscriptions.ready(bucket, state.fed, limit))
    )
  }

  /** Takes all that `read` finds, which finds none again that was looked at. */
  #takeAll(place: Place, turn: Turn, read: (limit: number) => SubscriptionRow[]): boolean {
    for (;;) {
      const limit = Math.min(READ_AT_ONCE, turn.limit - turn.leases.length)
      if (limit === 0) return false
      const rows = read(limit)
      for (const row of rows) if (turn.looksLeft <= 0 || !this.#take(place, row, turn)) return false
      if (rows.length < limit) return true
    }
  }

  /** Leases it if it is owed something. False: that takes another turn. */
  #take({ state, queue, pages }: Place, row: SubscriptionRow, turn: Turn): boolean {
    const { subscriptions, owed, feed } = this.#engine
    const { now, batch, seconds, leases } = turn
    turn.looksLeft -= LOOKS_AT_A_ROW
    if (row.expires_at <= now) {
      subscriptions.remove(row)
      return true
    }
    const isBusy = Math.max(row.lease_ends_at, row.rests_until) > now
    if (!isBusy) {
      if (!owed.findDue(row, now)) {
        turn.looksLeft = 0
        return false
      }
      const known = pages.get(row.position)
      const page = owed.next(state, row, batch, now, pages)
      const { notifications } = page
      if (page !== known) turn.looksLeft -= notifications.length + page.bytes / BYTES_OF_A_LOOK
      row.rests_until = 0
      row.lease_ends_at = 0
      if (notifications.length > 0) {
        // A number of the queue, so none is used again where that goes on in another store.
        row.lease = feed.takeNumber(state)
        row.lease_ends_at = now + seconds * 1000
        const subscription = toSubscription(row, queue)
        leases.push({ id: String(row.lease), queue, subscription, endsAt: row.lease_ends_at, notifications })
      }
    }
    foresee(row, now)
    subscriptions.putOff(row)
    return true
  }

  /** Of a queue of which nothing can be leased by now. */
  #nextOf(state: QueueState, now: Instant): Instant {
    const { subscriptions, feed } = this.#engine
    feed.review(state, now)
    const wakes = subscriptions.nextWake(state.subscriptionBucket)
    return state.listens ? Math.min(wakes, state.dueAt) : wakes
  }
}
