import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { JsonObject } from '../../model/model.ts'
import { checkSubscriber } from '../../rules/subscriber.ts'
import { checkSubscriptionTtl, optionsText } from '../../rules/subscription-terms.ts'
import type { NamedSubscription } from './get-subscription.ts'

export interface UpdateSubscriptionInput extends NamedSubscription {
  /** Another one has not confirmed yet. */
  readonly subscriber?: string | undefined
  /** In place of all that were there. */
  readonly options?: JsonObject | undefined
  /** From now. */
  readonly ttlSeconds?: number | undefined
}

export const updateSubscription = defineOperation({
  name: 'subscriptions.update',
  permission: 'subscription:update',
  failure: 'Subscription could not be updated',
  async run(
    { queue, id, subscriber, options, ttlSeconds }: UpdateSubscriptionInput,
    { key, now, storage, limits },
  ): Promise<void> {
    if (subscriber !== undefined) checkSubscriber(subscriber, limits)
    if (ttlSeconds !== undefined) checkSubscriptionTtl(ttlSeconds, now)
    const changes = { subscriber, options: options && optionsText(options, limits), ttlSeconds }
    const outcome = await storage.subscriptions.update({ key: key(queue), id, ...changes, now })
    if (outcome === 'absent') throw new ZaqarError('subscription.not_found', { id })
    if (outcome === 'conflict') throw new ZaqarError('subscription.exists')
  },
})
