import type { TSchema } from 'typebox'
import type { ZaqarError } from '../core/errors.ts'
import type { Caller, Operation } from '../core/execute.ts'
import type { Limits } from '../core/rules/limits.ts'
import type { DescribeDoor } from './openapi/types.ts'
import type { Query, QuerySchema } from './query.ts'
import type { WireError } from './wire-error.ts'

/** What a transport hands to a door: a request in plain values. */
export interface DoorRequest {
  /** `/v1`, `/v1.1` or `/v2`: links carry the version of the request. */
  readonly prefix: string
  /** Decoded, as routed. */
  readonly path: string
  /** Values of the `:name` parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  /** As sent. */
  readonly rawQuery: string
  readonly body: RequestBody
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly caller: Caller
  readonly messageForm: MessageForm
  /** All doors of the version, as it is served here. */
  readonly doors: readonly AnyDoor[]
  /** What this house allows. */
  readonly limits: Limits
}

/**
 * How messages are shown. `bare`: without id and checksum, and with the claim that holds them only where a claim is
 * shown. (contract http.md 3.7.1, 1.13)
 */
export type MessageForm = 'full' | 'bare'

export interface RequestBody {
  /** Size in bytes, as declared or as read; null when the request has no body at all, not even an empty one. */
  readonly bytes: number | null
  /**
   * The text, empty when there is none. Null when it is no UTF-8, or was too long to be read: a door that has a limit
   * looks at `bytes` first.
   */
  readonly text: string | null
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Absent: none. */
  readonly body?: string
  /** In place of a body, of a door that says so: what comes, as it comes. */
  readonly events?: TextStream
}

/**
 * Text that is made while it is sent. Each chunk is asked for when the system has taken the one before, and may be as
 * long in coming as it likes. When nobody wants more, `return` is called, also while a chunk is awaited. A generator
 * learns of that only behind its next chunk, so one that waits for something should watch the `signal` of the request
 * too. What is thrown ends the connection and is reported.
 */
export type TextStream = AsyncIterable<string>

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'

/** The shape of an operation in one version: two pure functions around it. */
export interface Door<Input, Output> {
  readonly method: Method
  /** Below the prefix, with `:name` for what varies. */
  readonly path: string
  readonly operation: Operation<Input, Output>
  /** Where several doors share a method and a path, the first is taken that says yes or that has no `when`. */
  when?(query: Query): boolean
  /** Whether it is for clients that ask for `text/event-stream`, and for no others. */
  readonly answersEvents?: true
  decode(request: DoorRequest): Input
  encode(output: Output, request: DoorRequest): Answer
  /** Headers of the answer when it is an error; none when absent. */
  errorHeaders?(error: ZaqarError | WireError, request: DoorRequest): Readonly<Record<string, string>>
  /** What it reads of the query. */
  readonly query?: QuerySchema
  /** What it reads of the body, where a schema reads it. */
  readonly body?: TSchema
  readonly describe: DescribeDoor
  /** Whether it is for operators only. */
  readonly admin?: true
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds doors of many inputs and outputs; each is consistent in itself.
export type AnyDoor = Door<any, any>

export function door<Input, Output>(one: Door<Input, Output>): AnyDoor {
  return one
}

export const NO_CONTENT: Answer = { status: 204 }

export function ok(body: string): Answer {
  return { status: 200, body }
}
