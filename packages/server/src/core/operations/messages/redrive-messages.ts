import { ZaqarError } from '../../errors.ts'
import { type Context, defineOperation } from '../../execute.ts'
import { checkIdCount } from '../../rules/limits.ts'

export interface RedriveMessagesInput {
  /** The queue that holds the dead letters. */
  readonly queue: string
  /** Undefined: all that came from another queue. */
  readonly ids?: readonly string[] | undefined
  /** Messages a second. */
  readonly rate?: number | undefined
  /** Messages that this call moves at the most; as many as there are when it does not say. */
  readonly limit?: number | undefined
}

export interface RedrivenMessages {
  readonly moved: readonly { readonly id: string; readonly queue: string }[]
  /** False when the time for one request was over, or its limit reached, before all were moved. */
  readonly done: boolean
}

export const DEFAULT_RATE = 500
export const MAX_RATE = 10_000
/** Messages that move together, or not at all. */
const BATCH = 100
/** One request takes no longer than this, in seconds; the next one goes on where it ended. */
const LONGEST_SECONDS = 20

/** Moves dead letters back to the queues they came from, as fast as `rate` says. */
export const redriveMessages = defineOperation({
  name: 'messages.redrive',
  permission: 'messages:redrive',
  failure: 'Messages could not be moved back',
  async run(input: RedriveMessagesInput, ctx): Promise<RedrivenMessages> {
    const { queue, ids, rate = DEFAULT_RATE, limit = Number.POSITIVE_INFINITY } = input
    if (rate < 1 || rate > MAX_RATE) throw new ZaqarError('redrive.rate_out_of_range', { max: MAX_RATE })
    if (limit < 1) throw new ZaqarError('redrive.limit_out_of_range')
    if (ids !== undefined) checkIdCount(ids, ctx.limits.maxMessagesPerPage)
    const moved: { id: string; queue: string }[] = []
    const end = ctx.now + LONGEST_SECONDS * 1000
    const batch = Math.min(BATCH, rate)
    const gone = ctx.signal()
    for (let tried = 0; ; ) {
      const count = Math.min(batch, limit - moved.length)
      const named = ids?.slice(tried, tried + count) ?? null
      const some = await moveBatch(queue, named, count, ctx)
      moved.push(...some)
      tried += count
      if (ids === undefined ? some.length < count : tried >= ids.length) return { moved, done: true }
      if (moved.length >= limit) return { moved, done: false }
      const next = ctx.now + (tried / rate) * 1000
      if (next > end || !(await ctx.longPolls.reached(next, gone))) return { moved, done: false }
    }
  },
})

async function moveBatch(
  name: string,
  ids: readonly string[] | null,
  limit: number,
  { queues, storage, key, clock }: Context,
): Promise<{ id: string; queue: string }[]> {
  const now = clock.now()
  const moved = await queues.use(key(name), now, (queue) => storage.messages.redrive({ queue, ids, limit, now }))
  return moved ?? []
}
