import { defineOperation } from '../../execute.ts'
import type { NamedSubscription } from './get-subscription.ts'

/** A subscription that does not exist is no error. */
export const deleteSubscription = defineOperation({
  name: 'subscriptions.delete',
  permission: 'subscription:delete',
  failure: 'Subscription could not be deleted',
  async run({ queue, id }: NamedSubscription, { key, now, storage, queues }): Promise<void> {
    await queues.use(key(queue), now, (queue) => storage.subscriptions.delete({ queue, id, now }))
  },
})
