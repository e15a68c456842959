import type { Instant, Subscription } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

export interface NamedSubscription {
  readonly queue: string
  readonly id: string
}

export const getSubscription = defineOperation({
  name: 'subscriptions.get',
  permission: 'subscription:get',
  failure: 'Subscription could not be retrieved',
  async run(
    { queue, id }: NamedSubscription,
    { key, now, storage },
  ): Promise<{ now: Instant; subscription: Subscription }> {
    const subscription = await storage.subscriptions.get({ key: key(queue), id, now })
    if (subscription === null) throw new ZaqarError('subscription.not_found', { id })
    return { now, subscription }
  },
})
