import type { IncomingHttpHeaders } from 'node:http'
import type { Call } from '../core/execute.ts'
import type { RequestBody } from '../wire/door.ts'

/** A request in plain values, so that all but the listener can be tried without a socket. */
export interface HttpRequest extends Call {
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders
  readonly body: RequestBody
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}
