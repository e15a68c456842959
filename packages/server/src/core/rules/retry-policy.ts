import { isObject } from '../../model/json.ts'
import type { Json } from '../../model/model.ts'
import { integerOf } from './integers.ts'

const INTEGER_KEYS = [
  'retries_with_no_delay',
  'minimum_delay_retries',
  'minimum_delay',
  'maximum_delay',
  'maximum_delay_retries',
] as const
const BACKOFFS = ['linear', 'arithmetic', 'geometric', 'exponential']
/** Seconds; they stand in for what a policy leaves out when the two delays are compared. */
const DEFAULT_DELAYS = { minimum_delay: 5, maximum_delay: 30 }
const LEAST_DIFFERENCE_SECONDS = 10

/**
 * What is wrong with a `_retry_policy`, or null. Anything falsy is no policy; unknown keys pass.
 * (contract http.md 3.3, notifications.md 7)
 */
export function retryPolicyProblem(policy: Json | undefined): string | null {
  if (!policy) return null
  if (!isObject(policy)) return 'retry_policy must be a dict.'
  for (const key of INTEGER_KEYS) {
    if (Object.hasOwn(policy, key) && integerOf(policy[key]) === null) return `Retry policy: ${key} must be a integer.`
  }
  const { retry_backoff_function: backoff, ignore_subscription_override: ignore } = policy
  if (backoff !== undefined && typeof backoff !== 'string') return 'retry_backoff_function must be a string.'
  if (backoff !== undefined && !BACKOFFS.includes(backoff)) return 'invalid retry_backoff_function.'
  if (ignore !== undefined && typeof ignore !== 'boolean') return 'ignore_subscription_override must be a boolean.'
  const least = integerOf(policy['minimum_delay']) ?? DEFAULT_DELAYS.minimum_delay
  const most = integerOf(policy['maximum_delay']) ?? DEFAULT_DELAYS.maximum_delay
  if (most < least) return 'minimum_delay must less than maximum_delay.'
  if (most - least < LEAST_DIFFERENCE_SECONDS) return 'invalid minimum_delay and maximum_delay.'
  return null
}
