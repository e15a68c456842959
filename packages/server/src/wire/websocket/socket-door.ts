import type { TObject } from 'typebox'
import type { ZaqarError } from '../../core/errors.ts'
import type { Caller, Operation } from '../../core/execute.ts'
import type { Receiver } from '../../core/receiver.ts'
import type { Limits } from '../../core/rules/limits.ts'
import type { Resource } from '../../core/rules/scope.ts'
import type { JsonObject } from '../../model/model.ts'
import type { JsonSchema } from '../openapi/json-schema.ts'
import type { DoorDoc } from '../openapi/types.ts'

/** What the transport hands to the door of an action: a frame in plain values. */
export interface SocketRequest {
  /** Whatever the schema of the action admits. */
  readonly body: JsonObject
  /** As sent: names are case-sensitive. */
  readonly headers: JsonObject
  /** Of the whole frame. */
  readonly bytes: number
  readonly caller: Caller
  /** What this house allows. */
  readonly limits: Limits
  /** The connection, for subscriptions that push to it. */
  readonly receiver: Receiver
}

export interface SocketAnswer {
  readonly status: number
  /** JSON text. */
  readonly body: string
  /** Called when the answer has been handed to the connection: whatever comes of it comes behind it. */
  readonly afterwards?: () => void
}

/** What an action is for, in the terms of the HTTP API. */
export interface Target {
  readonly resource: Resource
  /** `queue`, `message`, `pool` and so on: what is named before the request is read. */
  readonly names: Readonly<Record<string, string>>
}

/** The shape of an operation over a socket: pure functions around it. (contract websocket.md 6) */
export interface SocketDoor<Input, Output> {
  readonly action: string
  readonly operation: Operation<Input, Output>
  /**
   * Of the body, as JSON Schema; checked before it is known who asks, by `schema.ts`, which looks at no more than
   * `required`, `type` and `items`. (contract websocket.md 4)
   */
  readonly body: TObject
  /** Whether the body may be left out; it is an empty object then. */
  readonly bodyIsOptional?: true
  /** Whether neither `Client-ID` nor `X-Project-ID` need be there. (contract websocket.md 5.6) */
  readonly needsNoCaller?: true
  /** Whether its `Client-ID` must be a good one: others take any text. (contract websocket.md 5.6) */
  readonly checksClientId?: true
  /** Whether it is for operators only. */
  readonly admin?: true
  /** Takes its place where the body has `topic_name` and no `queue_name`. */
  readonly forTopics?: AnySocketDoor
  /** The first of these takes its place whose `when` says yes. Of it only the operation and what is around it count. */
  readonly variants?: readonly AnySocketDoor[]
  when?(body: JsonObject): boolean
  target(body: JsonObject): Target
  /**
   * Whether it waits for something to come, so that requests behind it need not wait for its answer. Of its
   * body `encode` and `failure` see only texts, numbers and booleans that the schema knows.
   */
  waits?(body: JsonObject): boolean
  decode(request: SocketRequest): Input
  encode(output: Output, request: SocketRequest): SocketAnswer
  /** What upstream says of what was asked: a text beside the error, null for none; or a body in its place. */
  failure?(error: ZaqarError, body: JsonObject): string | { readonly body: string } | null
  /** With limits, where what it says depends on what this house allows; made when the document is asked for. */
  readonly describe: SocketDoorDoc | ((limits: Limits) => SocketDoorDoc)
}

/** For the AsyncAPI document. */
export interface SocketDoorDoc {
  /** A sentence without a full stop. */
  readonly summary: string
  readonly details?: string
  /** An addition of ours, which upstream does not have. */
  readonly isAddition?: true
  /** Bodies of a request and of its answer. */
  readonly example: { readonly body: JsonObject; readonly status: number; readonly answer: unknown }
  /** Laid over the schema of the body: descriptions and ranges by key. */
  readonly body?: JsonSchema
  /** By status. Without it, an answer has the form of the example. */
  readonly answers?: DoorDoc['answers']
  readonly errors?: DoorDoc['errors']
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds doors of many inputs and outputs; each is consistent in itself.
export type AnySocketDoor = SocketDoor<any, any>

export function socketDoor<Input, Output>(one: SocketDoor<Input, Output>): AnySocketDoor {
  return one
}
