import type { JsonObject, Subscription } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { documentBytes } from '../../project-quotas.ts'
import { checkSubscriber } from '../../rules/subscriber.ts'
import { checkSubscriptionTtl, optionsText } from '../../rules/subscription-terms.ts'
import { announce } from './announce.ts'
import type { NamedSubscription } from './get-subscription.ts'

export interface UpdateSubscriptionInput extends NamedSubscription {
  /** Another one has not confirmed yet, and is asked to, where that is required. */
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
  async run({ queue, id, subscriber, options, ttlSeconds }: UpdateSubscriptionInput, ctx): Promise<void> {
    const { now, storage, queues, limits, quotas } = ctx
    if (subscriber !== undefined) checkSubscriber(subscriber, limits)
    if (ttlSeconds !== undefined) checkSubscriptionTtl(ttlSeconds, now)
    const isListening = !limits.requiresConfirmation
    const changes = { subscriber, options: options && optionsText(options, limits), ttlSeconds, isListening }
    const key = ctx.key(queue)
    const get = () => queues.use(key, now, (queue) => storage.subscriptions.get({ queue, id, now }))
    const update = async () =>
      (await queues.use(key, now, (queue) => storage.subscriptions.update({ queue, id, now, ...changes }))) ?? 'absent'
    const outcome = await (quotas === null
      ? update()
      : quotas.add(key.project, now, {
          bytes: moreBytes(await get(), changes),
          run: update,
          hasAdded: (outcome) => outcome === 'updated',
        }))
    if (outcome === 'absent') throw new ZaqarError('subscription.not_found', { id })
    if (outcome === 'conflict') throw new ZaqarError('subscription.exists')
    if (subscriber === undefined || isListening) return
    const updated = await get()
    if (updated === null || updated.confirmed) return
    const expiresAt = updated.renewedAt + updated.ttlSeconds * 1000
    await announce(key, id, { type: 'SubscriptionConfirmation', subscriber: updated.subscriber, expiresAt }, ctx)
  },
})

function moreBytes(
  stored: Subscription | null,
  { subscriber, options }: { subscriber: string | undefined; options: string | undefined },
): number {
  if (stored === null) return 0
  const ofSubscriber =
    subscriber === undefined ? 0 : Buffer.byteLength(subscriber) - Buffer.byteLength(stored.subscriber)
  return ofSubscriber + (options === undefined ? 0 : documentBytes(options) - documentBytes(stored.options))
}
