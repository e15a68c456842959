import type { Timer } from './clock.ts'

/**
 * Calls `callback` once after the time, unless it is cancelled before. The time is that of the world, also in tests that
 * move the clock: it bounds what others take to answer.
 */
export function startTimeLimit(milliseconds: number, callback: () => void): Timer {
  const timeout = setTimeout(callback, milliseconds)
  return { cancel: () => clearTimeout(timeout) }
}
