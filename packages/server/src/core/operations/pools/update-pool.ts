import type { Pool } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkReachable } from './put-pool.ts'

export interface UpdatePoolInput {
  readonly name: string
  readonly uri?: string | undefined
  readonly weight?: number | undefined
  readonly options?: string | undefined
  /** One of the caller's project, or null for none. */
  readonly flavor?: string | null | undefined
}

export const updatePool = defineOperation({
  name: 'pools.update',
  permission: 'pools:update',
  failure: 'Pool could not be updated',
  async run(input: UpdatePoolInput, ctx): Promise<Pool> {
    if (input.uri !== undefined) await checkReachable(input.uri, ctx)
    const pool = await ctx.storage.pools.updatePool({ project: ctx.caller.project, ...input })
    if (pool === 'absent') throw new ZaqarError('pool.not_found', { pool: input.name })
    if (pool === 'uri-in-use') throw new ZaqarError('pool.uri_in_use', { uri: input.uri, pool: input.name })
    if (pool === 'draining') throw new ZaqarError('pool.draining', { pool: input.name })
    return pool
  },
})
