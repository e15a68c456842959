import type { Pool } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { type Context, defineOperation } from '../../execute.ts'

/** Creates or overwrites. The flavor is one of the caller's project. */
export const putPool = defineOperation({
  name: 'pools.put',
  permission: 'pools:create',
  failure: 'Pool could not be created',
  async run(pool: Pool, ctx): Promise<void> {
    await checkReachable(pool.uri, ctx)
    const outcome = await ctx.storage.pools.putPool({ project: ctx.caller.project, pool })
    if (outcome === 'uri-in-use') throw new ZaqarError('pool.uri_in_use', { uri: pool.uri, pool: pool.name })
    if (outcome === 'draining') throw new ZaqarError('pool.draining', { pool: pool.name })
  },
})

/** @throws ZaqarError pool.unreachable */
export async function checkReachable(uri: string, { probeStore }: Pick<Context, 'probeStore'>): Promise<void> {
  if (!(await probeStore(uri))) throw new ZaqarError('pool.unreachable', { uri })
}
