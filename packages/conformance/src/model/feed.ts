import type { Instant, QueueKey } from 'zaqar/storage'
import { byPlace } from './message-rules.ts'
import {
  endOf,
  type FeedRow,
  isSameQueue,
  type MessageRow,
  type ModelState,
  nextNumber,
  type RetryRow,
  type SubscriptionRow,
} from './state.ts'

/**
 * Messages that have become visible enter the feeds of their queues, also those that have expired since. Before any
 * move, so it is still as it was at those instants who listened and what was in the queue.
 */
export function enterWhatIsDue(state: ModelState, now: Instant): void {
  const due = state.messages.filter(({ isToEnter, visibleAt }) => isToEnter && visibleAt <= now).sort(byPlace)
  for (const message of due) {
    message.isToEnter = false
    if (willEnter(state, message)) enter(state, message)
  }
}

/** Whether somebody listens and the message still lives when it becomes visible, as far as is known by now. */
function willEnter(state: ModelState, { queue, visibleAt, expiresAt }: MessageRow): boolean {
  return visibleAt < expiresAt && liveSubscriptions(state, queue, visibleAt).some(({ isListening }) => isListening)
}

function enter(state: ModelState, message: MessageRow): void {
  const { id, body, clientId, ttlSeconds, delaySeconds, createdAt, visibleAt, queue } = message
  state.feed.push({
    queue,
    number: nextNumber(state),
    message: { id, body, clientId, ttlSeconds, delaySeconds, createdAt },
    since: visibleAt,
  })
}

export function liveSubscriptions(state: ModelState, key: QueueKey, now: Instant): SubscriptionRow[] {
  return state.subscriptions.filter((row) => isSameQueue(row.queue, key) && isAlive(row, now))
}

function isAlive(row: SubscriptionRow, now: Instant): boolean {
  return now < endOf(row)
}

/** The entries of the feed that are owed still and were never tried, in order. */
export function freshEntries(state: ModelState, row: SubscriptionRow): FeedRow[] {
  if (!row.isListening) return []
  return state.feed.filter(({ queue, number }) => isSameQueue(queue, row.queue) && number > row.position)
}

/** What is owed by now: what is to be tried again, in the order of the feed, then what is new, in order. */
export function owedBy(state: ModelState, row: SubscriptionRow, now: Instant): RetryRow[] {
  const again = row.retries.filter(({ until }) => until <= now).sort((a, b) => a.number - b.number)
  return [...again, ...freshEntries(state, row).map(toRetry)]
}

/** What was never tried is due since it is there. */
export function toRetry({ number, message, since }: FeedRow): RetryRow {
  return { number, content: { kind: 'message', message }, since, attempts: null, until: since }
}

/** The earliest instant, from `now` on, at which the subscription can be leased if nobody does anything; or null. */
export function leasableFrom(state: ModelState, row: SubscriptionRow, now: Instant): Instant | null {
  const delayed = state.messages.filter(
    (message) => row.isListening && message.isToEnter && isSameQueue(message.queue, row.queue),
  )
  const owed = [
    ...freshEntries(state, row).map(({ since }) => since),
    ...row.retries.map(({ until }) => until),
    ...delayed.filter((message) => willEnter(state, message)).map(({ visibleAt }) => visibleAt),
  ]
  const instant = Math.max(now, row.lease?.endsAt ?? now, row.restsUntil ?? now, Math.min(...owed))
  return isAlive(row, instant) ? instant : null
}

/** What is to be delivered from now on when a subscription begins or ceases to listen. */
export function listening(state: ModelState, row: SubscriptionRow, isListening: boolean): Partial<SubscriptionRow> {
  if (isListening) return { isListening, position: row.isListening ? row.position : state.counter }
  return { isListening, retries: row.retries.filter(({ content }) => content.kind === 'announcement') }
}
