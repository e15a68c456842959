import type { Instant } from '../../model/model.ts'

/** What became of one try to tell a receiver. */
export interface Attempt {
  readonly at: Instant
  readonly seconds: number
  /** Of the answer; null where none came. */
  readonly status: number | null
  /** Why it failed; null where it did not. */
  readonly reason: string | null
  /** The first bytes of the answer, as text; null where none came. */
  readonly answer: string | null
}

/** What became of a notification so far. */
export interface Attempts {
  readonly count: number
  /** The latest of them, in order. */
  readonly latest: readonly Attempt[]
}

/** A try as the log of a subscription has it. */
export interface LoggedAttempt extends Attempt {
  /** Of the messages that it was to bring; none for what is said about the subscription itself. */
  readonly messageIds: readonly string[]
}

const NO_ATTEMPTS: Attempts = { count: 0, latest: [] }
/** Of a notification that fails for long the first attempts are told by their number only. */
const LATEST = 20

export function withAttempt({ count, latest }: Attempts, attempt: Attempt): Attempts {
  return { count: count + 1, latest: [...latest.slice(1 - LATEST), attempt] }
}

export function readAttempts(text: string | null): Attempts {
  return text === null ? NO_ATTEMPTS : (JSON.parse(text) as Attempts)
}

export function printAttempts(attempts: Attempts): string {
  return JSON.stringify(attempts)
}

export function readLogged(text: string): LoggedAttempt {
  return JSON.parse(text) as LoggedAttempt
}

export function printLogged(attempt: LoggedAttempt): string {
  return JSON.stringify(attempt)
}
