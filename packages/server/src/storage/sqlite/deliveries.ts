import type { Instant } from '../../model/model.ts'
import type { DeliveryStore } from '../contract.ts'
import type { Engine } from './engine.ts'
import { Leasing } from './leasing.ts'
import type { QueueState } from './queue-states.ts'
import { type DeliveryRow, foresee, setHealth, toSubscription } from './subscription-rows.ts'
import { Unfinished } from './turns.ts'

type Settled = Awaited<ReturnType<DeliveryStore['settle']>>

export function createDeliveryStore(engine: Engine): DeliveryStore {
  const { turns, states, latest, subscriptions, owed, feed, work, settling, needRoom, onQueue } = engine
  const leasing = new Leasing(engine)

  /** Stores it, to be found again when it is worth a look. */
  function putOff(state: QueueState, row: DeliveryRow, now: Instant): void {
    foresee(row, now)
    subscriptions.putOff(row)
    feed.await(state, row, now)
  }

  return {
    lease: ({ now, ...terms }) =>
      turns.submit(() => {
        const actual = latest.notBefore(now)
        const { leases, isAll } = leasing.lease({ ...terms, now: actual })
        if (!isAll && leases.length === 0) return new Unfinished()
        return { leases, next: isAll ? work.next() : actual }
      }),

    settle: ({ lease, outcomes, log, keep, health, next, restsUntil, now }) =>
      turns.submit<Settled>(() => {
        const actual = latest.notBefore(now)
        const state = states.find(lease.queue)
        const row = state?.fence === null ? leasing.find(state, lease, actual) : null
        if (!state || row === null) return 'lost'
        if (next !== null && !(settling.settle(state, actual) && owed.findDue(row, actual))) return new Unfinished()
        for (const outcome of outcomes) owed.note(state, row, outcome, actual)
        owed.keepFailures(row, keep.failures, actual)
        owed.addToLog(row, log, keep.log)
        if (row.subscriber === lease.subscription.subscriber) setHealth(row, health)
        feed.trimInPassing(state, row.position)
        if (next !== null) {
          const { notifications } = owed.next(state, row, next.batch, actual, new Map())
          if (notifications.length > 0) {
            row.lease_ends_at = actual + next.seconds * 1000
            if (row.lease_ends_at >= row.wakes_at) subscriptions.goOn(row)
            else putOff(state, row, actual)
            return { subscription: toSubscription(row, lease.queue), notifications, endsAt: row.lease_ends_at }
          }
        }
        row.lease_ends_at = 0
        row.rests_until = next === null ? (restsUntil ?? 0) : 0
        putOff(state, row, actual)
        return { subscription: toSubscription(row, lease.queue), notifications: [], endsAt: actual }
      }),

    announce: ({ queue, id, text, now }) =>
      onQueue(
        queue,
        now,
        (state, now) => {
          const row = subscriptions.byId(state.subscriptionBucket, id, now)
          if (row === null) return false
          needRoom()
          owed.announce(row, feed.takeNumber(state), text, now)
          putOff(state, row, now)
          return true
        },
        text.length,
      ),

    failures: ({ queue, id, after, limit, now }) =>
      onQueue(queue, now, (state, now) => {
        const row = subscriptions.byId(state.subscriptionBucket, id, now)
        return row && owed.failures(state, row, after, limit, now)
      }),

    replay: ({ queue, id, now, ...replayed }) =>
      onQueue(queue, now, (state, now) => {
        const row = subscriptions.byId(state.subscriptionBucket, id, now)
        if (row === null || row.is_listening === 0) return null
        const ids = owed.replay(row, replayed, now)
        putOff(state, row, now)
        return ids
      }),

    log: ({ queue, id, now }) =>
      onQueue(queue, now, (state, now) => {
        const row = subscriptions.byId(state.subscriptionBucket, id, now)
        return row && owed.log(row)
      }),
  }
}
