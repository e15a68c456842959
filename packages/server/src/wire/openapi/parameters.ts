import { QUEUE_NAME } from '../../core/rules/names.ts'
import type { JsonSchema } from './json-schema.ts'
import type { DescribedVersion } from './types.ts'

/** The client of the examples. */
export const EXAMPLE_CLIENT = '3381af92-2b9e-11e3-b191-71861300734c'
const EXAMPLE_PROJECT = 'p1'

const clientId = {
  name: 'Client-ID',
  in: 'header',
  required: true,
  description: 'A UUID, which identifies one instance of a client: it is not shown the messages that it posted itself.',
  schema: { type: 'string' },
  example: EXAMPLE_CLIENT,
}
const projectId = {
  name: 'X-Project-Id',
  in: 'header',
  required: true,
  description: 'Where Keystone is used, the project of the token takes its place.',
  schema: { type: 'string', minLength: 1, maxLength: 256 },
  example: EXAMPLE_PROJECT,
}

/** What requests say of their caller, by name. (contract http.md 1.3, 1.4) */
export const callerParameters = {
  ClientId: clientId,
  OptionalClientId: { ...clientId, required: false },
  ProjectId: projectId,
  OptionalProjectId: {
    ...projectId,
    required: false,
    description: 'All requests without it share one project.',
  },
}

/** Those of them that an operation has. */
export function callerRefs({ needsClientId, needsProject }: DescribedVersion['callers']): JsonSchema[] {
  const names = [needsClientId ? 'ClientId' : 'OptionalClientId', needsProject ? 'ProjectId' : 'OptionalProjectId']
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }))
}

const opaque = { type: 'string', minLength: 1, description: 'Opaque.' }
const queueName = { type: 'string', pattern: QUEUE_NAME.source }
const poolName = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[^/\\u0000-\\u001f\\ud800-\\udfff]*$' }

const schemaOf: Readonly<Record<string, JsonSchema>> = {
  queue: queueName,
  message: opaque,
  claim: opaque,
  subscription: opaque,
  pool: poolName,
  flavor: poolName,
}

/** The parameter for a `:name` in the path of a door. */
export function pathParameter(name: string): JsonSchema {
  return { name, in: 'path', required: true, schema: schemaOf[name] ?? opaque }
}

/** A parameter of a query. Lists are of one value, with commas. */
export function queryParameter(name: string, schema: JsonSchema): JsonSchema {
  const { description, required = false, ...rest } = schema
  const form = rest['type'] === 'array' ? { style: 'form', explode: false } : {}
  return { name, in: 'query', required, description, ...form, schema: rest }
}

export function headerParameter(name: string, schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema
  return { name, in: 'header', description, schema: rest }
}
