import type { Instant } from '../../../model/model.ts'
import type { ListedClaims, QueueHandle } from '../../../storage/contract.ts'
import { defineOperation } from '../../execute.ts'
import { pageSize } from '../../rules/limits.ts'

export interface ListClaimsInput {
  readonly queue: string
  readonly marker?: string | undefined
  readonly limit?: number | undefined
}

/** A missing queue is listed as empty. */
export const listClaims = defineOperation({
  name: 'claims.list',
  permission: 'claims:get_all',
  failure: 'Claims could not be listed',
  async run(input: ListClaimsInput, ctx): Promise<ListedClaims & { readonly now: Instant }> {
    const { key, now, storage, queues, limits } = ctx
    const limit = pageSize(input.limit, limits.maxMessagesPerPage)
    const after = input.marker ?? null
    const list = (queue: QueueHandle) => storage.claims.list({ queue, after, limit, now })
    const page = await queues.use(key(input.queue), now, list)
    return { now, ...(page ?? { claims: [], marker: null }) }
  },
})
