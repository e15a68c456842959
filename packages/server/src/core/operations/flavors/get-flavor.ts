import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { type ShownFlavor, showFlavor } from './show-flavor.ts'

export const getFlavor = defineOperation({
  name: 'flavors.get',
  permission: 'flavors:get',
  failure: 'Flavor could not be retrieved',
  async run({ name }: { readonly name: string }, ctx): Promise<ShownFlavor> {
    const flavor = await ctx.storage.pools.getFlavor({ project: ctx.caller.project, name })
    if (flavor === null) throw new ZaqarError('flavor.not_found', { flavor: name })
    return showFlavor(flavor, ctx)
  },
})
