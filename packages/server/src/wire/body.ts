import type { Static, TObject } from 'typebox'
import { integerOf } from '../core/rules/integers.ts'
import { IntegerTooLarge, isKeptNumber, isObject, NestedTooDeep, parseJson } from '../model/json.ts'
import type { Json, JsonObject } from '../model/model.ts'
import type { RequestBody } from './door.ts'
import { invalidBody, type WireError } from './wire-error.ts'

const UNPARSABLE = 'Request body could not be parsed.'
const NOT_SUPPORTED = 'Document type not supported.'

/**
 * The document of a body that is required. (contract http.md 1.7)
 * @throws WireError 400 `Invalid request body`
 */
export function readDocument(body: RequestBody, unparsable = UNPARSABLE): JsonObject | Json[] {
  if (body.bytes === null) throw invalidBody('Request body can not be empty')
  const document = parse(body.text, unparsable)
  if (typeof document !== 'object' || document === null || isKeptNumber(document)) throw invalidBody(unparsable)
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

function parse(text: string | null, unparsable: string): Json {
  if (text === null) throw invalidBody(unparsable)
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof IntegerTooLarge) throw invalidBody('JSON contains integer that is too large.')
    if (error instanceof SyntaxError || error instanceof NestedTooDeep) throw invalidBody(unparsable)
    throw error
  }
}

type Fields<Schema extends TObject> = Static<Schema>

/**
 * The fields that the schema knows, each as it wants them; others are dropped, unless it forbids them.
 * @throws WireError 400 `Invalid request body` or what `refuse` makes, naming the first field that is missing or wrong.
 */
export function readFields<Schema extends TObject>(
  document: Json,
  schema: Schema,
  refuse: (description: string) => WireError = invalidBody,
): Fields<Schema> {
  if (!isObject(document)) throw refuse('Each element must be a JSON object.')
  if ((schema as { additionalProperties?: unknown }).additionalProperties === false) {
    const unknown = Object.keys(document).find((name) => !Object.hasOwn(schema.properties, name))
    if (unknown !== undefined) throw refuse(`There is no field ${JSON.stringify(unknown)}.`)
  }
  const fields: Record<string, unknown> = {}
  const required: readonly string[] = schema.required ?? []
  for (const name of Object.keys(schema.properties)) {
    if (!Object.hasOwn(document, name)) {
      if (required.includes(name)) throw refuse(`Missing "${name}" field.`)
      continue
    }
    fields[name] = readField(name, document[name] as Json, schema.properties[name] as FieldSchema, refuse)
  }
  return fields as Fields<Schema>
}

/** Spelled as Python spells them. */
const TYPE_NAMES: Record<string, string> = { integer: 'int', object: 'dict', array: 'list' }

/** As much of JSON Schema as fields are described with. */
interface FieldSchema {
  readonly type?: string
  readonly items?: FieldSchema
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly pattern?: string
}

function readField(
  name: string,
  value: Json,
  schema: FieldSchema,
  refuse: (description: string) => WireError,
): unknown {
  const { type = '', minimum, maximum, maxLength, pattern } = schema
  const integer = type === 'integer' ? integerOf(value) : null
  if (integer === null && !hasType(value, schema)) {
    throw refuse(`The value of the "${name}" field must be a ${TYPE_NAMES[type] ?? type}.`)
  }
  if (integer !== null && (integer < (minimum ?? integer) || integer > (maximum ?? integer))) {
    throw refuse(`The value of the "${name}" field must be at least ${minimum} and at most ${maximum}.`)
  }
  if (typeof value === 'string' && value.length > (maxLength ?? value.length)) {
    throw refuse(`The value of the "${name}" field must be no longer than ${maxLength} characters.`)
  }
  if (typeof value === 'string' && pattern !== undefined && !new RegExp(pattern, 'u').test(value)) {
    throw refuse(`The value of the "${name}" field must match ${pattern}`)
  }
  return integer ?? value
}

function hasType(value: Json, { type, items }: FieldSchema): boolean {
  if (type === 'object') return isObject(value)
  if (type === 'array') {
    return Array.isArray(value) && value.every((item) => items === undefined || hasType(item, items))
  }
  return type === undefined || typeof value === type
}
