import type { JsonObject } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkSubscriber } from '../../rules/subscriber.ts'
import { checkSubscriptionTtl, optionsText } from '../../rules/subscription-terms.ts'
import { announce } from './announce.ts'
import { storeWithinQuotas } from './store-within-quotas.ts'
import { createTrusted } from './trusts.ts'

export interface CreateSubscriptionInput {
  readonly queue: string
  readonly subscriber: string
  readonly options: JsonObject
  readonly ttlSeconds?: number | undefined
  /** Whom the queue would tell already, but who has not confirmed, keeps the subscription when it does not say. */
  readonly whenUnconfirmed?: 'keep' | 'fail'
}

/**
 * A missing queue is created. Who gets a subscription, or keeps one as it is, is asked to confirm, where that is
 * required. Answers the id of the subscription.
 */
export const createSubscription = defineOperation({
  name: 'subscriptions.create',
  permission: 'subscription:create',
  failure: 'Subscription could not be created',
  async run(input: CreateSubscriptionInput, ctx): Promise<{ id: string }> {
    const { now, storage, limits } = ctx
    const { queue: name, subscriber, ttlSeconds = limits.defaultSubscriptionTtlSeconds } = input
    checkSubscriber(subscriber, limits)
    const options = optionsText(input.options, limits)
    checkSubscriptionTtl(ttlSeconds, now)
    const key = ctx.key(name)
    const { requiresConfirmation } = limits
    const terms = { id: ctx.ids.randomId(), subscriber, ttlSeconds, isListening: !requiresConfirmation, now }
    const store = async (kept: { options: string; vault: string | null }) => {
      const create = () =>
        ctx.queues.useOrCreate(key, now, (queue) => storage.subscriptions.create({ queue, ...terms, ...kept }))
      return storeWithinQuotas(key, { subscriber, options: kept.options }, create, ctx)
    }
    const expiresAt = now + ttlSeconds * 1000
    const { created, subscription } = await createTrusted({ subscriber, options, expiresAt }, store, ctx)
    const { whenUnconfirmed = 'keep' } = input
    if (!created && (subscription.confirmed || whenUnconfirmed === 'fail')) throw new ZaqarError('subscription.exists')
    if (requiresConfirmation) {
      await announce(key, subscription.id, { type: 'SubscriptionConfirmation', subscriber, expiresAt }, ctx)
    } else if (!subscription.isListening) {
      // It was made when it had to be confirmed first.
      const { id, confirmed } = subscription
      const standing = { id, confirmed, isListening: true, now }
      await ctx.queues.use(key, now, (queue) => storage.subscriptions.confirm({ queue, ...standing }))
    }
    return { id: subscription.id }
  },
})
