import type { Limits } from '../../core/rules/limits.ts'
import {
  commonErrors,
  type DescribedError,
  describedCode,
  errorResponses,
  malformedBody,
  malformedName,
  malformedQuery,
  missingClientId,
  unauthorized,
} from './errors.ts'
import type { JsonSchema } from './json-schema.ts'
import { overlay } from './overlay.ts'
import { callerRefs, headerParameter, pathParameter, queryParameter } from './parameters.ts'
import type {
  AnswerDoc,
  DescribedDoor,
  DescribedVersion,
  DocContext,
  DoorDoc,
  Example,
  OpenApiOperation,
  Paths,
} from './types.ts'

/** How the document names a version: `v1.1`. */
export function labelOf({ prefix }: Pick<DescribedVersion, 'prefix'>): string {
  return prefix.slice(1)
}

export function deprecation({ entry }: Pick<DescribedVersion, 'entry'>): { readonly deprecated?: true } {
  return entry.status === 'DEPRECATED' ? { deprecated: true } : {}
}

/** The doors of a version. */
export function versionPaths(version: DescribedVersion, limits: Limits): Paths {
  const { prefix, doors } = version
  const described = doors.map((door) => {
    const kind = door.operation.kind ?? 'queue'
    const home = `${prefix}/${kind === 'queue' ? 'queues/jobs' : 'topics/news'}`
    return { door, doc: door.describe({ limits, kind, home, prefix } satisfies DocContext) }
  })
  const paths = Map.groupBy(described, ({ door }) => `${prefix}${door.path.replaceAll(/:(\w+)/g, '{$1}')}`)
  return Object.fromEntries([...paths].map(([path, one]) => [path, byMethod(one, version)]))
}

interface Described {
  readonly door: DescribedDoor
  readonly doc: DoorDoc
}

function byMethod(described: readonly Described[], version: DescribedVersion): Record<string, OpenApiOperation> {
  const methods = Map.groupBy(described, ({ door }) => door.method)
  return Object.fromEntries([...methods].map(([method, doors]) => [method.toLowerCase(), operation(doors, version)]))
}

/**
 * To OpenAPI, doors that share a method and a path are one operation. The door that answers whatever is asked gives the
 * name.
 */
function operation(doors: readonly Described[], version: DescribedVersion): OpenApiOperation {
  const { door, doc } = doors.find(({ door }) => door.when === undefined && !door.answersEvents) as Described
  const { summary, description } = doors.map((one) => one.doc).find((one) => one.description) ?? doc
  const label = labelOf(version)
  const examples = doors.flatMap(({ door, doc }) => examplesOf(door, doc))
  return {
    operationId: `${label}.${nameOf(door)}`,
    tags: [`${label} ${doc.tag ?? tagOf(door)}`],
    ...deprecation(version),
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: parametersOf(doors, version),
    ...(doc.body === undefined ? {} : { requestBody: requestBody(door, doc, examples) }),
    responses: {
      ...errorResponses([...commonErrors(version.callers), ...doors.flatMap((one) => errorsOf(one, version))]),
      401: unauthorized,
      ...answersOf(doors, examples),
    },
    security: [{}, { token: [] }, { signedUrl: [] }],
    'x-examples': examples,
  }
}

/** The name of an operation within its version. */
function nameOf({ method, operation: { name, kind = 'queue' } }: DescribedDoor): string {
  const whole = kind === 'topic' && !name.startsWith('topics.') ? `topics.${name}` : name
  return method === 'HEAD' ? `${whole}.head` : whole
}

function tagOf({ operation: { name, kind = 'queue' } }: DescribedDoor): string {
  return kind === 'topic' ? 'topics' : (name.split('.')[0] as string)
}

/** Whether each of the doors needs the id of a client. */
function needsClientId(doors: readonly Described[], { callers }: DescribedVersion): boolean {
  return callers.needsClientId || doors.every(({ doc }) => doc.needsClientId)
}

function examplesOf({ method }: DescribedDoor, { examples }: DoorDoc): Example[] {
  return examples.map((one) => ({ ...one, request: { method, ...one.request } }))
}

function parametersOf(doors: readonly Described[], version: DescribedVersion): JsonSchema[] {
  const [{ door }] = doors as [Described]
  const inPath = [...door.path.matchAll(/:(\w+)/g)].map(([, name]) => pathParameter(name as string))
  const query = new Map<string, JsonSchema>()
  for (const { door, doc } of doors) {
    for (const [name, said] of Object.entries(doc.query ?? {})) {
      const read = door.query?.[name]
      // A topic reads less than its description says.
      if (read !== undefined) query.set(name, queryParameter(name, overlay(read as JsonSchema, said)))
    }
  }
  const headers = doors.flatMap(({ doc }) => Object.entries(doc.headers ?? {}))
  return [
    ...inPath,
    ...callerRefs({ ...version.callers, needsClientId: needsClientId(doors, version) }),
    ...query.values(),
    ...headers.map(([name, schema]) => headerParameter(name, schema)),
  ]
}

function requestBody(door: DescribedDoor, { body }: DoorDoc, examples: readonly Example[]): JsonSchema {
  const { required, type = 'application/json', schema } = body as NonNullable<DoorDoc['body']>
  const whole = door.body === undefined ? schema : overlay(door.body as JsonSchema, schema)
  const named = examples.filter(({ request }) => request.body !== undefined)
  const values = Object.fromEntries(named.map(({ name, request }) => [name, { value: request.body }]))
  return { required, content: { [type]: { schema: whole, examples: values } } }
}

function answersOf(doors: readonly Described[], examples: readonly Example[]): Record<string, JsonSchema> {
  const answers = doors.flatMap(({ doc }) => Object.entries(doc.answers))
  const byStatus = Map.groupBy(answers, ([status]) => status)
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => {
      const shown = examples.filter(({ answer }) => String(answer.status) === status && answer.body !== undefined)
      return [
        status,
        response(
          same.map(([, answer]) => answer),
          shown,
        ),
      ]
    }),
  )
}

function response(answers: readonly AnswerDoc[], examples: readonly Example[]): JsonSchema {
  const byType = Map.groupBy(
    answers.filter(({ schema }) => schema !== undefined),
    ({ type = JSON_TYPE }) => type,
  )
  const headers = answers.flatMap(({ headers = [] }) => headers)
  return {
    description: [...new Set(answers.map(({ description }) => description))].join(' '),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers.map((name) => [name, PATH_HEADER])) }),
    ...(byType.size === 0
      ? {}
      : { content: Object.fromEntries([...byType].map(([type, same]) => [type, content(type, same, examples)])) }),
  }
}

function content(type: string, answers: readonly AnswerDoc[], examples: readonly Example[]): JsonSchema {
  const schemas = answers.map(({ schema }) => schema)
  const shown = examples.filter(({ answer: { headers } }) => (headers?.['Content-Type'] ?? JSON_TYPE) === type)
  return {
    schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas },
    examples: Object.fromEntries(shown.map(({ name, answer }) => [name, { value: answer.body }])),
  }
}

const JSON_TYPE = 'application/json'
const PATH_HEADER = { required: true, schema: { type: 'string' } }

function errorsOf({ door, doc }: Described, { callers }: DescribedVersion): DescribedError[] {
  const { errors = [], refusals = [], needsClientId = callers.needsClientId } = doc
  return [
    ...(needsClientId ? [missingClientId] : []),
    ...(door.path.includes(':queue') ? [malformedName(door.operation.kind ?? 'queue')] : []),
    ...(door.query === undefined ? [] : [malformedQuery]),
    ...(doc.body === undefined ? [] : [malformedBody]),
    ...errors.map(describedCode),
    ...refusals.map(({ status, title, description }) => ({ name: `refused-${status}`, status, title, description })),
  ]
}
