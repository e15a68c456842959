import { STALE } from '../../../storage/contract.ts'
import { type Context, defineOperation } from '../../execute.ts'
import type { Instant, Message } from '../../model/model.ts'
import { checkWait, pageSize } from '../../rules/limits.ts'
import { settingsOf } from '../../rules/reserved-attributes.ts'

export interface ListMessagesInput {
  readonly queue: string
  readonly marker?: string | undefined
  readonly limit?: number | undefined
  /** Show what the caller posted too. */
  readonly echo: boolean
  readonly includeClaimed: boolean
  /** Undefined: as the queue needs it. */
  readonly includeDelayed?: boolean | undefined
  /** How long to wait for something to show. */
  readonly waitSeconds?: number | undefined
}

export interface ListedMessages {
  readonly now: Instant
  readonly limit: number
  /** Whether delayed messages were included: a queue without a delay of its own hides none. (contract http.md 3.7.3) */
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
    const { now } = ctx
    return listed ?? { now, limit, includeDelayed: input.includeDelayed === true, messages: [], marker: null }
  },
})

async function listPage(input: ListMessagesInput, limit: number, now: Instant, ctx: Context): Promise<ListedMessages> {
  const { caller, key, storage, queues, limits } = ctx
  const listed = await queues.use(key(input.queue), now, async (queue) => {
    const includeDelayed = input.includeDelayed === true || settingsOf(queue, limits).defaultMessageDelaySeconds === 0
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
  return listed ?? { now, limit, includeDelayed: input.includeDelayed === true, messages: [], marker: null }
}
