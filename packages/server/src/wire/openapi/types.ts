import type { TSchema } from 'typebox'
import type { ErrorCode } from '../../core/errors.ts'
import type { Limits } from '../../core/rules/limits.ts'
import type { Json, QueueKind } from '../../model/model.ts'
import type { JsonSchema } from './json-schema.ts'

/** As much of a version of the API as its description follows from. */
export interface DescribedVersion {
  readonly prefix: string
  readonly entry: { readonly id: string; readonly status: 'CURRENT' | 'DEPRECATED' }
  readonly callers: { readonly needsProject: boolean; readonly needsClientId: boolean }
  readonly doors: readonly DescribedDoor[]
  /** What answers are made of, by name. */
  readonly schemas: (prefix: string) => Readonly<Record<string, JsonSchema>>
}

/** As much of a door as its description follows from. */
export interface DescribedDoor {
  readonly method: string
  /** Below the prefix, with `:name` for what varies. */
  readonly path: string
  readonly operation: { readonly name: string; readonly kind?: QueueKind }
  /** What it reads of the query, and of the body where a schema reads it. */
  readonly query?: Readonly<Record<string, TSchema>>
  readonly body?: TSchema
  /** Where several doors share a method and a path, all but one have it, or answer events. */
  readonly when?: unknown
  /** Whether it is for clients that ask for events. */
  readonly answersEvents?: true
  readonly describe: DescribeDoor
}

/** What a description depends on. */
export interface DocContext {
  readonly limits: Limits
  /** What the door is about: queues and topics share their doors. */
  readonly kind: QueueKind
  /** Path of the queue or topic of the examples: `/v2/queues/jobs`. */
  readonly home: string
  /** `/v2` */
  readonly prefix: string
}

/**
 * What the document of the API says of a door beyond what the door says itself: `query` and `body` of the door say what
 * it reads, this says what that means. It is made when the document is asked for, so that it costs nothing before.
 */
export type DescribeDoor = (context: DocContext) => DoorDoc

export interface DoorDoc {
  /** Its section of the document, when the name of the operation does not say which. */
  readonly tag?: 'service'
  readonly summary: string
  readonly description?: string
  /** Description and range of each parameter of the door's `query`; `required` where it must be there. */
  readonly query?: Readonly<Record<string, JsonSchema>>
  /** Headers that only this door reads. */
  readonly headers?: Readonly<Record<string, JsonSchema>>
  /** Whether the door needs the id of a client in a version that does not ask for it everywhere. */
  readonly needsClientId?: true
  readonly body?: BodyDoc
  /** By status; the errors that every door may answer are added to them. */
  readonly answers: Readonly<Record<number, AnswerDoc>>
  readonly errors?: readonly ErrorCode[]
  /** Errors of this door alone, before it asks the operation. */
  readonly refusals?: readonly { readonly status: number; readonly title: string; readonly description: string }[]
  readonly examples: readonly ExampleDoc[]
}

export interface BodyDoc {
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
  /** `application/json` when absent. */
  readonly type?: string
  readonly headers?: readonly ('Location' | 'Content-Location')[]
}

/** A request that can be sent, and its answer. Its ids stand for real ones. */
export interface ExampleDoc {
  readonly name: string
  /** The headers that every request has, and the type `application/json`, go without saying. */
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

/** An OpenAPI 3.1 document, as JSON. */
export interface OpenApi {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly Tag[]
  /** By version; OpenAPI 3.1 has no place for that, but other tools that show documents know it. */
  readonly 'x-tagGroups': readonly { readonly name: string; readonly tags: readonly string[] }[]
  readonly paths: Paths
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>
}

export interface Tag {
  readonly name: string
  readonly description: string
}

export type Paths = Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>

export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly deprecated?: true
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly JsonSchema[]
  readonly requestBody?: JsonSchema
  readonly responses: Readonly<Record<string, JsonSchema>>
  readonly security?: readonly JsonSchema[]
  /** Whole requests with their answers, which OpenAPI has no place for. */
  readonly 'x-examples': readonly Example[]
}

export type Example = ExampleDoc & { readonly request: { readonly method: string } }
