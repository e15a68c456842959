import type { Instant, Subscription } from '../../../model/model.ts'
import type { QueueHandle } from '../../../storage/contract.ts'
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
    { key, now, storage, queues },
  ): Promise<{ now: Instant; subscription: Subscription }> {
    const get = (queue: QueueHandle) => storage.subscriptions.get({ queue, id, now })
    const subscription = await queues.use(key(queue), now, get)
    if (subscription === null) throw new ZaqarError('subscription.not_found', { id })
    return { now, subscription }
  },
})
