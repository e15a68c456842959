/**
 * Draft 4 as far as the schemas of actions need it: booleans and 2.0 are no integers. (contract websocket.md 3, 4)
 */
import { isKeptNumber, isObject } from '../../model/json.ts'
import type { Json } from '../../model/model.ts'
import type { AnySocketDoor } from './socket-door.ts'

const KNOWN_HEADERS = ['User-Agent', 'Date', 'Accept', 'Client-ID', 'X-Project-ID', 'X-Auth-Token']
const OF_AUTHENTICATE = ['X-Auth-Token', 'X-Project-ID']
const OF_OTHERS = ['Client-ID', 'X-Project-ID']

/** What is wrong with the headers of a frame; null: nothing. `door`: null for `authenticate`. */
export function headersProblem(headers: Json | undefined, door: AnySocketDoor | null): string | null {
  if (headers === undefined) return 'headers is missing'
  if (!isObject(headers)) return 'headers must be of type object'
  const required = door === null ? OF_AUTHENTICATE : door.needsNoCaller ? [] : OF_OTHERS
  const missing = required.find((name) => !Object.hasOwn(headers, name))
  if (missing !== undefined) return `headers.${missing} is missing`
  const wrong = KNOWN_HEADERS.find((name) => Object.hasOwn(headers, name) && typeof headers[name] !== 'string')
  return wrong === undefined ? null : `headers.${wrong} must be of type string`
}

/** What is wrong with the body of a frame; null: nothing. `door`: null for `authenticate`, which has none. */
export function bodyProblem(body: Json | undefined, door: AnySocketDoor | null): string | null {
  if (door === null) return null
  if (body === undefined) return door.bodyIsOptional ? null : 'body is missing'
  if (!isObject(body)) return 'body must be of type object'
  const { required = [], properties } = door.body as { required?: readonly string[]; properties: Properties }
  const missing = required.find((name) => !Object.hasOwn(body, name))
  if (missing !== undefined) return `body.${missing} is missing`
  if (door.forTopics !== undefined && Object.hasOwn(body, 'topic_name')) {
    return 'body.topic_name cannot stand beside body.queue_name'
  }
  for (const name of Object.keys(properties)) {
    if (!Object.hasOwn(body, name)) continue
    const problem = valueProblem(`body.${name}`, body[name] as Json, properties[name] as Schema)
    if (problem !== null) return problem
  }
  return null
}

type Properties = Readonly<Record<string, Schema>>

interface Schema {
  /** Absent: any. */
  readonly type?: string | readonly string[]
  readonly items?: Schema
}

function valueProblem(path: string, value: Json, { type, items }: Schema): string | null {
  const types = type === undefined ? [] : typeof type === 'string' ? [type] : type
  if (types.length > 0 && !types.some((one) => hasType(value, one))) {
    return `${path} must be of type ${types.join(' or ')}`
  }
  if (items === undefined || !Array.isArray(value)) return null
  for (const [index, item] of value.entries()) {
    const problem = valueProblem(`${path}.${index}`, item, items)
    if (problem !== null) return problem
  }
  return null
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value) || (isKeptNumber(value) && /^-?\d+$/.test(value.spelling))
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}
