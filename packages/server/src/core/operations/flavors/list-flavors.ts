import type { Flavor } from '../../../model/model.ts'
import { defineOperation } from '../../execute.ts'
import { pageSize } from '../../rules/limits.ts'

export interface ListFlavorsInput {
  readonly marker?: string | undefined
  readonly limit?: number | undefined
}

export const listFlavors = defineOperation({
  name: 'flavors.list',
  permission: 'flavors:get_all',
  failure: 'Flavors could not be listed',
  async run(input: ListFlavorsInput, { caller, storage, limits }): Promise<readonly Flavor[]> {
    const limit = pageSize(input.limit, limits.maxFlavorsPerPage)
    return storage.pools.listFlavors({ project: caller.project, after: input.marker ?? null, limit })
  },
})
