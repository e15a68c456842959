import type { Instant, QueueKey, Subscription } from '../../model/model.ts'
import { isStorable } from '../../model/text.ts'
import type { SubscriptionStore } from '../contract.ts'
import { type Engine, storableAfter } from './engine.ts'

type SubscriptionRow = [
  id: string,
  subscriber: string,
  ttlSeconds: number,
  renewedAt: Instant,
  options: string,
  confirmed: boolean,
]
type Created = { created: boolean; subscription: SubscriptionRow }

export function createSubscriptionStore({ lanes }: Engine): SubscriptionStore {
  return {
    async create({ key, id, subscriber, ttlSeconds, options, now }) {
      const parameters = { id, subscriber, ttlSeconds, options, now }
      const answer = await lanes.write<Created | false>('create_subscription', key, parameters)
      return answer === false
        ? null
        : { created: answer.created, subscription: toSubscription(key, answer.subscription) }
    },

    async get({ key, id, now }) {
      if (!isStorable(id)) return null
      const row = await lanes.read<SubscriptionRow | null>('get_subscription', key, { id, now })
      return row && toSubscription(key, row)
    },

    async list({ key, after, limit, now }) {
      const parameters = { after: storableAfter(after), limit, now }
      const rows = await lanes.read<SubscriptionRow[]>('list_subscriptions', key, parameters)
      return rows.map((row) => toSubscription(key, row))
    },

    async update({ key, id, subscriber, ttlSeconds, options, now }) {
      if (!isStorable(id)) return 'absent'
      // What is undefined is left out of the JSON text.
      const parameters = { id, subscriber, ttlSeconds, options, now }
      return lanes.write<'updated' | 'absent' | 'conflict'>('update_subscription', key, parameters)
    },

    async confirm({ key, id, confirmed, now }) {
      if (!isStorable(id)) return false
      return lanes.write<boolean>('confirm_subscription', key, { id, confirmed, now })
    },

    async delete({ key, id }) {
      if (isStorable(id)) await lanes.write('delete_subscription', key, { id })
    },

    async purge({ key }) {
      await lanes.write('purge_subscriptions', key, {})
    },
  }
}

function toSubscription({ name }: QueueKey, row: SubscriptionRow): Subscription {
  const [id, subscriber, ttlSeconds, renewedAt, options, confirmed] = row
  return { id, source: name, subscriber, ttlSeconds, renewedAt, options, confirmed }
}
