import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

const HELD = { queues: 'queues', departures: 'messages on their way to other pools' } as const

/** A pool that does not exist is no error; the last one of a flavor, and one that holds something, cannot go. */
export const deletePool = defineOperation({
  name: 'pools.delete',
  permission: 'pools:delete',
  failure: 'Pool could not be deleted',
  async run({ name }: { readonly name: string }, { storage }): Promise<void> {
    const outcome = await storage.pools.deletePool({ name })
    if (outcome.deleted) return
    if ('holds' in outcome) throw new ZaqarError('pool.in_use', { pool: name, holds: HELD[outcome.holds] })
    throw new ZaqarError('pool.last_of_flavors', { pool: name, flavors: outcome.flavors.join(', ') })
  },
})
