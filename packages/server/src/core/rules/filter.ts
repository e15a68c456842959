import { isKeptNumber, isObject } from '../../model/json.ts'
import type { Json, JsonObject } from '../../model/model.ts'

/**
 * Which messages a subscription is told of: a condition on fields of the body.
 *
 * A filter is an object. Each key names a field, and each field must match. Below it stands a list of conditions, of
 * which one must hold; or an object, which is a filter for what is in the field. A condition is a text, a number, a
 * boolean or null, which the field must be equal to, or one of
 *
 * - `{"prefix": "web-"}`: a text that begins so;
 * - `{"numeric": [">", 100, "<=", 500]}`: a number, compared by one or two of `=`, `<`, `<=`, `>`, `>=`;
 * - `{"anything-but": ["test", "dev"]}`: a text, number, boolean or null that is none of these;
 * - `{"exists": true}` or `{"exists": false}`: the field is there, whatever it holds, or is not.
 *
 * Where a field holds an array it matches if any element does. A body that is no object matches the empty filter alone.
 */
export type Filter = (body: Json) => boolean

/** Of all fields together; a value of `anything-but` counts as one too. */
const MOST_CONDITIONS = 50
const DEEPEST = 5
/** Of the name of a field, and of a text in a condition; in UTF-16 units. */
const LONGEST_TEXT = 256

type Scalar = string | number | bigint | boolean | null
/** Answers for a field; undefined: it is not there. */
type Field = (value: Json | undefined) => boolean
type Condition = (value: Scalar) => boolean

/** The filter, or what is wrong with it. Evaluating costs at most what the body holds times the conditions. */
export function compileFilter(filter: Json): Filter | string {
  try {
    if (!isObject(filter)) throw new FilterProblem('_filter must be an object.')
    const isEmpty = Object.keys(filter).length === 0
    const matches = new Compiler().fields(filter, 1)
    return (body) => (isObject(body) ? matches(body) : isEmpty)
  } catch (error) {
    if (error instanceof FilterProblem) return error.message
    throw error
  }
}

class FilterProblem extends Error {}

class Compiler {
  #conditions = 0

  fields(filter: JsonObject, depth: number): Field {
    if (depth > DEEPEST) throw new FilterProblem(`_filter must not be nested more than ${DEEPEST} levels deep.`)
    const fields = Object.entries(filter).map(
      ([name, wanted]) => [checkLength(name), this.#field(wanted, depth)] as const,
    )
    const matches = (value: Json | undefined) =>
      fields.every(([name, field]) => field(isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined))
    return (value) => anyOf(value, matches)
  }

  #field(wanted: Json, depth: number): Field {
    if (isObject(wanted) && Object.keys(wanted).length > 0) return this.fields(wanted, depth + 1)
    if (!Array.isArray(wanted) || wanted.length === 0) {
      throw new FilterProblem('_filter: below a field stands a list of conditions, or an object, which is not empty.')
    }
    const equals = new Set<Scalar>()
    const conditions: Condition[] = [(value) => equals.has(value)]
    const presences = new Set<boolean>()
    for (const condition of wanted) {
      const scalar = this.#scalar(condition)
      if (scalar !== undefined) equals.add(scalar)
      else if (isExists(condition)) presences.add(condition.exists)
      else conditions.push(this.#condition(condition))
    }
    const matches = (value: Json | undefined) => {
      const scalar = scalarOf(value)
      return scalar !== undefined && conditions.some((holds) => holds(scalar))
    }
    return (value) => presences.has(value !== undefined) || anyOf(value, matches)
  }

  #condition(condition: Json): Condition {
    const [[name, wanted] = [], ...others] = isObject(condition) ? Object.entries(condition) : []
    if (others.length === 0 && wanted !== undefined) {
      if (name === 'prefix' && typeof wanted === 'string') return beginsWith(checkLength(wanted))
      if (name === 'numeric') return inRange(wanted)
      if (name === 'anything-but') return this.#noneOf(wanted)
    }
    throw new FilterProblem(
      '_filter: a condition is a text, a number, a boolean, null, or an object with one of prefix, numeric, ' +
        'anything-but and exists.',
    )
  }

  #noneOf(wanted: Json): Condition {
    const values = new Set((Array.isArray(wanted) ? wanted : [wanted]).map((value) => this.#scalar(value)))
    if (values.size === 0 || values.has(undefined)) {
      throw new FilterProblem('_filter: anything-but wants a list of texts, numbers, booleans and nulls.')
    }
    return (value) => !values.has(value)
  }

  /** Counts a condition, or a value of one. */
  #scalar(condition: Json): Scalar | undefined {
    this.#conditions += 1
    if (this.#conditions > MOST_CONDITIONS) {
      throw new FilterProblem(`_filter must not have more than ${MOST_CONDITIONS} conditions.`)
    }
    return scalarOf(typeof condition === 'string' ? checkLength(condition) : condition)
  }
}

function checkLength(text: string): string {
  if (text.length <= LONGEST_TEXT) return text
  throw new FilterProblem(`_filter: a field or text must not be longer than ${LONGEST_TEXT} characters.`)
}

function isExists(condition: Json): condition is { exists: boolean } {
  return isObject(condition) && Object.keys(condition).length === 1 && typeof condition['exists'] === 'boolean'
}

function beginsWith(prefix: string): Condition {
  // `startsWith` compares character by character, which takes fifty times as long.
  return (value) => typeof value === 'string' && value.slice(0, prefix.length) === prefix
}

const COMPARISONS: ReadonlyMap<Json | undefined, (value: number | bigint, bound: number | bigint) => boolean> = new Map(
  [
    ['=', (value, bound) => value === bound],
    ['<', (value, bound) => value < bound],
    ['<=', (value, bound) => value <= bound],
    ['>', (value, bound) => value > bound],
    ['>=', (value, bound) => value >= bound],
  ],
)

function inRange(wanted: Json): Condition {
  const parts = Array.isArray(wanted) ? wanted : []
  const ranges = [parts.slice(0, 2), parts.slice(2)].filter((range) => range.length > 0)
  const comparisons = ranges.map(([operator, wanted]) => ({
    compare: COMPARISONS.get(operator),
    bound: scalarOf(wanted),
  }))
  const checks = comparisons.flatMap(({ compare, bound }) =>
    compare !== undefined && isNumber(bound) ? [(value: number | bigint) => compare(value, bound)] : [],
  )
  if (checks.length === 0 || checks.length * 2 !== parts.length) {
    throw new FilterProblem('_filter: numeric wants one or two of =, <, <=, > and >=, each followed by a number.')
  }
  return (value) => isNumber(value) && checks.every((holds) => holds(value))
}

function isNumber(value: Scalar | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** Of an array whether any element matches, of anything else whether it does. */
function anyOf(value: Json | undefined, matches: Field): boolean {
  return Array.isArray(value) ? value.some((element) => anyOf(element, matches)) : matches(value)
}

/** Undefined for what has parts, or is not there. Numbers that are equal come as the same, however they were spelt. */
function scalarOf(value: Json | undefined): Scalar | undefined {
  if (isKeptNumber(value)) return numberOf(value.spelling)
  return typeof value === 'object' && value !== null ? undefined : value
}

/** Integers beyond what a double holds exactly are a bigint. */
function numberOf(spelling: string): number | bigint {
  const number = Number(spelling)
  if (!Number.isInteger(number) || Number.isSafeInteger(number)) return number
  return BigInt(/^-?\d+$/.test(spelling) ? spelling : number)
}
