import type { JsonObject, Subscription } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { documentBytes } from '../../project-quotas.ts'
import { checkSubscriber } from '../../rules/subscriber.ts'
import { checkSubscriptionTtl, optionsText } from '../../rules/subscription-terms.ts'
import { readVault } from '../../rules/vault.ts'
import { announce } from './announce.ts'
import type { NamedSubscription } from './get-subscription.ts'
import { type Changes, type Updated, updateTrusted } from './trusts.ts'

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
    const changes = { subscriber, options: options && optionsText(options, limits), ttlSeconds }
    const key = ctx.key(queue)
    const get = () => queues.use(key, now, (queue) => storage.subscriptions.get({ queue, id, now }))
    const stored = await get()
    if (stored === null) throw new ZaqarError('subscription.not_found', { id })
    const store = async (changes: Changes) => {
      const terms = { id, now, isListening, ...changes }
      const update = async () =>
        (await queues.use(key, now, (queue) => storage.subscriptions.update({ queue, ...terms }))) ?? 'absent'
      if (quotas === null) return update()
      const hasAdded = (outcome: Updated) => outcome === 'updated'
      return quotas.add(key.project, now, { bytes: moreBytes(stored, changes), run: update, hasAdded })
    }
    const secretsNow = async () => readVault((await get())?.vault ?? null).secrets
    const outcome = await updateTrusted(stored, changes, store, ctx, secretsNow)
    if (outcome === 'absent') throw new ZaqarError('subscription.not_found', { id })
    if (outcome === 'conflict') throw new ZaqarError('subscription.exists')
    if (subscriber === undefined || isListening) return
    const updated = await get()
    if (updated === null || updated.confirmed) return
    const expiresAt = updated.renewedAt + updated.ttlSeconds * 1000
    await announce(key, id, { type: 'SubscriptionConfirmation', subscriber: updated.subscriber, expiresAt }, ctx)
  },
})

function moreBytes(stored: Subscription, { subscriber, options }: Changes): number {
  const ofSubscriber =
    subscriber === undefined ? 0 : Buffer.byteLength(subscriber) - Buffer.byteLength(stored.subscriber)
  return ofSubscriber + (options === undefined ? 0 : documentBytes(options) - documentBytes(stored.options))
}
