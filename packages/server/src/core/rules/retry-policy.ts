import { isObject } from '../../model/json.ts'
import type { Json, JsonObject } from '../../model/model.ts'
import { integerOf } from './integers.ts'

/** As an owner wrote it: a subscription its own, or the owner of the queue one for all. */
export type RetryPolicy = Readonly<JsonObject>

const INTEGER_KEYS = [
  'retries_with_no_delay',
  'minimum_delay_retries',
  'minimum_delay',
  'maximum_delay',
  'maximum_delay_retries',
] as const
const BACKOFFS = ['linear', 'arithmetic', 'geometric', 'exponential']
const LEAST_DIFFERENCE_SECONDS = 10
/** What a policy leaves out. Delays in seconds. (contract notifications.md 7) */
const DEFAULTS = {
  retries_with_no_delay: 3,
  minimum_delay_retries: 3,
  minimum_delay: 5,
  maximum_delay: 30,
  maximum_delay_retries: 3,
}

const MOST_RETRIES = 1000
const LONGEST_DELAY_SECONDS = 86_400
/** Of all delays of a policy together: a week. */
const LONGEST_SPAN_SECONDS = 604_800
/** By which `linear` grows; the other functions take as many steps as it would. */
const STEP_SECONDS = 5

/**
 * What is wrong with a `_retry_policy`, or null. Anything that is falsy in Python is no policy; unknown keys pass.
 * (contract http.md 3.3, notifications.md 7; the upper bounds are ours)
 */
export function retryPolicyProblem(policy: Json | undefined): string | null {
  if (!policy || (Array.isArray(policy) && policy.length === 0)) return null
  if (!isObject(policy)) return 'retry_policy must be a dict.'
  for (const key of INTEGER_KEYS) {
    if (Object.hasOwn(policy, key) && integerOf(policy[key]) === null) return `Retry policy: ${key} must be a integer.`
  }
  const { retry_backoff_function: backoff, ignore_subscription_override: ignore } = policy
  if (backoff !== undefined && typeof backoff !== 'string') return 'retry_backoff_function must be a string.'
  if (backoff !== undefined && !BACKOFFS.includes(backoff)) return 'invalid retry_backoff_function.'
  if (ignore !== undefined && typeof ignore !== 'boolean') return 'ignore_subscription_override must be a boolean.'
  const least = integerIn(policy, 'minimum_delay')
  const most = integerIn(policy, 'maximum_delay')
  if (most < least) return 'minimum_delay must less than maximum_delay.'
  if (most - least < LEAST_DIFFERENCE_SECONDS) return 'invalid minimum_delay and maximum_delay.'
  return boundProblem(policy)
}

function boundProblem(policy: RetryPolicy): string | null {
  if (integerIn(policy, 'maximum_delay') > LONGEST_DELAY_SECONDS) {
    return `Retry policy: maximum_delay must not be more than ${LONGEST_DELAY_SECONDS} seconds.`
  }
  const delays = schedule(policy)
  if (delays.length > MOST_RETRIES) return `Retry policy: it must not ask for more than ${MOST_RETRIES} retries.`
  if (spanOf(delays) > LONGEST_SPAN_SECONDS) {
    return `Retry policy: its delays must not be more than ${LONGEST_SPAN_SECONDS} seconds together.`
  }
  return null
}

/**
 * The policy that holds for a subscription; null: the defaults. Policies are not merged. (contract notifications.md 7)
 * @param own of the subscription, null when it has none
 * @param reserved `_retry_policy` in the metadata of the queue
 */
export function selectRetryPolicy(own: RetryPolicy | null, reserved: Json | undefined): RetryPolicy | null {
  const ofQueue = asRetryPolicy(reserved)
  const queueDecides = [own, ofQueue].some((policy) => policy?.['ignore_subscription_override'] === true)
  return queueDecides ? ofQueue : (own ?? ofQueue)
}

/** Null for what is no policy or an empty one. */
export function asRetryPolicy(value: Json | undefined): RetryPolicy | null {
  return isObject(value) && Object.keys(value).length > 0 ? value : null
}

/**
 * Seconds before each attempt after the first, in order. What is left out takes its default, and a policy from before
 * there were upper bounds ends at them. (contract notifications.md 7)
 * @param policy null: the defaults
 */
export function retryDelays(policy: RetryPolicy | null): readonly number[] {
  const delays = schedule(policy ?? {}).slice(0, MOST_RETRIES)
  let span = 0
  const end = delays.findIndex((delay) => {
    span += delay
    return span > LONGEST_SPAN_SECONDS
  })
  return end < 0 ? delays : delays.slice(0, end)
}

/** Seconds that a message is tried for before it has failed at last, if each attempt fails at once. */
export function spanOf(delays: readonly number[]): number {
  return delays.reduce((sum, delay) => sum + delay, 0)
}

/** The four phases. Each is cut off beyond the bound, so that no number makes this long. */
function schedule(policy: RetryPolicy): readonly number[] {
  // Negative delays are none.
  const delay = (key: 'minimum_delay' | 'maximum_delay') =>
    Math.min(Math.max(integerIn(policy, key), 0), LONGEST_DELAY_SECONDS)
  const min = delay('minimum_delay')
  const max = delay('maximum_delay')
  return [
    ...times(integerIn(policy, 'retries_with_no_delay'), () => 0),
    ...times(integerIn(policy, 'minimum_delay_retries'), () => min),
    ...backoffDelays(policy['retry_backoff_function'], min, max),
    ...times(integerIn(policy, 'maximum_delay_retries'), () => max),
  ]
}

/** As upstream computes them, in double precision; the order of operations is part of it. */
function backoffDelays(backoff: Json | undefined, min: number, max: number): number[] {
  const steps = Math.floor((max - min) / STEP_SECONDS)
  // Only a policy with negative delays has so few.
  if (steps < 2) return times(steps, () => min)
  switch (backoff) {
    case 'arithmetic': {
      const growth = (2 * (max - min)) / (steps * (steps - 1))
      return times(steps, (n) => min + ((n - 1) * n * growth) / 2)
    }
    case 'geometric': {
      const { start, factor } = curve(min, max, steps)
      return times(steps, (n) => start * factor ** (n - 1))
    }
    case 'exponential': {
      const { start, factor } = curve(min, max, steps)
      return times(steps, (n) => (start / factor) * factor ** n)
    }
    default:
      return times(Math.ceil((max - min) / STEP_SECONDS), (n) => min + STEP_SECONDS * (n - 1))
  }
}

/** No curve leads up from 0: it starts with a second then. Upstream divides by zero, and gives up. */
function curve(min: number, max: number, steps: number): { start: number; factor: number } {
  const start = Math.max(min, 1)
  return { start, factor: 10 ** (Math.log10(max / start) / (steps - 1)) }
}

/** The whole seconds that `delayOf` answers for 1 to `count`, and for one beyond the bound at the most. */
function times(count: number, delayOf: (n: number) => number): number[] {
  const length = Math.max(0, Math.min(count, MOST_RETRIES + 1))
  return Array.from({ length }, (_, i) => Math.trunc(delayOf(i + 1)))
}

function integerIn(policy: RetryPolicy, key: (typeof INTEGER_KEYS)[number]): number {
  return (Object.hasOwn(policy, key) ? integerOf(policy[key]) : null) ?? DEFAULTS[key]
}
