/** What a message is posted with at the destination, from what a listing of the source shows of it. All times are in seconds. */
import { isKeptNumber } from '../../model/json.ts'

/** No service takes a shorter life. (contract http.md 4.2) */
const LEAST_TTL = 60
/** MongoDB shows a message for about a minute after its end. */
const LINGERING = 90
/** `max_message_delay` of a service that was not told another. */
const LONGEST_DELAY = 900

/**
 * How long it has still to live, or `LEAST_TTL` where that is longer. A claim that has made a life longer has counted `ttl`
 * anew from then on, while `age` counts from the POST: where the two cannot both be so, it gets all of `ttl`.
 */
export function remainingLife({ ttl, age }: { readonly ttl: number; readonly age: number }): number {
  const left = ttl - age
  return Math.max(LEAST_TTL, left < -LINGERING ? ttl : left)
}

/** Whether it may be delayed still. */
export function canBeDelayed(age: number): boolean {
  return age < LONGEST_DELAY
}

/**
 * How long a message that is delayed stays so. No listing shows it: the default of its queue counts, and where that is over,
 * the longest delay, since its own one is longer then. It is visible before its end.
 */
export function remainingDelay(age: number, { queueDelay, life }: { queueDelay: number; life: number }): number {
  const left = queueDelay > age ? queueDelay - age : LONGEST_DELAY - age
  return Math.min(left, life - 1)
}

/** A number of a document: Swift shows fractions. */
export function wholeSeconds(value: unknown): number {
  return Math.floor(Number(isKeptNumber(value) ? value.spelling : value))
}
