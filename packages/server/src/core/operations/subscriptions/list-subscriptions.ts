import type { Instant, Subscription } from '../../../model/model.ts'
import type { QueueHandle } from '../../../storage/contract.ts'
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
  async run(input: ListSubscriptionsInput, { key, now, storage, queues, limits }): Promise<ListedSubscriptions> {
    const limit = pageSize(input.limit, limits.maxSubscriptionsPerPage)
    const after = input.marker ?? null
    const list = (queue: QueueHandle) => storage.subscriptions.list({ queue, after, limit, now })
    return { now, subscriptions: (await queues.use(key(input.queue), now, list)) ?? [] }
  },
})
