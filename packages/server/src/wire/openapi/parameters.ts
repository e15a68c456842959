import type { JsonSchema } from './door-doc.ts'

/** The client of the examples. */
const EXAMPLE_CLIENT = '3381af92-2b9e-11e3-b191-71861300734c'
const EXAMPLE_PROJECT = 'p1'

/** What every request of a version says of its caller. (contract http.md 1.3, 1.4) */
export const callerParameters = {
  ClientId: {
    name: 'Client-ID',
    in: 'header',
    required: true,
    description: 'Identifies one instance of a client: it is not shown the messages that it posted itself.',
    schema: { type: 'string' },
    example: EXAMPLE_CLIENT,
  },
  ProjectId: {
    name: 'X-Project-Id',
    in: 'header',
    required: true,
    description: 'Where Keystone is used, the project of the token takes its place.',
    schema: { type: 'string', minLength: 1, maxLength: 256 },
    example: EXAMPLE_PROJECT,
  },
} as const

export const callerRefs: readonly JsonSchema[] = Object.keys(callerParameters).map((name) => ({
  $ref: `#/components/parameters/${name}`,
}))

const opaque = { type: 'string', minLength: 1, description: 'Opaque.' }
const queueName = { type: 'string', pattern: '^[a-zA-Z0-9_.-]{1,64}$' }
const catalogueName = { type: 'string', minLength: 1, pattern: '^[^/\\u0000-\\u001f]*$' }

const schemaOf: Readonly<Record<string, JsonSchema>> = {
  queue: queueName,
  message: opaque,
  claim: opaque,
  subscription: opaque,
  pool: catalogueName,
  flavor: catalogueName,
}

/** A `:name` of a door's path. */
export function pathParameter(name: string): JsonSchema {
  return { name, in: 'path', required: true, schema: schemaOf[name] ?? opaque }
}

/** A parameter of a query. Lists are of one value, with commas. */
export function queryParameter(name: string, schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema
  const form = rest['type'] === 'array' ? { style: 'form', explode: false } : {}
  return { name, in: 'query', description, ...form, schema: rest }
}

export function headerParameter(name: string, schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema
  return { name, in: 'header', description, schema: rest }
}
