import type { Static, TSchema } from 'typebox'
import { Type } from './typed-schema.ts'
import { WireError } from './wire-error.ts'

/** Raw values of each parameter, in order. */
export type Query = ReadonlyMap<string, readonly string[]>

const NONE: Query = new Map()

export function parseQuery(raw: string): Query {
  if (raw === '') return NONE
  const query = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(raw)) {
    const values = query.get(name)
    if (values) values.push(value)
    else query.set(name, [value])
  }
  return query
}

/** The query without the parameters that `names` does not have. */
export function only(query: Query, names: readonly string[]): Query {
  return new Map([...query].filter(([name]) => names.includes(name)))
}

/** Query parameters by name; each an integer, a boolean, a string or a list of strings. */
export type QuerySchema = Readonly<Record<string, TSchema>>
type QueryValues<Schema extends QuerySchema> = { readonly [Name in keyof Schema]?: Static<Schema[Name]> }

export const IntegerParam = Type.Integer()
export const BooleanParam = Type.Boolean()
export const StringParam = Type.String()
export const ListParam = Type.Array(Type.String())

/**
 * The parameters that a route knows, as its schema wants them; blank ones count as absent. (contract http.md 1.8)
 * @throws WireError 400 `Invalid parameter`
 */
export function readQuery<const Schema extends QuerySchema>(query: Query, schema: Schema): QueryValues<Schema> {
  const values: Record<string, unknown> = {}
  if (query.size === 0) return values as QueryValues<Schema>
  for (const name of Object.keys(schema)) {
    const given = query.get(name)
    if (given === undefined) continue
    const value = readValue(name, given, schema[name] as TSchema & { type?: string })
    if (value !== undefined) values[name] = value
  }
  return values as QueryValues<Schema>
}

function readValue(name: string, given: readonly string[], schema: { type?: string }): unknown {
  if (schema.type === 'array') {
    const items = given.flatMap((value) => value.split(','))
    // `ids=` is absent; `ids=,` is a list that is there, and empty.
    return items.length === 1 && items[0] === '' ? undefined : items.filter((item) => item !== '')
  }
  const text = lastOf(given)
  if (text === '') return undefined
  if (schema.type === 'integer') return readInteger(name, text)
  return schema.type === 'boolean' ? readBoolean(name, text) : text
}

/** A scalar that is given more than once, or with commas, has its last value. */
export function lastOf(given: readonly string[]): string {
  return given.at(-1)?.split(',').at(-1) ?? ''
}

function readInteger(name: string, text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) {
    throw new WireError(400, 'Invalid parameter', `The "${name}" parameter is invalid. The value must be an integer.`)
  }
  return Number(text)
}

const TRUE = new Set(['true', 'True', 't', 'yes', 'y', '1', 'on'])
const FALSE = new Set(['false', 'False', 'f', 'no', 'n', '0', 'off'])

function readBoolean(name: string, text: string): boolean {
  if (TRUE.has(text)) return true
  if (FALSE.has(text)) return false
  throw new WireError(
    400,
    'Invalid parameter',
    `The "${name}" parameter is invalid. The value of the parameter must be "true" or "false".`,
  )
}

/**
 * The parameters that a route takes without knowing them; blank ones count as absent. (contract http.md 3.1.5, 7.4)
 * @throws WireError 400 `Invalid parameter` for one that has several values.
 */
export function readOthers(query: Query, raw: string, known: QuerySchema): [name: string, value: string][] {
  const others: [string, string][] = []
  const lists = namesOfLists(raw)
  for (const [name, given] of query) {
    const [value = ''] = given
    if (Object.hasOwn(known, name) || given.every((one) => one === '')) continue
    if (given.length > 1 || lists.has(name)) {
      throw new WireError(400, 'Invalid parameter', `The "${name}" parameter is invalid. It must have one value.`)
    }
    others.push([name, value])
  }
  return others
}

/** The names of parameters whose values have a comma that is not escaped. */
function namesOfLists(raw: string): ReadonlySet<string> {
  if (!raw.includes(',')) return new Set()
  const lists = raw.split('&').filter((one) => one.includes(',', one.indexOf('=')))
  return new Set(lists.flatMap((one) => [...new URLSearchParams(one).keys()]))
}
