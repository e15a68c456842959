import assert from 'node:assert/strict'
import { Compile } from 'typebox/schema'
import type { OpenApi } from '../../src/wire/openapi/types.ts'
import type { Send, TestAnswer } from '../support/test-client.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes and fail where one is not as they say.
export type Schema = any

export async function fetchDocument(send: Send): Promise<OpenApi> {
  const { status, text } = await send({ method: 'GET', target: '/openapi.json', headers: {} })
  assert.equal(status, 200, text)
  const document = JSON.parse(text) as OpenApi
  return resolved(document, document) as OpenApi
}

/** Everything that is pointed at put in its place. */
export function resolved(value: unknown, document: object): unknown {
  if (Array.isArray(value)) return value.map((one) => resolved(one, document))
  if (typeof value !== 'object' || value === null) return value
  if ('$ref' in value) return resolved(pointedAt(value.$ref as string, document), document)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one, document)]))
}

function pointedAt(pointer: string, document: object): unknown {
  const parts = pointer.split('/').slice(1)
  const found = parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document)
  assert.ok(found !== undefined, `${pointer} points at something`)
  return found
}

export interface PlacedOperation {
  readonly path: string
  readonly method: string
  readonly operation: OpenApi['paths'][string][string]
}

export function operationsOf({ paths }: OpenApi): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  ) as PlacedOperation[]
}

/** `v1.1.queues.list` is `queues.list` of `v1.1`; what belongs to no version has none. */
export function versionAndName(operationId: string): [version: string, name: string] {
  const [, version = '', name = ''] = /^(?:(v[\d.]+)\.)?([a-z].*)$/.exec(operationId) ?? []
  return [version, name]
}

const validators = new Map<string, ReturnType<typeof Compile>>()

function validatorOf(schema: Schema): ReturnType<typeof Compile> {
  const key = JSON.stringify(schema)
  const validator = validators.get(key) ?? Compile(schema)
  validators.set(key, validator)
  return validator
}

export function assertFits(value: unknown, schema: Schema, what: string): void {
  const [fits, errors] = validatorOf(schema).Errors(value)
  assert.ok(fits, `${what}: ${JSON.stringify(errors)}\n${JSON.stringify(value)}`)
}

/** A status, headers and a body as the operation says. */
export function assertDocumented({ operation, method }: PlacedOperation, answer: TestAnswer, request: string): void {
  const response = operation.responses[answer.status] as Schema
  assert.ok(response !== undefined, `${request} is answered ${answer.status}, which is not documented: ${answer.text}`)
  for (const name of Object.keys(response.headers ?? {})) {
    assert.ok(answer.headers[name.toLowerCase()], `${request} is answered with ${name}`)
  }
  // Who takes no JSON gets none.
  if (answer.status === 406 && answer.text === '') return
  const type = answer.headers['content-type']?.split(';')[0]
  const contents = Object.entries<Schema>(response.content ?? {})
  const content = contents.find(([documented]) => documented === type) ?? contents[0]
  // It is the listener that cuts off what HEAD is not sent.
  if (method === 'HEAD') return
  if (content === undefined) {
    assert.equal(answer.text, '', `${request} is answered without a body`)
    return
  }
  assert.equal(type, content[0], request)
  const value = type?.startsWith('text/') ? answer.text : JSON.parse(answer.text)
  assertFits(value, content[1].schema, request)
}
