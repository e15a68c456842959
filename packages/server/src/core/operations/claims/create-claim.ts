import { defineOperation } from '../../execute.ts'
import type { Claim, Instant } from '../../model/model.ts'
import { checkRange, LEAST_SECONDS, pageSize } from '../../rules/limits.ts'
import { settingsOf } from '../../rules/reserved-attributes.ts'
import { queueKey } from '../keys.ts'

export interface CreateClaimInput {
  readonly queue: string
  readonly limit?: number | undefined
  readonly ttlSeconds?: number | undefined
  readonly graceSeconds?: number | undefined
}

export interface FoundClaim {
  readonly now: Instant
  readonly claim: Claim
}

/** Null when there is nothing to claim. */
export const createClaim = defineOperation({
  name: 'claims.create',
  failure: 'Claim could not be created',
  async run(input: CreateClaimInput, { caller, now, storage, queues, limits }): Promise<FoundClaim | null> {
    const limit = pageSize(input.limit, limits.maxMessagesPerClaimOrPop)
    const { ttlSeconds = limits.defaultClaimTtlSeconds, graceSeconds = limits.defaultClaimGraceSeconds } = input
    checkRange(ttlSeconds, LEAST_SECONDS, limits.maxClaimTtlSeconds, 'claim.ttl_out_of_range')
    checkRange(graceSeconds, LEAST_SECONDS, limits.maxClaimGraceSeconds, 'claim.grace_out_of_range')
    const claim = await queues.use(queueKey(caller, input.queue), now, (queue) => {
      const { deadLetter } = settingsOf(queue, limits)
      return storage.claims.create({ queue, limit, ttlSeconds, graceSeconds, deadLetter, now })
    })
    return claim && { now, claim }
  },
})
