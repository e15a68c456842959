import { type ErrorCode, errorTable, ZaqarError } from '../../core/errors.ts'
import { toRefusal } from '../errors.ts'
import { type JsonSchema, ref } from './door-doc.ts'

/** An error as clients see it; `{name}` in the description stands for what is known only then. */
export interface DescribedError {
  readonly name: string
  readonly status: number
  readonly title: string
  readonly description?: string
}

/** What any request may be answered, whatever it asks for. (contract http.md 1.2) */
const commonErrors: readonly DescribedError[] = [
  describe('missing-client-id', 400, 'Missing header value', 'The "Client-ID" header is required.'),
  describe('malformed-client-id', 400, 'Wrong UUID value', 'Malformed hexadecimal UUID.'),
  describe('missing-project', 400, 'Project-Id Missing', 'The header X-PROJECT-ID was missing'),
  describe(
    'malformed-query',
    400,
    'Invalid parameter',
    'The "{name}" parameter is invalid. The value must be an integer.',
  ),
  describe('malformed-body', 400, 'Invalid request body', 'Request body could not be parsed.'),
  describedCode('policy.denied'),
  // A signed URL that does not verify.
  { name: 'not-there', status: 404, title: '404 Not Found' },
  describe('not-acceptable', 406, '406 Not Acceptable', 'Only application/json can be made here.'),
  describedCode('storage.unavailable'),
]

function describe(name: string, status: number, title: string, description: string): DescribedError {
  return { name, status, title, description }
}

/** The row of the table of errors. */
export function describedCode(code: ErrorCode): DescribedError {
  const names = [...errorTable[code].message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const { status, title, message } = toRefusal(new ZaqarError(code, asPlaceholders(names)))
  return { name: code, status, title, description: message }
}

function asPlaceholders(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `{${name}}`]))
}

const meanings: Readonly<Record<number, string>> = {
  400: 'The request is wrong: a header, a parameter, the body, or what they ask for.',
  403: 'The caller may not do this, or not now.',
  404: 'It does not exist, or the signature of the URL is not valid.',
  406: 'The client takes no `application/json`; this answer is in XML where it takes that, else empty.',
  409: 'It contradicts what is there.',
  415: 'The body has another type than the one wanted.',
  503: 'The storage cannot be reached. The same request may succeed in a few seconds.',
}

/** The responses of an operation that are errors, by status. */
export function errorResponses(own: readonly DescribedError[]): Record<string, JsonSchema> {
  const byStatus = Map.groupBy([...commonErrors, ...own], (error) => error.status)
  const responses = [...byStatus].map(([status, errors]) => [status, errorResponse(status, errors)])
  return { ...Object.fromEntries(responses), 401: UNAUTHORIZED }
}

function errorResponse(status: number, errors: readonly DescribedError[]): JsonSchema {
  const examples = errors.map(({ name, title, description }) => [
    name,
    { value: description === undefined ? { title } : { title, description } },
  ])
  // While Keystone is away its middleware answers in words of its own.
  const schema = status === 503 ? { anyOf: [ref('Error'), ref('KeystoneUnavailable')] } : ref('Error')
  return {
    description: meanings[status] as string,
    content: { 'application/json': { schema, examples: Object.fromEntries(examples) } },
  }
}

const UNAUTHORIZED: JsonSchema = {
  description: 'Only where Keystone is used: no token, or not a valid one.',
  content: { 'application/json': { schema: ref('Unauthorized') } },
}
