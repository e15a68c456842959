import type { QueueHandle } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { NamedSubscription } from './get-subscription.ts'

export interface ConfirmSubscriptionInput extends NamedSubscription {
  /** False takes a confirmation back. */
  readonly confirmed: boolean
}

export const confirmSubscription = defineOperation({
  name: 'subscriptions.confirm',
  permission: 'subscription:confirm',
  failure: 'Subscription could not be confirmed',
  async run({ queue, id, confirmed }: ConfirmSubscriptionInput, { key, now, storage, queues }): Promise<void> {
    const confirm = (queue: QueueHandle) => storage.subscriptions.confirm({ queue, id, confirmed, now })
    const found = await queues.use(key(queue), now, confirm)
    if (!found) throw new ZaqarError('subscription.not_found', { id })
  },
})
