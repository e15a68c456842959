import { defineOperation } from '../../execute.ts'
import type { NamedSubscription } from './get-subscription.ts'

/** A subscription that does not exist is no error. */
export const deleteSubscription = defineOperation({
  name: 'subscriptions.delete',
  permission: 'subscription:delete',
  failure: 'Subscription could not be deleted',
  run: ({ queue, id }: NamedSubscription, { key, now, storage }) =>
    storage.subscriptions.delete({ key: key(queue), id, now }),
})
