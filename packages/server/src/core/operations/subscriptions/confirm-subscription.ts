import type { QueueHandle } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { isConnection } from '../../rules/subscriber.ts'
import { announce } from './announce.ts'
import type { NamedSubscription } from './get-subscription.ts'

export interface ConfirmSubscriptionInput extends NamedSubscription {
  /** False takes a confirmation back. */
  readonly confirmed: boolean
}

/**
 * Whoever takes a confirmation back is told how to give it again, where it is required. What goes to a connection is
 * none of the delivery's: such a subscription never listens, and no announcement is sent to it.
 */
export const confirmSubscription = defineOperation({
  name: 'subscriptions.confirm',
  permission: 'subscription:confirm',
  failure: 'Subscription could not be confirmed',
  async run({ queue, id, confirmed }: ConfirmSubscriptionInput, ctx): Promise<void> {
    const { now, storage, queues, limits } = ctx
    const key = ctx.key(queue)
    const subscription = await queues.use(key, now, (queue) => storage.subscriptions.get({ queue, id, now }))
    if (subscription === null) throw new ZaqarError('subscription.not_found', { id })
    const { subscriber } = subscription
    const isToConnection = isConnection(subscriber)
    const isListening = !isToConnection && (confirmed || !limits.requiresConfirmation)
    const confirm = (queue: QueueHandle) => storage.subscriptions.confirm({ queue, id, confirmed, isListening, now })
    if (!(await queues.use(key, now, confirm))) throw new ZaqarError('subscription.not_found', { id })
    if (isListening || isToConnection) return
    const expiresAt = now + limits.defaultSubscriptionTtlSeconds * 1000
    await announce(key, id, { type: 'UnsubscribeConfirmation', subscriber, expiresAt }, ctx)
  },
})
