import type { ErrorCode } from '../../core/errors.ts'
import type { Json } from '../../core/model/model.ts'
import type { Limits } from '../../core/rules/limits.ts'

/** JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a description depends on. */
export interface DocContext {
  readonly limits: Limits
  /** What the door is about: queues and topics share their doors. */
  readonly kind: 'queue' | 'topic'
  /** Path of the queue or topic of the examples: `/v2/queues/jobs`. */
  readonly home: string
  /** `/v2` */
  readonly prefix: string
}

/**
 * What the document of the API says of a door beyond what the door says itself: `query` and `body` of the door are what it
 * reads, this is what it means. Made when the document is asked for, so that it costs nothing before.
 */
export type DescribeDoor = (context: DocContext) => DoorDoc

export interface DoorDoc {
  /** Where it stands in the document, when the name of the operation does not say so. */
  readonly tag?: 'service'
  readonly summary: string
  readonly description?: string
  /** Description and range of each parameter of the door's `query`. */
  readonly query?: Readonly<Record<string, JsonSchema>>
  /** Headers that only this door reads. */
  readonly headers?: Readonly<Record<string, JsonSchema>>
  readonly body?: BodyDoc
  /** Successes by status; the errors that every door may answer are added to them. */
  readonly answers: Readonly<Record<number, AnswerDoc>>
  readonly errors?: readonly ErrorCode[]
  /** Errors of this door alone, before it asks the operation. */
  readonly refusals?: readonly { readonly status: number; readonly title: string; readonly description: string }[]
  readonly examples: readonly ExampleDoc[]
}

interface BodyDoc {
  readonly required: boolean
  /** `application/json` when absent. */
  readonly type?: string
  /** Laid over the door's `body`: descriptions and ranges by field. All of it when the door reads without a schema. */
  readonly schema: JsonSchema
}

export interface AnswerDoc {
  readonly description: string
  /** Absent: no body. */
  readonly schema?: JsonSchema
  readonly headers?: readonly ('Location' | 'Content-Location')[]
}

/** A request that can be sent, and what comes back. Ids stand for those of the day. */
export interface ExampleDoc {
  readonly name: string
  /** `application/json` bodies and the headers that every request has are understood. */
  readonly request: {
    readonly path: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: Json
  }
  readonly answer: {
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: Json
  }
}

export function between(minimum: number, maximum: number): JsonSchema {
  return { minimum, maximum }
}

/** A schema that has a name in the document. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}
