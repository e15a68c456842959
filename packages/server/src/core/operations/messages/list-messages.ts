import { defineOperation } from '../../execute.ts'
import type { Instant, Message } from '../../model/model.ts'
import { pageSize } from '../../rules/limits.ts'
import { settingsOf } from '../../rules/reserved-attributes.ts'
import { queueKey } from '../keys.ts'

export interface ListMessagesInput {
  readonly queue: string
  readonly marker?: string | undefined
  readonly limit?: number | undefined
  /** Show what the caller posted too. */
  readonly echo: boolean
  readonly includeClaimed: boolean
  /** Undefined: as the queue needs it. */
  readonly includeDelayed?: boolean | undefined
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
  failure: 'Messages could not be listed',
  async run(input: ListMessagesInput, { caller, now, storage, queues, limits }): Promise<ListedMessages> {
    const limit = pageSize(input.limit, limits.maxMessagesPerPage)
    const listed = await queues.use(queueKey(caller, input.queue), now, async (queue) => {
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
      return page === 'stale' ? page : { now, limit, includeDelayed, ...page }
    })
    return listed ?? { now, limit, includeDelayed: input.includeDelayed === true, messages: [], marker: null }
  },
})
