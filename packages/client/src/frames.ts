import { errorOf, type ZaqarError } from './errors.ts'

/**
 * Reads and writes MessagePack: `@msgpack/msgpack` as it is, or of `msgpackr` a
 * `new Packr({ useRecords: false, int64AsType: 'number' })`: it would write objects in a form of its own otherwise, and
 * read integers of 64 bits as `bigint`.
 */
export interface MessagePack {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

/** What is asked for. (`docs/websocket.md` of the service) */
export interface RequestFrame {
  readonly action: string
  readonly headers: object
  readonly body: object | undefined
  readonly request_id: number
}

/** What comes: an answer, which has the `request`, or a message that is pushed. */
export interface Frame {
  readonly request?: { readonly action?: unknown }
  readonly request_id?: unknown
  readonly headers?: { readonly status?: unknown }
  readonly body?: unknown
  readonly queue_name?: string
  /** Beside `queue_name` where the message is of a topic. */
  readonly topic_name?: string
  readonly id?: string
  readonly marker?: string
  readonly ttl?: number
}

export function encodeFrame(frame: RequestFrame, msgpack: MessagePack | undefined): string | Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(frame)
  // By way of JSON, so that dates and what is undefined mean the same in both encodings.
  return msgpack === undefined ? text : (msgpack.encode(JSON.parse(text)) as Uint8Array<ArrayBuffer>)
}

/** @throws where it is no frame of the service */
export function decodeFrame(data: unknown, parse: (json: string) => unknown, msgpack: MessagePack | undefined): Frame {
  const decoded = typeof data === 'string' ? parse(data) : msgpack?.decode(new Uint8Array(data as ArrayBuffer))
  const frame = decoded as Frame
  const { request, headers } = frame
  if (request !== undefined && typeof headers?.status !== 'number') throw new TypeError('The answer has no status.')
  return frame
}

/** The headers of frames, by those of HTTP: lists stay lists, and a token needs a project, which may be any of its own. */
export function frameHeaders(clientId: string, credentials: Readonly<Record<string, string>>): object {
  const { 'X-Auth-Token': token, 'URL-Methods': methods, 'URL-Paths': paths, ...others } = credentials
  return {
    'Client-ID': clientId,
    ...(token !== undefined && { 'X-Project-ID': '' }),
    ...(methods !== undefined && { 'URL-Methods': methods.split(',') }),
    ...(paths !== undefined && { 'URL-Paths': paths.split(',') }),
    ...others,
  }
}

/** The error that an answer stands for; null: it is none. */
export function errorIn({ headers, body }: Frame): ZaqarError | null {
  const status = headers?.status as number
  if (status < 400) return null
  const { error: title = body, exception: description } = (body ?? {}) as { error?: unknown; exception?: unknown }
  return errorOf(status, JSON.stringify({ title, description }), {})
}
