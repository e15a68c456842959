import type { Claim, Instant } from '../../../model/model.ts'
import { defineOperation } from '../../execute.ts'
import { checkRange, checkWait, LEAST_SECONDS, pageSize } from '../../rules/limits.ts'

export interface CreateClaimInput {
  readonly queue: string
  readonly limit?: number | undefined
  readonly ttlSeconds?: number | undefined
  readonly graceSeconds?: number | undefined
  /** How long to wait for something to claim. */
  readonly waitSeconds?: number | undefined
}

export interface FoundClaim {
  readonly now: Instant
  readonly claim: Claim
}

/** Null when there is nothing to claim. */
export const createClaim = defineOperation({
  name: 'claims.create',
  permission: 'claims:create',
  failure: 'Claim could not be created',
  async run(input: CreateClaimInput, { key, storage, queues, limits, longPolls, signal }): Promise<FoundClaim | null> {
    const limit = pageSize(input.limit, limits.maxMessagesPerClaimOrPop)
    const { ttlSeconds = limits.defaultClaimTtlSeconds, graceSeconds = limits.defaultClaimGraceSeconds } = input
    checkRange(ttlSeconds, LEAST_SECONDS, limits.maxClaimTtlSeconds, 'claim.ttl_out_of_range')
    checkRange(graceSeconds, LEAST_SECONDS, limits.maxClaimGraceSeconds, 'claim.grace_out_of_range')
    const queueKey = key(input.queue)
    const take = async (now: Instant) => {
      const claim = await queues.use(queueKey, now, (queue) => {
        const { deadLetter } = queue.settings
        return storage.claims.create({ queue, limit, ttlSeconds, graceSeconds, deadLetter, now })
      })
      return claim && { now, claim }
    }
    return longPolls.take(queueKey, take, { waitSeconds: checkWait(input.waitSeconds), signal })
  },
})
