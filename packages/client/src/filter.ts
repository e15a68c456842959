import type { Metadata } from './documents.ts'
import { BadRequest } from './errors.ts'

/** Whether a body is wanted. */
export type Filter = (body: unknown) => boolean
type Test = (value: unknown) => boolean

/**
 * The `_filter` of a subscription (`docs/notifications.md` of the service), for ways on which the service does not
 * filter. Its limits are not looked at. @throws BadRequest where it is none
 */
export function compileFilter(filter: Metadata): Filter {
  if (!isObject(filter)) throw invalid('It must be an object.')
  const matches = fieldsOf(filter)
  const isEmpty = Object.keys(filter).length === 0
  return (body) => (isObject(body) ? matches(body) : isEmpty)
}

function fieldsOf(filter: Metadata): Test {
  const fields = Object.entries(filter).map(([name, wanted]) => [name, fieldOf(wanted)] as const)
  return ofAny((value) =>
    fields.every(([name, test]) => test(isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined)),
  )
}

function fieldOf(wanted: unknown): Test {
  if (isObject(wanted) && Object.keys(wanted).length > 0) return fieldsOf(wanted)
  if (!Array.isArray(wanted) || wanted.length === 0) {
    throw invalid('Below a field stands a list of conditions, or an object, which is not empty.')
  }
  const presences = wanted.filter(isExists).map(({ exists }) => exists)
  const tests = wanted.filter((condition) => !isExists(condition)).map(conditionOf)
  const holds = ofAny((value) => isScalar(value) && tests.some((test) => test(value)))
  return (value) => presences.includes(value !== undefined) || holds(value)
}

function conditionOf(condition: unknown): Test {
  if (isScalar(condition)) return (value) => value === condition
  const [[name, wanted] = [], ...others] = isObject(condition) ? Object.entries(condition) : []
  if (others.length === 0) {
    if (name === 'prefix' && typeof wanted === 'string') {
      return (value) => typeof value === 'string' && value.startsWith(wanted)
    }
    const list = Array.isArray(wanted) ? wanted : [wanted]
    if (name === 'anything-but' && list.length > 0 && list.every(isScalar)) return (value) => !list.includes(value)
    if (name === 'numeric' && isRange(wanted)) {
      return (value) =>
        typeof value === 'number' && holdsIn(wanted.slice(0, 2), value) && holdsIn(wanted.slice(2), value)
    }
  }
  throw invalid('A condition is a text, a number, a boolean, null, or one of prefix, numeric, anything-but and exists.')
}

const OPERATORS: readonly unknown[] = ['=', '<', '<=', '>', '>=']

function isRange(wanted: unknown): wanted is unknown[] {
  if (!Array.isArray(wanted) || (wanted.length !== 2 && wanted.length !== 4)) return false
  return wanted.every((part, i) => (i % 2 === 0 ? OPERATORS.includes(part) : typeof part === 'number'))
}

function holdsIn([operator, bound = 0]: unknown[], value: number): boolean {
  const limit = bound as number
  if (operator === undefined) return true
  if (value === limit) return String(operator).includes('=')
  return value < limit ? String(operator).startsWith('<') : String(operator).startsWith('>')
}

/** Of an array whether any element passes, of anything else whether it does. */
function ofAny(test: Test): Test {
  const any: Test = (value) => (Array.isArray(value) ? value.some(any) : test(value))
  return any
}

function isExists(condition: unknown): condition is { exists: boolean } {
  return isObject(condition) && Object.keys(condition).length === 1 && typeof condition['exists'] === 'boolean'
}

function isObject(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function invalid(how: string): BadRequest {
  return new BadRequest('bad_request', `The filter is none. ${how}`)
}
