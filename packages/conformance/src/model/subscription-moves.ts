import type { Instant, QueueKey, Subscription, SubscriptionStore } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import type { Moves } from './moves.ts'
import { endOf, isSameQueue, isStale, type ModelState, pageBy, type SubscriptionRow } from './state.ts'

export function subscriptionMoves(state: ModelState): Moves<SubscriptionStore> {
  return {
    create({ queue, id, subscriber, ttlSeconds, options, now }) {
      if (isStale(state, queue)) return STALE
      const existing = live(state, queue, now).find((row) => row.subscriber === subscriber)
      if (existing) return { created: false, subscription: toSubscription(existing) }
      const { project, kind, name } = queue
      const row: SubscriptionRow = {
        queue: { project, kind, name },
        id,
        source: name,
        subscriber,
        ttlSeconds,
        renewedAt: now,
        options,
        confirmed: false,
      }
      state.subscriptions.push(row)
      return { created: true, subscription: toSubscription(row) }
    },

    get({ queue, id, now }) {
      if (isStale(state, queue)) return STALE
      const row = find(state, queue, id, now)
      return row && toSubscription(row)
    },

    list({ queue, after, limit, now }) {
      if (isStale(state, queue)) return STALE
      return pageBy(live(state, queue, now), (row) => row.id, { after, limit }).map(toSubscription)
    },

    // Decision: to set the subscriber that it has already changes nothing, so it stays confirmed.
    update({ queue, id, subscriber, ttlSeconds, options, now }) {
      if (isStale(state, queue)) return STALE
      const row = find(state, queue, id, now)
      if (!row) return 'absent'
      if (live(state, queue, now).some((other) => other !== row && other.subscriber === subscriber)) return 'conflict'
      replace(state, row, {
        ...row,
        ...(subscriber !== undefined && subscriber !== row.subscriber && { subscriber, confirmed: false }),
        ...(ttlSeconds !== undefined && { ttlSeconds, renewedAt: now }),
        ...(options !== undefined && { options }),
      })
      return 'updated'
    },

    confirm({ queue, id, confirmed, now }) {
      if (isStale(state, queue)) return STALE
      const row = find(state, queue, id, now)
      if (row) replace(state, row, { ...row, confirmed })
      return row !== null
    },

    delete({ queue, id }) {
      if (isStale(state, queue)) return STALE
      state.subscriptions = state.subscriptions.filter((row) => row.id !== id || !isSameQueue(row.queue, queue))
      return undefined
    },

    purge({ queue }) {
      if (isStale(state, queue)) return STALE
      state.subscriptions = state.subscriptions.filter((row) => !isSameQueue(row.queue, queue))
      return 'purged'
    },
  }
}

function live(state: ModelState, key: QueueKey, now: Instant): SubscriptionRow[] {
  return state.subscriptions.filter((row) => isSameQueue(row.queue, key) && now < endOf(row))
}

function find(state: ModelState, key: QueueKey, id: string, now: Instant): SubscriptionRow | null {
  return live(state, key, now).find((row) => row.id === id) ?? null
}

function replace(state: ModelState, row: SubscriptionRow, changed: SubscriptionRow): void {
  state.subscriptions = state.subscriptions.map((other) => (other === row ? changed : other))
}

function toSubscription({ queue: _queue, ...subscription }: SubscriptionRow): Subscription {
  return subscription
}
