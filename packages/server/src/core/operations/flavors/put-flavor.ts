import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

export interface FlavorInput {
  readonly name: string
  readonly pools: readonly string[]
}

/** Creates the flavor, or adds the pools to it. */
export const putFlavor = defineOperation({
  name: 'flavors.put',
  permission: 'flavors:create',
  failure: 'Flavor could not be created',
  async run({ name, pools }: FlavorInput, { caller, storage }): Promise<void> {
    const outcome = await storage.pools.putFlavor({ flavor: { project: caller.project, name, pools } })
    if (outcome.stored) return
    throw new ZaqarError('flavor.created_with_unknown_pool', { flavor: name, pool: outcome.unknownPool })
  },
})
