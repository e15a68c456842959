import type { Pool } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

export const getPool = defineOperation({
  name: 'pools.get',
  permission: 'pools:get',
  failure: 'Pool could not be retrieved',
  async run({ name }: { readonly name: string }, { caller, storage }): Promise<Pool> {
    const pool = await storage.pools.getPool({ project: caller.project, name })
    if (pool === null) throw new ZaqarError('pool.not_found', { pool: name })
    return pool
  },
})
