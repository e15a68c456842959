/**
 * When a receiver that fails is left alone, and when a message that it does not take is given up. A receiver that has
 * failed for long is paused; after each pause one attempt, the probe, decides whether there is another.
 */
import { spanOf } from '../core/rules/retry-policy.ts'
import type { Health, Instant } from '../model/model.ts'

/** Fewer failures in a row, or in a shorter time, pause nobody. */
const FAILURES = 10
const FAILING_MS = 10_000
/**
 * A pause is a fifth of the time that the receiver has been failing, within these bounds. So pauses grow, and a single
 * message that fails at once whenever it is tried keeps to the schedule of upstream's default policy.
 */
const PART_OF_FAILING = 5
const SHORTEST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 300_000
/** No receiver holds a message back for longer by `Retry-After`. */
const LONGEST_RETRY_AFTER_SECONDS = 3600

/**
 * The health of a receiver after an attempt that ended at `now`. An attempt that began before a pause and fails during
 * it does not lengthen it.
 */
export function afterAttempt(health: Health | null, { ok, now }: { ok: boolean; now: Instant }): Health | null {
  if (ok) return null
  const failures = (health?.failures ?? 0) + 1
  const failingSince = health?.failingSince ?? now
  if (isPaused(health, now)) return { failures, failingSince, pausedUntil: health?.pausedUntil ?? null }
  const failingMs = now - failingSince
  if (failures < FAILURES || failingMs < FAILING_MS) return { failures, failingSince, pausedUntil: null }
  const pauseMs = Math.min(Math.max(Math.floor(failingMs / PART_OF_FAILING), SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS)
  return { failures, failingSince, pausedUntil: now + pauseMs }
}

/** Whether nothing is sent. */
export function isPaused(health: Health | null, now: Instant): boolean {
  return health !== null && health.pausedUntil !== null && now < health.pausedUntil
}

/** Whether one attempt alone is due, and all else waits for how it ends: a pause is over. */
export function isProbe(health: Health | null, now: Instant): boolean {
  return health !== null && health.pausedUntil !== null && now >= health.pausedUntil
}

/**
 * When a message is tried again that has failed `attempts` times, the last time now; null when that was the last of its
 * policy. It is not tried while its receiver is paused either.
 * @param p.delays of its policy, see `retryDelays`
 * @param p.retryAfterSeconds what the receiver asks for
 */
export function nextAttemptAt(p: {
  attempts: number
  delays: readonly number[]
  retryAfterSeconds: number | null
  now: Instant
}): Instant | null {
  const delay = p.delays[p.attempts - 1]
  if (delay === undefined) return null
  const asked = Math.min(p.retryAfterSeconds ?? 0, LONGEST_RETRY_AFTER_SECONDS)
  return p.now + Math.ceil(Math.max(delay, asked) * 1000)
}

/**
 * When a message has waited long enough for a receiver that was paused: as long as all delays of its policy take. A
 * probe that fails then or later gives it up, whether it was tried itself or not; before a probe nothing is given up.
 * @param since when it was first owed
 * @param delays of its policy, see `retryDelays`
 */
export function givesUpAt(since: Instant, delays: readonly number[]): Instant {
  return since + spanOf(delays) * 1000
}
