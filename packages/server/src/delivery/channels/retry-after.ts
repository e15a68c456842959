import type { Instant } from '../../model/model.ts'

/** A receiver cannot hold back its messages for longer than this by one answer. */
const MOST_SECONDS = 3600

/** The seconds that a `Retry-After` asks for, be it a number or a date; null where it says nothing. (RFC 9110 10.2.3) */
export function retryAfterSeconds(value: string | null, now: Instant): number | null {
  if (value === null) return null
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - now) / 1000)
  return Number.isNaN(seconds) ? null : Math.min(Math.max(seconds, 0), MOST_SECONDS)
}
