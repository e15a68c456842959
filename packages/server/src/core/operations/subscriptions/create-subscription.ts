import type { JsonObject } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { documentBytes } from '../../project-quotas.ts'
import { checkSubscriber } from '../../rules/subscriber.ts'
import { checkSubscriptionTtl, optionsText } from '../../rules/subscription-terms.ts'

export interface CreateSubscriptionInput {
  readonly queue: string
  readonly subscriber: string
  readonly options: JsonObject
  readonly ttlSeconds?: number | undefined
}

/**
 * A missing queue is created. Whom the queue would tell already, but who has not confirmed, keeps the subscription as
 * it is. Answers its id.
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
    const terms = { id: ctx.ids.randomId(), subscriber, options, ttlSeconds, now }
    const create = () => ctx.queues.useOrCreate(key, now, (queue) => storage.subscriptions.create({ queue, ...terms }))
    const bytes = Buffer.byteLength(subscriber) + documentBytes(options)
    const { created, subscription } = await (ctx.quotas === null
      ? create()
      : ctx.quotas.add(key.project, now, { bytes, run: create, hasAdded: (answer) => answer.created }))
    if (!created && subscription.confirmed) throw new ZaqarError('subscription.exists')
    return { id: subscription.id }
  },
})
