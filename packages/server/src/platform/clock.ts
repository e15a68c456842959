import type { Instant } from '../model/model.ts'

/** The one seam through which time comes in. Tests hand in one that they move themselves. */
export interface Clock {
  /** Never runs backwards. */
  now(): Instant
  /** Calls `callback` once at `at` or soon after; at once, but never synchronously, when that is past. */
  at(at: Instant, callback: () => void): Timer
}

/** Calls back once after so many milliseconds of the world's time, whatever the clock says. */
export type StartTimeLimit = (milliseconds: number, callback: () => void) => Timer

export interface Timer {
  cancel(): void
}
