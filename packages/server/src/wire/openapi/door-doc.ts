import type { ErrorCode } from '../../core/errors.ts'
import type { Limits } from '../../core/rules/limits.ts'
import type { Json } from '../../model/model.ts'
import type { JsonSchema } from './json-schema.ts'

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
  /** Description and range of each parameter of the door's `query`; `required` where it must be there. */
  readonly query?: Readonly<Record<string, JsonSchema>>
  /** Headers that only this door reads. */
  readonly headers?: Readonly<Record<string, JsonSchema>>
  /** Whether the client must be named, where a version does not ask for that everywhere. */
  readonly needsClientId?: true
  readonly body?: BodyDoc
  /** By status; the errors that every door may answer are added to them. */
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

/** What is said of the body in other words; it must have one. */
export function withBody(doc: DoorDoc, restate: (schema: JsonSchema) => JsonSchema): DoorDoc {
  const body = doc.body as BodyDoc
  return { ...doc, body: { ...body, schema: restate(body.schema) } }
}

/** The examples with answers of another form. */
export function reshaped(examples: readonly ExampleDoc[], reshape: (body: Json) => Json): ExampleDoc[] {
  return examples.map((example) => {
    const { answer } = example
    return answer.body === undefined ? example : { ...example, answer: { ...answer, body: reshape(answer.body) } }
  })
}

/** The examples with another text in the place of one, wherever it is. */
export function reworded(examples: readonly ExampleDoc[], text: string, other: string): ExampleDoc[] {
  return JSON.parse(JSON.stringify(examples).replaceAll(text, other))
}
