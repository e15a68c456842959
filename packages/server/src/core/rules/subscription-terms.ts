import { ZaqarError } from '../errors.ts'
import type { Instant, JsonObject } from '../model/model.ts'
import { LEAST_SECONDS } from './limits.ts'
import { retryPolicyProblem } from './retry-policy.ts'

const END_OF_TIME: Instant = Date.UTC(10_000, 0)

/** @throws ZaqarError */
export function checkSubscriptionOptions(options: JsonObject): void {
  const problem = retryPolicyProblem(options['_retry_policy'])
  if (problem !== null) throw new ZaqarError('subscription.options_invalid', { problem })
}

/** @throws ZaqarError */
export function checkSubscriptionTtl(ttlSeconds: number, now: Instant): void {
  if (ttlSeconds < LEAST_SECONDS) throw new ZaqarError('subscription.ttl_too_short', { min: LEAST_SECONDS })
  if (now + ttlSeconds * 1000 >= END_OF_TIME) throw new ZaqarError('subscription.ttl_too_long')
}
