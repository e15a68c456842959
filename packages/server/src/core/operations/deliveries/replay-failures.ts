import type { Instant } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { type Context, defineOperation } from '../../execute.ts'
import { checkIdCount } from '../../rules/limits.ts'
import { isConnection } from '../../rules/subscriber.ts'
import type { NamedSubscription } from '../subscriptions/get-subscription.ts'

export interface ReplayFailuresInput extends NamedSubscription {
  /** Of messages; undefined: all that failed. */
  readonly ids?: readonly string[] | undefined
  /** Only what failed then or later. */
  readonly since?: Instant | undefined
}

export interface ReplayedFailures {
  /** Of the messages, in the order in which they had failed. */
  readonly ids: readonly string[]
  /** False when there were more than one request replays. */
  readonly done: boolean
}

/** Failures that are replayed together, or not at all. */
const BATCH = 100
/** One request replays no more than so many; the next one goes on where it ended. */
const MOST = 2_000

/** Tells the receiver again of what failed, as if it had never been tried. */
export const replayFailures = defineOperation({
  name: 'subscriptions.replay',
  permission: 'subscription:update',
  failure: 'Failures could not be replayed',
  async run(input: ReplayFailuresInput, ctx): Promise<ReplayedFailures> {
    if (input.ids !== undefined) {
      checkIdCount(input.ids, ctx.limits.maxMessagesPerPage)
      return { ids: await replaySome(input, ctx), done: true }
    }
    const ids: string[] = []
    while (ids.length < MOST) {
      const some = await replaySome(input, ctx)
      ids.push(...some)
      if (some.length < BATCH) return { ids, done: true }
    }
    return { ids, done: false }
  },
})

async function replaySome(
  { queue: name, id, ids, since }: ReplayFailuresInput,
  { key: keyOf, clock, storage, queues }: Context,
): Promise<string[]> {
  const [messageIds, failedSince] = [ids ?? null, since ?? null]
  const now = clock.now()
  const key = keyOf(name)
  const replayed = await queues.use(key, now, (queue) =>
    storage.deliveries.replay({ queue, id, messageIds, since: failedSince, limit: BATCH, now }),
  )
  if (replayed !== null) return replayed
  const subscription = await queues.use(key, now, (queue) => storage.subscriptions.get({ queue, id, now }))
  // Nothing fails of what is pushed to a connection.
  if (subscription !== null && isConnection(subscription.subscriber)) return []
  throw new ZaqarError(subscription === null ? 'subscription.not_found' : 'subscription.not_confirmed', { id })
}
