import type { IncomingHttpHeaders } from 'node:http'
import type { Asker } from '../core/identity.ts'
import type { RequestBody, TextStream } from '../wire/door.ts'

/** A request in plain values, so that all but the listener can be tried without a socket. */
export interface HttpRequest extends Asker {
  /** In every log line about it, and in its answer. */
  readonly id: string
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders
  /**
   * Reads the body, at once where there is none; once at the most, and not before it is known who asks.
   * @throws WireError 503 when there is no room for it, ClientGone
   */
  readonly readBody: () => RequestBody | Promise<RequestBody>
}

export type HttpResponse = WholeResponse | StreamedResponse

interface ResponseHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export interface WholeResponse extends ResponseHead {
  /** Text is for this client alone; bytes are the same for everybody, and so take no memory of their own. */
  readonly body: string | Buffer | undefined
}

export interface StreamedResponse extends ResponseHead {
  readonly body: TextStream
}

/** The client has left before it had said all; nobody waits for an answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}
