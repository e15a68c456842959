import type { Instant, QueueKey, Subscription, SubscriptionStore } from 'zaqar/storage'
import type { Moves } from './moves.ts'
import { endOf, findQueue, isSameQueue, type ModelState, pageBy, type SubscriptionRow } from './state.ts'

export function subscriptionMoves(state: ModelState): Moves<SubscriptionStore> {
  return {
    create({ key, id, subscriber, ttlSeconds, options, now }) {
      if (!findQueue(state, key)) return null
      const existing = live(state, key, now).find((row) => row.subscriber === subscriber)
      if (existing) return { created: false, subscription: toSubscription(existing) }
      const { project, kind, name } = key
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

    get({ key, id, now }) {
      const row = find(state, key, id, now)
      return row && toSubscription(row)
    },

    list: ({ key, after, limit, now }) =>
      pageBy(live(state, key, now), (row) => row.id, { after, limit }).map(toSubscription),

    // Decision: to set the subscriber that it has already changes nothing, so it stays confirmed.
    update({ key, id, subscriber, ttlSeconds, options, now }) {
      const row = find(state, key, id, now)
      if (!row) return 'absent'
      if (live(state, key, now).some((other) => other !== row && other.subscriber === subscriber)) return 'conflict'
      replace(state, row, {
        ...row,
        ...(subscriber !== undefined && subscriber !== row.subscriber && { subscriber, confirmed: false }),
        ...(ttlSeconds !== undefined && { ttlSeconds, renewedAt: now }),
        ...(options !== undefined && { options }),
      })
      return 'updated'
    },

    confirm({ key, id, confirmed, now }) {
      const row = find(state, key, id, now)
      if (row) replace(state, row, { ...row, confirmed })
      return row !== null
    },

    delete({ key, id }) {
      state.subscriptions = state.subscriptions.filter((row) => row.id !== id || !isSameQueue(row.queue, key))
    },

    purge({ key }) {
      state.subscriptions = state.subscriptions.filter((row) => !isSameQueue(row.queue, key))
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
