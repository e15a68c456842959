import type { Instant, Message } from '../../../model/model.ts'
import { STALE } from '../../../storage/contract.ts'
import { type Context, defineOperation } from '../../execute.ts'
import { checkWait, pageSize } from '../../rules/limits.ts'

export interface ListMessagesInput {
  readonly queue: string
  readonly marker?: string | undefined
  readonly limit?: number | undefined
  /** Show what the caller posted too. */
  readonly echo: boolean
  readonly includeClaimed: boolean
  /** `when-queue-delays-none`: a queue without a delay of its own hides none, though some may still be delayed. */
  readonly includeDelayed: 'always' | 'when-queue-delays-none' | 'never'
  /** How long to wait for something to show. */
  readonly waitSeconds?: number | undefined
}

export interface ListedMessages {
  readonly now: Instant
  readonly limit: number
  /** Whether delayed messages were included. (contract http.md 3.7.3) */
  readonly includeDelayed: boolean
  readonly messages: readonly Message[]
  readonly marker: string | null
}

/** A missing queue is listed as empty. */
export const listMessages = defineOperation({
  name: 'messages.list',
  permission: 'messages:get_all',
  failure: 'Messages could not be listed',
  async run(input: ListMessagesInput, ctx): Promise<ListedMessages> {
    const limit = pageSize(input.limit, ctx.limits.maxMessagesPerPage)
    const listed = await ctx.longPolls.poll({
      key: ctx.key(input.queue),
      waitSeconds: checkWait(input.waitSeconds),
      takes: false,
      signal: ctx.signal,
      async attempt(now) {
        const page = await listPage(input, limit, now, ctx)
        return page.messages.length > 0 || !input.waitSeconds ? page : null
      },
    })
    return listed ?? emptyPage(input, limit, ctx.now)
  },
})

async function listPage(input: ListMessagesInput, limit: number, now: Instant, ctx: Context): Promise<ListedMessages> {
  const { caller, key, storage, queues } = ctx
  const listed = await queues.use(key(input.queue), now, async (queue) => {
    const delaysNone = queue.settings.defaultMessageDelaySeconds === 0
    const includeDelayed =
      input.includeDelayed === 'when-queue-delays-none' ? delaysNone : input.includeDelayed === 'always'
    const page = await storage.messages.list({
      queue,
      after: input.marker ?? null,
      limit,
      hideClientId: input.echo ? null : caller.clientId,
      includeClaimed: input.includeClaimed,
      includeDelayed,
      now,
    })
    return page === STALE ? STALE : { now, limit, includeDelayed, ...page }
  })
  return listed ?? emptyPage(input, limit, now)
}

function emptyPage({ includeDelayed }: ListMessagesInput, limit: number, now: Instant): ListedMessages {
  return { now, limit, includeDelayed: includeDelayed === 'always', messages: [], marker: null }
}
