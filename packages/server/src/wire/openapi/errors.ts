import { type ErrorCode, errorTable, ZaqarError } from '../../core/errors.ts'
import type { QueueKind } from '../../model/model.ts'
import { toWireError } from '../errors.ts'
import { type JsonSchema, ref } from './json-schema.ts'
import type { DescribedVersion } from './types.ts'

/** An error as clients see it. `{name}` in the description stands for a value that depends on the request. */
export interface DescribedError {
  readonly name: string
  readonly status: number
  readonly title: string
  readonly description?: string
}

/** What any request of a version may be answered, whatever it asks for. (contract http.md 1.2) */
export function commonErrors({ needsProject }: DescribedVersion['callers']): DescribedError[] {
  return [
    describe('malformed-client-id', 400, 'Wrong UUID value', 'Malformed hexadecimal UUID.'),
    ...(needsProject ? [MISSING_PROJECT] : []),
    describe(
      'empty-project',
      400,
      'Empty project header not allowed',
      'Empty project header not allowed: X-PROJECT-ID',
    ),
    ...headlessErrors,
    describedCode('policy.denied'),
    // Where projects are held to a rate.
    describedCode('rate.requests'),
    // A signed URL that does not verify.
    { name: 'not-there', status: 404, title: '404 Not Found' },
    describedCode('storage.unavailable'),
  ]
}

/** The errors of requests whose headers need not say who calls. */
export const headlessErrors: readonly DescribedError[] = [
  describe(
    'form',
    400,
    'Invalid Content-Type',
    'Endpoint does not accept `application/x-www-form-urlencoded` content.',
  ),
  describe('not-acceptable', 406, '406 Not Acceptable', 'Only application/json can be made here.'),
]

export const missingClientId = describe(
  'missing-client-id',
  400,
  'Missing header value',
  'The "Client-ID" header is required.',
)

const MISSING_PROJECT = describe('missing-project', 400, 'Project-Id Missing', 'The header X-PROJECT-ID was missing')

export const malformedQuery = describe(
  'malformed-query',
  400,
  'Invalid parameter',
  'The "{name}" parameter is invalid. The value must be an integer.',
)

export const malformedBody = describe(
  'malformed-body',
  400,
  'Invalid request body',
  'Request body could not be parsed.',
)

/** The error of a path with a wrong name of a queue or a topic. (contract http.md 1.5) */
export function malformedName(kind: QueueKind): DescribedError {
  return { ...describedCode(`${kind}.malformed_name`), name: 'malformed-name' }
}

function describe(name: string, status: number, title: string, description: string): DescribedError {
  return { name, status, title, description }
}

/** An error of an operation, from the table of errors. */
export function describedCode(code: ErrorCode): DescribedError {
  const names = [...errorTable[code].message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const { status, title, message } = toWireError(new ZaqarError(code, asPlaceholders(names)))
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
  503: 'The storage cannot be reached, or the project sends too much. The same request may succeed in a few seconds.',
}

/** Responses by status. */
export function errorResponses(errors: readonly DescribedError[]): Record<string, JsonSchema> {
  const byStatus = Map.groupBy(errors, (error) => error.status)
  return Object.fromEntries([...byStatus].map(([status, same]) => [status, errorResponse(status, same)]))
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

export const unauthorized: JsonSchema = {
  description: 'Only where Keystone is used: no token, or not a valid one.',
  content: { 'application/json': { schema: ref('Unauthorized') } },
}
