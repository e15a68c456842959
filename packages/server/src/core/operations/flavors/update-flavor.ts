import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { FlavorInput } from './put-flavor.ts'
import { type ShownFlavor, showFlavor } from './show-flavor.ts'

/** The flavor has these pools alone then. */
export const updateFlavor = defineOperation({
  name: 'flavors.update',
  permission: 'flavors:update',
  failure: 'Flavor could not be updated',
  async run({ name, pools }: FlavorInput, ctx): Promise<ShownFlavor> {
    const flavor = { project: ctx.caller.project, name, pools: [...new Set(pools)].sort() }
    const outcome = await ctx.storage.pools.updateFlavor({ flavor })
    if (outcome === 'absent') throw new ZaqarError('flavor.not_found', { flavor: name })
    if (outcome.stored) return showFlavor(flavor, ctx)
    throw new ZaqarError('flavor.updated_with_unknown_pool', { flavor: name, pool: outcome.unknownPool })
  },
})
