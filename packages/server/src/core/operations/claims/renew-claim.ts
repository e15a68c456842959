import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkRange, LEAST_SECONDS } from '../../rules/limits.ts'
import type { NamedClaim } from './get-claim.ts'

export interface RenewClaimInput extends NamedClaim {
  readonly ttlSeconds?: number | undefined
  /** May be 0 here; only what is too much is refused, and less than nothing. (contract http.md 3.8.3) */
  readonly graceSeconds?: number | undefined
}

/** The claim lives its ttl from now; what is not given gets the default. */
export const renewClaim = defineOperation({
  name: 'claims.renew',
  permission: 'claims:update',
  failure: 'Claim could not be updated',
  async run(input: RenewClaimInput, ctx): Promise<void> {
    const { caller, now, storage, queues, limits, pushes } = ctx
    const { queue: name, claimId } = input
    const { ttlSeconds = limits.defaultClaimTtlSeconds, graceSeconds = limits.defaultClaimGraceSeconds } = input
    checkRange(ttlSeconds, LEAST_SECONDS, limits.maxClaimTtlSeconds, 'claim.ttl_out_of_range')
    checkRange(graceSeconds, 0, limits.maxClaimGraceSeconds, 'claim.grace_out_of_range')
    const key = ctx.key(name)
    const renewed = await queues.use(key, now, (queue) =>
      storage.claims.renew({ queue, claimId, ttlSeconds, graceSeconds, now }),
    )
    if (!renewed) throw new ZaqarError('claim.not_found', { id: claimId, queue: name, project: caller.project })
    pushes.held.renewed(key, claimId, now + ttlSeconds * 1000)
  },
})
