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
}

export interface ListedMessages extends Page {
  readonly limit: number
}

/** A missing queue is listed as empty. */
export const listMessages = defineOperation({
  name: 'messages.list',
  permission: 'messages:get_all',
  failure: 'Messages could not be listed',
  async run(input: ListMessagesInput, { caller, key, limits, longPolls, now, signal }): Promise<ListedMessages> {
    const limit = pageSize(input.limit, limits.maxMessagesPerPage)
    const { queue, marker = null, echo, includeClaimed, includeDelayed, waitSeconds } = input
    const hideClientId = echo ? null : caller.clientId
    const listing = { key: key(queue), after: marker, limit, hideClientId, includeClaimed, includeDelayed }
    const page = await longPolls.list(listing, { waitSeconds: checkWait(waitSeconds), signal })
    return { limit, ...(page ?? emptyPage(listing, now)) }
  },
})
