import type { Batch, DeliveryStore, Failure, Instant, Lease, Notification, Outcome } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { freshEntries, leasableFrom, owedBy, toRetry } from './feed.ts'
import type { Moves } from './moves.ts'
import {
  type FailureRow,
  findQueue,
  isStale,
  type ModelState,
  newName,
  nextNumber,
  type RetryRow,
  type SubscriptionRow,
  toQueue,
} from './state.ts'
import { findSubscription, toSubscription } from './subscription-moves.ts'
import type { Watchers } from './watchers.ts'

/** Engines choose for themselves whom they lease first: a test may say which ones the model shall choose. */
interface LeaseTerms {
  readonly first?: readonly string[]
}

export function deliveryMoves(state: ModelState, watchers: Watchers): Moves<DeliveryStore> {
  return {
    lease({ limit, seconds, batch, now, first = [] }: Parameters<DeliveryStore['lease']>[0] & LeaseTerms) {
      const leases = state.subscriptions
        .filter((row) => leasableFrom(state, row, now) === now)
        .sort((a, b) => sinceWhen(state, a, now) - sinceWhen(state, b, now))
        .sort((a, b) => Number(first.includes(b.id)) - Number(first.includes(a.id)))
        .slice(0, limit)
        .map((row) => take(state, row, { seconds, batch, now }))
      const instants = state.subscriptions.flatMap((row) => leasableFrom(state, row, now) ?? [])
      return { leases, next: instants.length === 0 ? null : Math.min(...instants) }
    },

    settle({ lease, outcomes, log, keep, health, next, restsUntil, now }) {
      const row = findSubscription(state, lease.queue, lease.subscription.id, now)
      if (row?.lease?.id !== lease.id || row.lease.endsAt <= now) return 'lost'
      for (const outcome of outcomes) note(state, row, outcome, now)
      row.failures = last(liveFailures(row, now), keep.failures)
      row.log = last([...row.log, ...log], keep.log)
      if (row.subscriber === lease.subscription.subscriber) Object.assign(row, { health })
      watchers.notifyWork()
      const notifications = next === null ? [] : toNotifications(owedBy(state, row, now), next.batch)
      if (next !== null && notifications.length > 0) {
        const endsAt = now + next.seconds * 1000
        row.lease = { id: lease.id, endsAt }
        return { subscription: toSubscription(row), notifications, endsAt }
      }
      row.lease = null
      row.restsUntil = next === null ? restsUntil : null
      return { subscription: toSubscription(row), notifications: [], endsAt: now }
    },

    announce({ queue, id, text, now }) {
      if (isStale(state, queue)) return STALE
      const row = findSubscription(state, queue, id, now)
      if (!row) return false
      const content = { kind: 'announcement', text } as const
      const messages = row.retries.filter((retry) => retry.content.kind === 'message')
      row.retries = [...messages, { number: nextNumber(state), content, since: now, attempts: null, until: now }]
      watchers.notifyWork()
      return true
    },

    failures({ queue, id, after, limit, now }) {
      if (isStale(state, queue)) return STALE
      const row = findSubscription(state, queue, id, now)
      if (!row) return null
      const start = placeOf(row, after)
      const page = liveFailures(row, now)
        .filter(({ place }) => place > start)
        .slice(0, limit)
      const end = page.at(-1)
      return { failures: page.map(toFailure), marker: end ? markerOf(row, end.place) : null }
    },

    replay({ queue, id, messageIds, since, limit, now }) {
      if (isStale(state, queue)) return STALE
      const row = findSubscription(state, queue, id, now)
      if (!row?.isListening) return null
      const fitting = liveFailures(row, now)
        .filter(({ failedAt }) => since === null || failedAt >= since)
        .filter(({ message }) => messageIds === null || messageIds.includes(message.id))
      const chosen = messageIds === null ? fitting.slice(0, limit) : fitting
      row.failures = row.failures.filter((failure) => !chosen.includes(failure))
      for (const { number, message, since } of chosen) {
        row.retries.push({ number, content: { kind: 'message', message }, since, attempts: null, until: now })
      }
      watchers.notifyWork()
      return chosen.map(({ message }) => message.id)
    },

    log({ queue, id, now }) {
      if (isStale(state, queue)) return STALE
      const row = findSubscription(state, queue, id, now)
      return row && [...row.log]
    },
  }
}

/**
 * Ends all leases, as is due when a store is opened that several processes cannot have open. (Those of the model can.)
 */
export function endLeases(state: ModelState): void {
  for (const row of state.subscriptions) row.lease = null
}

function take(
  state: ModelState,
  row: SubscriptionRow,
  { seconds, batch, now }: { seconds: number; batch: Batch; now: Instant },
): Lease {
  const queue = findQueue(state, row.queue)
  if (!queue) throw new Error('a subscription has outlived its queue')
  const lease = { id: newName('lease', nextNumber(state)), endsAt: now + seconds * 1000 }
  row.lease = lease
  const notifications = toNotifications(owedBy(state, row, now), batch)
  return { ...lease, queue: toQueue(queue), subscription: toSubscription(row), notifications }
}

/** Of what it is owed by now, when the first was there to be told of. */
function sinceWhen(state: ModelState, row: SubscriptionRow, now: Instant): Instant {
  return Math.min(...owedBy(state, row, now).map(({ since }) => since))
}

function note(state: ModelState, row: SubscriptionRow, outcome: Outcome, now: Instant): void {
  const retry = row.retries.find((one) => refOf(one) === outcome.ref)
  const owed =
    retry ??
    freshEntries(state, row)
      .map(toRetry)
      .find((one) => refOf(one) === outcome.ref)
  if (!owed) return
  if (retry) row.retries = row.retries.filter((other) => other !== retry)
  else row.position = owed.number
  const { number, content, since } = owed
  if (outcome.became === 'postponed') row.retries.push({ ...owed, until: outcome.until, attempts: outcome.attempts })
  if (outcome.became !== 'failed' || content.kind !== 'message') return
  const { attempts, expiresAt } = outcome
  const place = nextNumber(state)
  row.failures.push({ number, message: content.message, since, attempts, failedAt: now, expiresAt, place })
}

/** At least one, and no more once there are enough of them or of their bytes. */
function toNotifications(owed: readonly RetryRow[], batch: Batch): Notification[] {
  const chosen: Notification[] = []
  let bytes = 0
  for (const retry of owed) {
    const { content, since, attempts } = retry
    chosen.push({ ref: refOf(retry), content, since, attempts })
    bytes += Buffer.byteLength(content.kind === 'message' ? content.message.body : content.text)
    if (chosen.length >= batch.notifications || bytes >= batch.bytes) break
  }
  return chosen
}

function refOf({ number }: RetryRow): string {
  return newName('notification', number)
}

function liveFailures(row: SubscriptionRow, now: Instant): FailureRow[] {
  return row.failures.filter(({ expiresAt }) => now < expiresAt)
}

function toFailure({ message, since, attempts, failedAt }: FailureRow): Failure {
  return { message, since, attempts, failedAt }
}

function markerOf({ queue, id }: SubscriptionRow, place: number): string {
  return JSON.stringify([queue, id, place])
}

/** Before all failures where it is no marker of this subscription. */
function placeOf(row: SubscriptionRow, marker: string | null): number {
  const place = Number(marker?.slice(marker.lastIndexOf(',') + 1, -1))
  return marker === markerOf(row, place) ? place : 0
}

/** `slice(-0)` would keep all. */
function last<Row>(rows: readonly Row[], count: number): Row[] {
  return rows.slice(Math.max(rows.length - count, 0))
}
