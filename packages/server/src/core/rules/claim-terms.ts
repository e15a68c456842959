import { checkRange, LEAST_SECONDS, type Limits, pageSize } from './limits.ts'

/** What somebody asks of a claim; the house says what is not given. */
export interface WantedClaim {
  /** Messages, at the most. */
  readonly limit?: number | undefined
  readonly ttlSeconds?: number | undefined
  readonly graceSeconds?: number | undefined
}

export interface ClaimTerms {
  readonly limit: number
  readonly ttlSeconds: number
  readonly graceSeconds: number
}

/** @throws ZaqarError */
export function claimTerms(wanted: WantedClaim, limits: Limits): ClaimTerms {
  const limit = pageSize(wanted.limit, limits.maxMessagesPerClaimOrPop)
  const { ttlSeconds = limits.defaultClaimTtlSeconds, graceSeconds = limits.defaultClaimGraceSeconds } = wanted
  checkRange(ttlSeconds, LEAST_SECONDS, limits.maxClaimTtlSeconds, 'claim.ttl_out_of_range')
  checkRange(graceSeconds, LEAST_SECONDS, limits.maxClaimGraceSeconds, 'claim.grace_out_of_range')
  return { limit, ttlSeconds, graceSeconds }
}
