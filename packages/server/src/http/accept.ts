import Negotiator from 'negotiator'

export const JSON_TYPE = 'application/json'
export const EVENT_STREAM = 'text/event-stream'

/** Characters. A longer header is not looked at: RFC 9110 lets a server answer as if it were not there. */
const LONGEST_ACCEPT = 1_000

/** Whether a client takes what this service makes. Absent or empty means everything. (contract http.md 1.6) */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === JSON_TYPE) return true
  return accept.length > LONGEST_ACCEPT || preferred(accept, [JSON_TYPE]) !== undefined
}

/** Whether a client takes events rather than JSON: it must name their type, as every `EventSource` does. */
export function prefersEvents(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > LONGEST_ACCEPT || !accept.includes(EVENT_STREAM)) return false
  return preferred(accept, [JSON_TYPE, EVENT_STREAM]) === EVENT_STREAM
}

const OPENMETRICS = 'application/openmetrics-text'

/** Whether a client takes OpenMetrics rather than the older text of Prometheus. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > LONGEST_ACCEPT || !accept.includes(OPENMETRICS)) return false
  return preferred(accept, ['text/plain', OPENMETRICS]) === OPENMETRICS
}

/** Parameters of a range other than q say more than this service could, and so are not looked at. */
function preferred(accept: string, types: readonly string[]): string | undefined {
  const ranges = accept.replace(/;(?!\s*q\s*=)[^;,]*/gi, '')
  return new Negotiator({ headers: { accept: ranges } }).mediaType([...types])
}
