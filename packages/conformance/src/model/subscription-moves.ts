import type { Instant, QueueKey, Subscription, SubscriptionStore } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { listening, liveSubscriptions } from './feed.ts'
import type { Moves } from './moves.ts'
import { isSameQueue, isStale, type ModelState, pageBy, type SubscriptionRow } from './state.ts'
import type { Watchers } from './watchers.ts'

export function subscriptionMoves(state: ModelState, watchers: Watchers): Moves<SubscriptionStore> {
  return {
    create({ queue, id, subscriber, ttlSeconds, options, isListening, vault, now }) {
      if (isStale(state, queue)) return STALE
      const existing = liveSubscriptions(state, queue, now).find((row) => row.subscriber === subscriber)
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
        isListening,
        health: null,
        vault,
        position: state.counter,
        retries: [],
        failures: [],
        log: [],
        lease: null,
        restsUntil: null,
      }
      state.subscriptions.push(row)
      watchers.notifyWork()
      return { created: true, subscription: toSubscription(row) }
    },

    get({ queue, id, now }) {
      if (isStale(state, queue)) return STALE
      const row = findSubscription(state, queue, id, now)
      return row && toSubscription(row)
    },

    list({ queue, after, limit, now }) {
      if (isStale(state, queue)) return STALE
      return pageBy(liveSubscriptions(state, queue, now), (row) => row.id, { after, limit }).map(toSubscription)
    },

    // Decision: to set the subscriber that it has already changes nothing, so it stays confirmed.
    update({ queue, id, subscriber, ttlSeconds, options, isListening, vault, now }) {
      if (isStale(state, queue)) return STALE
      const live = liveSubscriptions(state, queue, now)
      const row = live.find((one) => one.id === id)
      if (!row) return 'absent'
      if (live.some((other) => other !== row && other.subscriber === subscriber)) return 'conflict'
      if (subscriber !== undefined && subscriber !== row.subscriber) {
        const change = listening(state, row, isListening ?? row.isListening)
        Object.assign(row, { subscriber, confirmed: false, health: null, restsUntil: null, ...change })
      }
      if (ttlSeconds !== undefined) Object.assign(row, { ttlSeconds, renewedAt: now })
      if (options !== undefined) Object.assign(row, { options })
      if (vault !== undefined) Object.assign(row, { vault })
      watchers.notifySubscriptions(queue)
      watchers.notifyWork()
      return 'updated'
    },

    confirm({ queue, id, confirmed, isListening, now }) {
      if (isStale(state, queue)) return STALE
      const row = findSubscription(state, queue, id, now)
      if (row) Object.assign(row, { confirmed, ...listening(state, row, isListening) })
      watchers.notifySubscriptions(queue)
      watchers.notifyWork()
      return row !== null
    },

    delete({ queue, id }) {
      if (isStale(state, queue)) return STALE
      state.subscriptions = state.subscriptions.filter((row) => row.id !== id || !isSameQueue(row.queue, queue))
      watchers.notifySubscriptions(queue)
      return undefined
    },

    purge({ queue }) {
      if (isStale(state, queue)) return STALE
      state.subscriptions = state.subscriptions.filter((row) => !isSameQueue(row.queue, queue))
      watchers.notifySubscriptions(queue)
      return 'purged'
    },
  }
}

export function findSubscription(state: ModelState, key: QueueKey, id: string, now: Instant): SubscriptionRow | null {
  return liveSubscriptions(state, key, now).find((row) => row.id === id) ?? null
}

export function toSubscription(row: SubscriptionRow): Subscription {
  const { id, source, subscriber, ttlSeconds, renewedAt, options, confirmed, isListening, health, vault } = row
  return { id, source, subscriber, ttlSeconds, renewedAt, options, confirmed, isListening, health, vault }
}
