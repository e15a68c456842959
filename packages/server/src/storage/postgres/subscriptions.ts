import type { Health, Instant, QueueKey, Subscription } from '../../model/model.ts'
import { isStorable } from '../../model/text.ts'
import type { Stale, SubscriptionStore } from '../contract.ts'
import { type Engine, onQueue, storableAfter } from './engine.ts'

/** A subscription as the SQL function `shown_subscription` answers it. */
export type SubscriptionRow = [
  id: string,
  subscriber: string,
  ttlSeconds: number,
  renewedAt: Instant,
  options: string,
  confirmed: boolean,
  isListening: boolean,
  /** As JSON text. */
  health: string | null,
  vault: string | null,
]
type Created = { created: boolean; subscription: SubscriptionRow }

export function createSubscriptionStore({ lanes }: Engine): SubscriptionStore {
  const write = lanes.write.bind(lanes)
  const read = lanes.read.bind(lanes)

  return {
    create({ queue, id, subscriber, ttlSeconds, options, isListening, vault, now }) {
      const parameters = { id, subscriber, ttlSeconds, options, isListening, vault, now }
      return onQueue(write<Created | Stale>, { move: 'create_subscription', queue, parameters }, (answer) => {
        const { created, subscription } = answer as Created
        return { created, subscription: toSubscription(queue, subscription) }
      })
    },

    get({ queue, id, now }) {
      const parameters = { id: storableId(id), now }
      return onQueue(
        read<SubscriptionRow | null | Stale>,
        { move: 'get_subscription', queue, parameters },
        (answer) => answer && toSubscription(queue, answer as SubscriptionRow),
      )
    },

    list({ queue, after, limit, now }) {
      const parameters = { after: storableAfter(after), limit, now }
      return onQueue(read<SubscriptionRow[] | Stale>, { move: 'list_subscriptions', queue, parameters }, (answer) =>
        (answer as SubscriptionRow[]).map((row) => toSubscription(queue, row)),
      )
    },

    update({ queue, id, subscriber, ttlSeconds, options, isListening, vault, now }) {
      // What is undefined is left out of the JSON text.
      const parameters = { id: storableId(id), subscriber, ttlSeconds, options, isListening, vault, now }
      type Answer = 'updated' | 'absent' | 'conflict'
      return onQueue(write<Answer | Stale>, { move: 'update_subscription', queue, parameters }, (answer) => answer)
    },

    confirm({ queue, id, confirmed, isListening, now }) {
      const parameters = { id: storableId(id), confirmed, isListening, now }
      return onQueue(write<boolean | Stale>, { move: 'confirm_subscription', queue, parameters }, (answer) => answer)
    },

    delete({ queue, id, now }) {
      const parameters = { id: storableId(id), now }
      return onQueue(write<null | Stale>, { move: 'delete_subscription', queue, parameters }, () => undefined)
    },

    purge: ({ queue, now }) =>
      onQueue(
        write<null | Stale>,
        { move: 'purge_subscriptions', queue, parameters: { now } },
        () => 'purged' as const,
      ),
  }
}

/** Null names nothing, as an id does that cannot be stored. */
export function storableId(id: string): string | null {
  return isStorable(id) ? id : null
}

export function toSubscription({ name }: QueueKey, row: SubscriptionRow): Subscription {
  const [id, subscriber, ttlSeconds, renewedAt, options, confirmed, isListening, health, vault] = row
  return {
    id,
    source: name,
    subscriber,
    ttlSeconds,
    renewedAt,
    options,
    confirmed,
    isListening,
    health: health === null ? null : (JSON.parse(health) as Health),
    vault,
  }
}
