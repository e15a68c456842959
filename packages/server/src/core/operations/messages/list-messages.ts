import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { emptyPage, type Listing, type Page } from '../../listing.ts'
import { checkWait, pageSize } from '../../rules/limits.ts'

export interface ListMessagesInput {
  readonly queue: string
  readonly marker?: string | undefined
  readonly limit?: number | undefined
  /** Show what the caller posted too. */
  readonly echo: boolean
  readonly includeClaimed: boolean
  readonly includeDelayed: Listing['includeDelayed']
  /** How long to wait for something to show. */
  readonly waitSeconds?: number | undefined
  /** Each message has its `marker`; none has when it does not say. */
  readonly withMarkers?: boolean | undefined
  /** A missing queue is listed as empty when it does not say. */
  readonly whenMissing?: 'show-none' | 'fail'
}

export interface ListedMessages extends Page {
  readonly limit: number
}

export const listMessages = defineOperation({
  name: 'messages.list',
  permission: 'messages:get_all',
  failure: 'Messages could not be listed',
  async run(input: ListMessagesInput, ctx): Promise<ListedMessages> {
    const { caller, kind, limits, longPolls, now, signal, storage } = ctx
    const limit = pageSize(input.limit, limits.maxMessagesPerPage)
    const { marker: after = null, echo, includeClaimed, includeDelayed, withMarkers, waitSeconds } = input
    const key = ctx.key(input.queue)
    const hideClientId = echo ? null : caller.clientId
    const listing = { key, after, limit, hideClientId, includeClaimed, includeDelayed, withMarkers }
    const found = await longPolls.list(listing, { waitSeconds: checkWait(waitSeconds), signal })
    const page = found ?? emptyPage(listing, now)
    if (input.whenMissing === 'fail' && page.messages.length === 0) {
      const queue = await storage.queues.get({ key, now })
      if (queue === null) throw new ZaqarError(`${kind}.not_found`, { queue: key.name, project: key.project })
    }
    return { limit, ...page }
  },
})
