import type { Flavor } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

export const getFlavor = defineOperation({
  name: 'flavors.get',
  permission: 'flavors:get',
  failure: 'Flavor could not be retrieved',
  async run({ name }: { readonly name: string }, { caller, storage }): Promise<Flavor> {
    const flavor = await storage.pools.getFlavor({ project: caller.project, name })
    if (flavor === null) throw new ZaqarError('flavor.not_found', { flavor: name })
    return flavor
  },
})
