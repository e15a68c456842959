import type { Instant, Subscription } from '../../../model/model.ts'
import { defineOperation } from '../../execute.ts'
import { pageSize } from '../../rules/limits.ts'

export interface ListSubscriptionsInput {
  readonly queue: string
  readonly marker?: string | undefined
  readonly limit?: number | undefined
}

export interface ListedSubscriptions {
  readonly now: Instant
  readonly subscriptions: readonly Subscription[]
}

/** A missing queue is listed as empty. */
export const listSubscriptions = defineOperation({
  name: 'subscriptions.list',
  permission: 'subscription:get_all',
  failure: 'Subscriptions could not be listed',
  async run(input: ListSubscriptionsInput, { key, now, storage, limits }): Promise<ListedSubscriptions> {
    const limit = pageSize(input.limit, limits.maxSubscriptionsPerPage)
    const after = input.marker ?? null
    return { now, subscriptions: await storage.subscriptions.list({ key: key(input.queue), after, limit, now }) }
  },
})
