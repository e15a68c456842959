import { defineOperation } from '../../execute.ts'
import type { NamedClaim } from './get-claim.ts'

/** A claim that does not exist is no error. */
export const releaseClaim = defineOperation({
  name: 'claims.release',
  permission: 'claims:delete',
  failure: 'Claim could not be deleted',
  async run({ queue: name, claimId }: NamedClaim, ctx): Promise<void> {
    const { now, storage, queues, pushes } = ctx
    const key = ctx.key(name)
    await queues.use(key, now, (queue) => storage.claims.release({ queue, claimId, now }))
    pushes.held.released(key, claimId)
  },
})
