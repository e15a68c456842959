import type { Instant } from '../../model/model.ts'
import { STALE, type SubscriptionStore } from '../contract.ts'
import type { Engine } from './engine.ts'
import { NEVER, type QueueState } from './queue-states.ts'
import { foresee, type SubscriptionRow, setHealth, toSubscription } from './subscription-rows.ts'

export function createSubscriptionStore(engine: Engine): SubscriptionStore {
  const { turns, states, subscriptions, owed, feed, subscriptionWatchers, needRoom, onQueue } = engine

  /** One that stops is owed no message any more, one that begins is told of what comes from now on. */
  function setListening(state: QueueState, row: SubscriptionRow, isListening: boolean): void {
    if (row.is_listening === 1 && !isListening) owed.dropMessages(row)
    if (row.is_listening === 0 && isListening) row.position = state.numbered
    row.is_listening = isListening ? 1 : 0
  }

  /** What follows for the queue from a subscription that was changed. */
  function afterChange(state: QueueState, row: SubscriptionRow, now: Instant): void {
    if (row.is_listening === 1) feed.listen(state)
    else feed.review(state, now)
    feed.await(state, row, now)
    subscriptionWatchers.changed(state.key)
  }

  return {
    create: ({ queue, id, subscriber, ttlSeconds, options, isListening, vault, now }) =>
      onQueue(queue, now, (state, now) => {
        const bucket = state.subscriptionBucket
        subscriptions.removeSomeExpired(bucket, now)
        const existing = subscriptions.bySubscriber(bucket, subscriber, now)
        if (existing !== null) return { created: false, subscription: toSubscription(existing, queue) }
        needRoom()
        const row: SubscriptionRow = {
          number: states.newBucket(),
          bucket,
          line: states.newBucket(),
          is_listening: isListening ? 1 : 0,
          position: state.numbered,
          retry_at: NEVER,
          is_free: 1,
          wakes_at: NEVER,
          lease: 0,
          lease_ends_at: 0,
          rests_until: 0,
          failures: null,
          failing_since: null,
          paused_until: null,
          failed: 0,
          log_from: 0,
          log_end: 0,
          confirmed: 0,
          ttl: ttlSeconds,
          renewed_at: now,
          expires_at: now + ttlSeconds * 1000,
          id,
          subscriber,
          options,
          vault,
        }
        subscriptions.put(row)
        if (isListening) feed.listen(state)
        return { created: true, subscription: toSubscription(row, queue) }
      }),

    get: ({ queue, id, now }) =>
      onQueue(queue, now, (state, now) => {
        const row = subscriptions.byId(state.subscriptionBucket, id, now)
        return row && toSubscription(row, queue)
      }),

    list: ({ queue, after, limit, now }) =>
      onQueue(queue, now, (state, now) => {
        subscriptions.removeSomeExpired(state.subscriptionBucket, now)
        return subscriptions.page(state.subscriptionBucket, after, limit, now).map((row) => toSubscription(row, queue))
      }),

    update: ({ queue, id, subscriber, ttlSeconds, options, isListening, vault, now }) =>
      onQueue<'updated' | 'absent' | 'conflict'>(queue, now, (state, now) => {
        const row = subscriptions.byId(state.subscriptionBucket, id, now)
        if (row === null) return 'absent'
        needRoom()
        if (subscriber !== undefined && subscriber !== row.subscriber) {
          if (subscriptions.bySubscriber(state.subscriptionBucket, subscriber, now) !== null) return 'conflict'
          row.subscriber = subscriber
          row.confirmed = 0
          row.rests_until = 0
          setHealth(row, null)
          setListening(state, row, isListening ?? row.is_listening === 1)
          foresee(row, now)
        }
        if (ttlSeconds !== undefined) {
          row.ttl = ttlSeconds
          row.renewed_at = now
          row.expires_at = now + ttlSeconds * 1000
        }
        if (options !== undefined) row.options = options
        if (vault !== undefined) row.vault = vault
        subscriptions.update(row)
        afterChange(state, row, now)
        return 'updated'
      }),

    confirm: ({ queue, id, confirmed, isListening, now }) =>
      onQueue(queue, now, (state, now) => {
        const row = subscriptions.byId(state.subscriptionBucket, id, now)
        if (row === null) return false
        row.confirmed = confirmed ? 1 : 0
        setListening(state, row, isListening)
        foresee(row, now)
        subscriptions.update(row)
        afterChange(state, row, now)
        return true
      }),

    delete: ({ queue, id, now }) =>
      onQueue(queue, now, (state, now) => {
        subscriptions.removeById(state.subscriptionBucket, id)
        subscriptionWatchers.changed(state.key)
        feed.review(state, now)
        return undefined
      }),

    purge: ({ queue }) =>
      turns.submit(() => {
        const state = states.open(queue)
        if (state === STALE) return STALE
        states.replaceBuckets(state, { messages: false, subscriptions: true })
        subscriptionWatchers.changed(queue)
        return 'purged' as const
      }),
  }
}
