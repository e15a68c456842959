import { printJson } from '../../model/json.ts'
import { compactBytes } from '../../model/members.ts'
import type { Instant, JsonObject } from '../../model/model.ts'
import { ZaqarError } from '../errors.ts'
import { LEAST_SECONDS, type Limits } from './limits.ts'
import { subscriptionOptionsProblem } from './subscription-options.ts'

const END_OF_TIME: Instant = Date.UTC(10_000, 0)

/**
 * The options as they are stored. They may be as large as the metadata of a queue.
 * @throws ZaqarError
 */
export function optionsText(options: JsonObject, { maxQueueMetadataBytes: max }: Limits): string {
  const problem = subscriptionOptionsProblem(options)
  if (problem !== null) throw new ZaqarError('subscription.options_invalid', { problem })
  const text = printJson(options)
  if (compactBytes(text) > max) throw new ZaqarError('subscription.options_too_large', { max })
  return text
}

/** @throws ZaqarError */
export function checkSubscriptionTtl(ttlSeconds: number, now: Instant): void {
  if (ttlSeconds < LEAST_SECONDS) throw new ZaqarError('subscription.ttl_too_short', { min: LEAST_SECONDS })
  if (now + ttlSeconds * 1000 >= END_OF_TIME) throw new ZaqarError('subscription.ttl_too_long')
}
