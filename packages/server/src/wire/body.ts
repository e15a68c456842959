import type { Static, TObject, TSchema } from 'typebox'
import { IntegerTooLarge, NestedTooDeep, parseJson } from '../core/model/json.ts'
import type { Json, JsonObject } from '../core/model/model.ts'
import { isInteger } from '../core/rules/integers.ts'
import type { RequestBody } from './door.ts'
import { invalidBody } from './refusal.ts'

const UNPARSABLE = 'Request body could not be parsed.'
const NOT_SUPPORTED = 'Document type not supported.'

/**
 * The document of a body that is required. (contract http.md 1.7)
 * @throws Refusal 400 `Invalid request body`
 */
export function readDocument(body: RequestBody): JsonObject | Json[] {
  if (body.bytes === null) throw invalidBody('Request body can not be empty')
  const document = parse(body.text)
  if (typeof document !== 'object' || document === null || isNumber(document)) throw invalidBody(UNPARSABLE)
  return document
}

/** As `readDocument`, but it must be an object. */
export function readObject(body: RequestBody): JsonObject {
  const document = readDocument(body)
  if (Array.isArray(document)) throw invalidBody(NOT_SUPPORTED)
  return document
}

/** The object of a body that may be missing or empty. */
export function readOptionalObject(body: RequestBody): JsonObject {
  return body.bytes === null || body.bytes === 0 ? {} : readObject(body)
}

export function readArray(value: Json | undefined): Json[] {
  if (!Array.isArray(value)) throw invalidBody(NOT_SUPPORTED)
  return value
}

function parse(text: string | null): Json {
  if (text === null) throw invalidBody(UNPARSABLE)
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof IntegerTooLarge) throw invalidBody('JSON contains integer that is too large.')
    if (error instanceof SyntaxError || error instanceof NestedTooDeep) throw invalidBody(UNPARSABLE)
    throw error
  }
}

/** A number that is kept as its source text is an object to JavaScript, but no document. */
function isNumber(value: object): boolean {
  return 'rawJSON' in value && Object.isFrozen(value)
}

type Fields<Schema extends TObject> = Static<Schema>

/**
 * The fields that the schema knows, each of the right type; others are dropped.
 * @throws Refusal 400 `Invalid request body`, naming the first field that is missing or has another type.
 */
export function readFields<Schema extends TObject>(document: Json, schema: Schema): Fields<Schema> {
  if (!isObject(document)) throw invalidBody('Each element must be a JSON object.')
  const fields: Record<string, unknown> = {}
  const required: readonly string[] = schema.required ?? []
  for (const name of Object.keys(schema.properties)) {
    if (!Object.hasOwn(document, name)) {
      if (required.includes(name)) throw invalidBody(`Missing "${name}" field.`)
      continue
    }
    fields[name] = readField(name, document[name] as Json, schema.properties[name] as TSchema & { type?: string })
  }
  return fields as Fields<Schema>
}

/** Spelled as Python spells them. */
const TYPE_NAMES: Record<string, string> = { integer: 'int', object: 'dict', array: 'list' }

function readField(name: string, value: Json, { type }: { type?: string }): unknown {
  if (type === 'integer' && isInteger(value)) return Number(value)
  if (type === undefined || (type === 'object' && isObject(value)) || (type === 'array' && Array.isArray(value))) {
    return value
  }
  throw invalidBody(`The value of the "${name}" field must be a ${TYPE_NAMES[type] ?? type}.`)
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isNumber(value)
}
