import type { QueueHandle } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { announce } from './announce.ts'
import type { NamedSubscription } from './get-subscription.ts'

export interface ConfirmSubscriptionInput extends NamedSubscription {
  /** False takes a confirmation back. */
  readonly confirmed: boolean
}

/** Whoever takes a confirmation back is told how to give it again, where it is required. */
export const confirmSubscription = defineOperation({
  name: 'subscriptions.confirm',
  permission: 'subscription:confirm',
  failure: 'Subscription could not be confirmed',
  async run({ queue, id, confirmed }: ConfirmSubscriptionInput, ctx): Promise<void> {
    const { now, storage, queues, limits } = ctx
    const key = ctx.key(queue)
    const isListening = confirmed || !limits.requiresConfirmation
    const confirm = (queue: QueueHandle) => storage.subscriptions.confirm({ queue, id, confirmed, isListening, now })
    if (!(await queues.use(key, now, confirm))) throw new ZaqarError('subscription.not_found', { id })
    if (isListening) return
    const subscription = await queues.use(key, now, (queue) => storage.subscriptions.get({ queue, id, now }))
    if (subscription === null) return
    const { subscriber } = subscription
    const expiresAt = now + limits.defaultSubscriptionTtlSeconds * 1000
    await announce(key, id, { type: 'UnsubscribeConfirmation', subscriber, expiresAt }, ctx)
  },
})
