import type { Pool } from '../../../model/model.ts'
import { defineOperation } from '../../execute.ts'
import { pageSize } from '../../rules/limits.ts'

export interface ListPoolsInput {
  readonly marker?: string | undefined
  readonly limit?: number | undefined
  /** Whether the limit may be above that of the house; 0 then means all. */
  readonly anyLength?: boolean
}

/** More than there can be. */
const ALL = 2 ** 31 - 1

export const listPools = defineOperation({
  name: 'pools.list',
  permission: 'pools:get_all',
  failure: 'Pools could not be listed',
  async run(input: ListPoolsInput, { caller, storage, limits }): Promise<readonly Pool[]> {
    const most = input.anyLength ? ALL : limits.maxPoolsPerPage
    const limit = pageSize(input.anyLength && input.limit === 0 ? ALL : input.limit, most)
    return storage.pools.listPools({ project: caller.project, after: input.marker ?? null, limit })
  },
})
