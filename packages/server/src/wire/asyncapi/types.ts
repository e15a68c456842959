import type { JsonSchema } from '../openapi/json-schema.ts'

/** An AsyncAPI 3.0 document, as JSON. */
export interface AsyncApi {
  readonly asyncapi: string
  readonly info: JsonSchema
  readonly defaultContentType: string
  readonly servers: Readonly<Record<string, JsonSchema>>
  readonly channels: Readonly<Record<string, JsonSchema>>
  readonly operations: Readonly<Record<string, AsyncApiOperation>>
  readonly components: {
    readonly messages: Readonly<Record<string, AsyncApiMessage>>
    readonly schemas: Readonly<Record<string, JsonSchema>>
  }
}

/** As the service sees it: it receives requests and sends pushes. */
export interface AsyncApiOperation {
  readonly action: 'receive' | 'send'
  readonly channel: Pointer
  readonly summary: string
  readonly description?: string
  readonly tags?: readonly { readonly name: string }[]
  readonly messages: readonly Pointer[]
  readonly reply?: { readonly channel: Pointer; readonly messages: readonly Pointer[] }
  /** What else the answer may say, beside what any request may be answered. */
  readonly 'x-errors'?: readonly { readonly status: number; readonly exception: string }[]
}

export interface AsyncApiMessage {
  readonly name: string
  readonly title: string
  readonly payload: JsonSchema
  readonly examples: readonly { readonly name: string; readonly summary?: string; readonly payload: unknown }[]
}

export interface Pointer {
  readonly $ref: string
}
