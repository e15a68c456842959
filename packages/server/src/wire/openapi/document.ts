import type { Limits } from '../../core/rules/limits.ts'
import type { AnyDoor } from '../door.ts'
import type { ApiVersion } from '../versions.ts'
import type { AnswerDoc, DocContext, DoorDoc, ExampleDoc, JsonSchema } from './door-doc.ts'
import { type DescribedError, describedCode, errorResponses } from './errors.ts'
import { overlay } from './overlay.ts'
import { ownPaths } from './own-paths.ts'
import { callerParameters, callerRefs, headerParameter, pathParameter, queryParameter } from './parameters.ts'
import { schemas } from './v2/schemas.ts'

/** An OpenAPI 3.1 document, as JSON. */
export interface OpenApi {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>
}

export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly JsonSchema[]
  readonly requestBody?: JsonSchema
  readonly responses: Readonly<Record<string, JsonSchema>>
  readonly security?: readonly JsonSchema[]
  /** Whole requests with their answers, which OpenAPI has no place for. */
  readonly 'x-examples': readonly Example[]
}

export type Example = ExampleDoc & { readonly request: { readonly method: string } }

/** Describes the doors of a version that say what they are. */
export function openApi({ prefix, entry, doors }: ApiVersion, limits: Limits): OpenApi {
  const described = doors.flatMap((door) => {
    const kind = door.operation.kind ?? 'queue'
    const home = `${prefix}/${kind === 'queue' ? 'queues/jobs' : 'topics/news'}`
    const doc = door.describe?.({ limits, kind, home, prefix } satisfies DocContext)
    return doc === undefined ? [] : [{ door, doc }]
  })
  const paths = Map.groupBy(described, ({ door }) => `${prefix}${door.path.replaceAll(/:(\w+)/g, '{$1}')}`)
  return {
    openapi: '3.1.0',
    info: { title: 'Zaqar', version: entry.id, description: ABOUT },
    tags: TAGS,
    paths: {
      ...ownPaths(prefix),
      ...Object.fromEntries([...paths].map(([path, one]) => [path, byMethod(one)])),
    },
    components: { schemas, parameters: callerParameters, securitySchemes: SECURITY },
  }
}

interface Described {
  readonly door: AnyDoor
  readonly doc: DoorDoc
}

function byMethod(described: readonly Described[]): Record<string, OpenApiOperation> {
  const methods = Map.groupBy(described, ({ door }) => door.method)
  return Object.fromEntries([...methods].map(([method, doors]) => [method.toLowerCase(), operation(doors)]))
}

/** Doors that share method and path are one operation to OpenAPI; the one that asks nothing of the query gives the name. */
function operation(doors: readonly Described[]): OpenApiOperation {
  const { door, doc } = doors.find(({ door }) => door.when === undefined) as Described
  const { summary, description } = doors.map((one) => one.doc).find((one) => one.description) ?? doc
  const { name, kind = 'queue' } = door.operation
  const isOfTopic = kind === 'topic' && !name.startsWith('topics.')
  const examples = doors.flatMap(({ door, doc }) => examplesOf(door, doc))
  return {
    operationId: isOfTopic ? `topics.${name}` : name,
    tags: [doc.tag ?? (kind === 'topic' ? 'topics' : (name.split('.')[0] as string))],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: parametersOf(doors),
    ...(doc.body === undefined ? {} : { requestBody: requestBody(door, doc, examples) }),
    responses: { ...answersOf(doors, examples), ...errorResponses(doors.flatMap(({ doc }) => errorsOf(doc))) },
    security: [{}, { token: [] }, { signedUrl: [] }],
    'x-examples': examples,
  }
}

function examplesOf({ method }: AnyDoor, { examples }: DoorDoc): Example[] {
  return examples.map((one) => ({ ...one, request: { method, ...one.request } }))
}

function parametersOf(doors: readonly Described[]): JsonSchema[] {
  const [{ door }] = doors as [Described]
  const inPath = [...door.path.matchAll(/:(\w+)/g)].map(([, name]) => pathParameter(name as string))
  const query = new Map<string, JsonSchema>()
  for (const { door, doc } of doors) {
    for (const [name, said] of Object.entries(doc.query ?? {})) {
      const read = door.query?.[name]
      // What topics have no use for.
      if (read !== undefined) query.set(name, queryParameter(name, overlay(read as JsonSchema, said)))
    }
  }
  const headers = doors.flatMap(({ doc }) => Object.entries(doc.headers ?? {}))
  return [
    ...inPath,
    ...callerRefs,
    ...query.values(),
    ...headers.map(([name, schema]) => headerParameter(name, schema)),
  ]
}

function requestBody(door: AnyDoor, { body }: DoorDoc, examples: readonly Example[]): JsonSchema {
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
  const schemas = answers.flatMap(({ schema }) => schema ?? [])
  const values = Object.fromEntries(examples.map(({ name, answer }) => [name, { value: answer.body }]))
  const headers = answers.flatMap(({ headers = [] }) => headers)
  return {
    description: answers.map(({ description }) => description).join(' '),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers.map((name) => [name, PATH_HEADER])) }),
    ...(schemas.length === 0
      ? {}
      : {
          content: {
            'application/json': { schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas }, examples: values },
          },
        }),
  }
}

const PATH_HEADER = { required: true, schema: { type: 'string' } }

function errorsOf({ errors = [], refusals = [] }: DoorDoc): DescribedError[] {
  return [
    ...errors.map(describedCode),
    ...refusals.map(({ status, title, description }) => ({ name: `refused-${status}`, status, title, description })),
  ]
}

const ABOUT = `Queues and notifications for many projects, in the API of OpenStack Zaqar.

Every request names its client and its project. Times are seconds, ids and markers are opaque, fields that are not \
described are dropped unless it says otherwise.

An error has a \`title\` and mostly a \`description\`. A method that a path does not have is answered 405, with the methods \
in \`Allow\`; a path that does not exist 404. Every answer carries \`X-OpenStack-Request-ID\`.

What is called an addition of this service, the original has not. Requests that do not use it are answered as by the \
original.`

const TAGS = [
  { name: 'queues', description: 'Messages wait in queues, which come into being when they are used.' },
  { name: 'messages', description: 'Any JSON, with a time to live.' },
  { name: 'claims', description: 'Messages that one worker holds for a while.' },
  { name: 'subscriptions', description: 'Who is told of new messages.' },
  { name: 'topics', description: 'Like queues, for messages that nobody claims.' },
  { name: 'pools', description: 'Stores over which queues are spread. For operators.' },
  { name: 'flavors', description: 'Pools of one kind, for queues that ask for it. For operators.' },
  { name: 'service', description: 'The service itself.' },
]

const SECURITY = {
  token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'Where Keystone is used.' },
  signedUrl: {
    type: 'apiKey',
    in: 'header',
    name: 'URL-Signature',
    description: 'With URL-Paths, URL-Methods, URL-Expires and X-Project-ID, as `share` answers them.',
  },
}
