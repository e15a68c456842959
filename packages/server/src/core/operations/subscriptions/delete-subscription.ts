import { defineOperation } from '../../execute.ts'
import type { NamedSubscription } from './get-subscription.ts'
import { removeTrusted } from './trusts.ts'

/** A subscription that does not exist is no error. */
export const deleteSubscription = defineOperation({
  name: 'subscriptions.delete',
  permission: 'subscription:delete',
  failure: 'Subscription could not be deleted',
  async run({ queue, id }: NamedSubscription, ctx): Promise<void> {
    const { now, storage, queues } = ctx
    const key = ctx.key(queue)
    const remove = () => queues.use(key, now, (queue) => storage.subscriptions.delete({ queue, id, now }))
    await removeTrusted(key, id, remove, ctx)
  },
})
