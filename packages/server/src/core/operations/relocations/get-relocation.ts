import type { Relocation } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

/** The last one of the pool. */
export const getDrain = defineOperation({
  name: 'pools.get_drain',
  permission: 'pools:get',
  failure: 'Drain could not be retrieved',
  async run({ name }: { readonly name: string }, { storage }): Promise<Relocation> {
    const drain = await storage.relocations.get({ pool: name })
    if (drain === null) throw new ZaqarError('drain.not_found', { pool: name })
    return drain
  },
})

/** The last one. */
export const getRebalance = defineOperation({
  name: 'pools.get_rebalance',
  permission: 'pools:get_all',
  failure: 'Rebalance could not be retrieved',
  async run(_input: undefined, { storage }): Promise<Relocation> {
    const rebalance = await storage.relocations.get({ pool: null })
    if (rebalance === null) throw new ZaqarError('rebalance.not_found')
    return rebalance
  },
})
