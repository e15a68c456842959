import type { JsonObject, QueueKey, Subscription } from '../../../model/model.ts'
import { STALE } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { type Context, defineOperation } from '../../execute.ts'
import type { Subscribed } from '../../pushes/pushes.ts'
import type { Receiver } from '../../receiver.ts'
import { type ClaimTerms, claimTerms, type WantedClaim } from '../../rules/claim-terms.ts'
import { subscriberOf } from '../../rules/subscriber.ts'
import { checkSubscriptionTtl, optionsText } from '../../rules/subscription-terms.ts'
import { storeWithinQuotas } from './store-within-quotas.ts'

export interface SubscribeReceiverInput {
  readonly queue: string
  readonly receiver: Receiver
  readonly options: JsonObject
  readonly ttlSeconds?: number | undefined
  /** Begins behind it, as a listing would; from now on where it is not given. */
  readonly marker?: string | undefined
  /** Messages are claimed for the connection, which holds `limit` at the most. Else they are only shown to it. */
  readonly claim?: WantedClaim | undefined
}

/**
 * Pushes the messages of a queue, or topic, to a connection until that is gone, or the subscription or the credentials
 * of the caller end. A missing queue is created. A connection has one subscription to a queue.
 */
export const subscribeReceiver = defineOperation({
  name: 'subscriptions.push',
  permission: 'subscription:create',
  failure: 'Subscription could not be created',
  needs({ marker, claim }: SubscribeReceiverInput, { path }) {
    const of = (part: string) => path.replace(/subscriptions$/, part)
    const reads = { permission: 'messages:get_all', resource: { method: 'GET', path: of('messages') } }
    const claims = { permission: 'claims:create', resource: { method: 'POST', path: of('claims') } }
    return [...(marker === undefined ? [] : [reads]), ...(claim === undefined ? [] : [claims])]
  },
  async run(input: SubscribeReceiverInput, ctx): Promise<Subscribed> {
    const { now, limits, caller, pushes } = ctx
    const { receiver, marker, ttlSeconds = limits.defaultSubscriptionTtlSeconds } = input
    const options = optionsText(input.options, limits)
    checkSubscriptionTtl(ttlSeconds, now)
    const claim = input.claim === undefined ? null : checkedClaim(input.claim, input, ctx)
    const key = ctx.key(input.queue)
    return pushes.subscribe({ receiver, key, caller, claim }, async (isLeftOver) => {
      const after = claim === null ? (marker ?? (await endOf(key, ctx))) : null
      return { subscription: await store(key, { receiver, options, ttlSeconds, isLeftOver }, ctx), after }
    })
  },
})

/** @throws ZaqarError */
function checkedClaim(
  wanted: WantedClaim,
  { marker, options }: SubscribeReceiverInput,
  { kind, limits }: Context,
): ClaimTerms {
  const problem =
    kind === 'topic'
      ? 'Messages of a topic cannot be claimed.'
      : marker !== undefined
        ? 'A subscription that claims messages takes what is there: it has no "marker".'
        : (options['_filter'] ?? null) !== null
          ? 'A subscription that claims messages takes what is there: it has no "_filter".'
          : null
  if (problem !== null) throw new ZaqarError('subscription.claim_invalid', { problem })
  return claimTerms(wanted, limits)
}

/** Behind all that is there. */
async function endOf(key: QueueKey, { clock, storage, queues }: Context): Promise<string> {
  const now = clock.now()
  return queues.useOrCreate(key, now, (queue) => storage.messages.end({ queue, now }))
}

async function store(
  key: QueueKey,
  terms: { receiver: Receiver; options: string; ttlSeconds: number; isLeftOver(id: string): boolean },
  ctx: Context,
): Promise<Subscription> {
  const { clock, storage, queues, ids } = ctx
  const { receiver, options, ttlSeconds, isLeftOver } = terms
  const now = clock.now()
  const subscriber = subscriberOf(receiver)
  const row = { id: ids.randomId(), subscriber, ttlSeconds, options, isListening: false, vault: null, now }
  const create = () =>
    queues.useOrCreate(key, now, async (queue) => {
      const answer = await storage.subscriptions.create({ queue, ...row })
      if (answer === STALE || answer.created || !isLeftOver(answer.subscription.id)) return answer
      await storage.subscriptions.delete({ queue, id: answer.subscription.id, now })
      return storage.subscriptions.create({ queue, ...row })
    })
  const { created, subscription } = await storeWithinQuotas(key, { subscriber, options }, create, { ...ctx, now })
  if (!created) throw new ZaqarError('subscription.exists')
  return subscription
}
