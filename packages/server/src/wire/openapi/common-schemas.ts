import { type JsonSchema, listOf, record } from './json-schema.ts'

const text = { type: 'string' }

/** The schemas that are the same in every version, by name. */
export const commonSchemas = {
  Error: record({ title: text, description: text, link: { type: 'object' } }, ['description', 'link']),
  Unauthorized: record({ error: record({ code: { const: 401 }, title: text, message: text }) }),
  KeystoneUnavailable: record({ message: text, code: text, title: text }),
  HomeDocument: { type: 'object', required: ['resources'] },
  Versions: record({ versions: listOf({ type: 'object', required: ['id', 'status', 'links'] }) }),
} as const satisfies Record<string, JsonSchema>
