import { defineOperation } from '../../execute.ts'

/** The queues that have not gone stay, and the pool has its weight again. Where there is none that is no error. */
export const cancelDrain = defineOperation({
  name: 'pools.cancel_drain',
  permission: 'pools:drain',
  failure: 'Drain could not be cancelled',
  async run({ name }: { readonly name: string }, { storage, now }): Promise<void> {
    await storage.relocations.cancel({ pool: name, now })
  },
})

/** The queues that have not gone stay. */
export const cancelRebalance = defineOperation({
  name: 'pools.cancel_rebalance',
  permission: 'pools:rebalance',
  failure: 'Rebalance could not be cancelled',
  async run(_input: undefined, { storage, now }): Promise<void> {
    await storage.relocations.cancel({ pool: null, now })
  },
})
