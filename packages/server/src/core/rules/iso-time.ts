import type { Instant } from '../../model/model.ts'

const FORM =
  /^(?<year>\d{4})-?(?<month>\d{2})-?(?<day>\d{2})(?:[T ](?<hour>\d{2})(?::?(?<minute>\d{2})(?::?(?<second>\d{2})(?:[.,]\d+)?)?)?(?<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?$/

/**
 * The whole second that an ISO 8601 date and time names, in extended or basic form; no zone means UTC, no time means
 * midnight. Null when the text is none. (contract signed-urls.md 2)
 */
export function parseIsoTime(text: string): Instant | null {
  const parts = FORM.exec(text)?.groups
  if (parts === undefined) return null
  const { year, month, day, hour = '00', minute = '00', second = '00', zone = 'Z' } = parts
  const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const utc = Date.parse(`${wall}Z`)
  // Date.parse takes 31 February for 3 March, and 24:00 for the next day.
  if (Number.isNaN(utc) || formatIsoTime(utc) !== wall) return null
  const offset = offsetMinutes(zone)
  if (offset === null) return null
  const at = utc - offset * 60_000
  return at <= LATEST ? at : null
}

/** Later years have five digits, which the form has no place for. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59)

function offsetMinutes(zone: string): number | null {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || '0')
  if (hours > 23 || minutes > 59) return null
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** UTC in whole seconds, without a zone: `2099-01-01T00:00:00`. */
export function formatIsoTime(at: Instant): string {
  return new Date(at).toISOString().slice(0, 19)
}
