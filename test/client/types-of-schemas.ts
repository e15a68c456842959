import type { Schema } from '../../packages/server/test/openapi/document.ts'

/** The type of TypeScript that a schema stands for, as its source. The schema has nothing that points elsewhere. */
export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return unionOf(schema.enum.map((value: unknown) => JSON.stringify(value)))
  if (schema.anyOf !== undefined) return unionOf(schema.anyOf.map(typeOf))
  if (schema.type === undefined) return 'unknown'
  return unionOf([schema.type].flat().map((type: string) => typeOfOne(type, schema)))
}

function typeOfOne(type: string, schema: Schema): string {
  if (type === 'integer') return 'number'
  if (type === 'array') return `readonly ${typeOf(schema.items)}[]`
  if (type !== 'object') return type
  const { properties, required = [], additionalProperties } = schema
  if (properties === undefined) return `Readonly<Record<string, ${typeOf(additionalProperties ?? {})}>>`
  const members = Object.entries<Schema>(properties).map(
    ([name, member]) => `readonly ${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(member)}`,
  )
  if (additionalProperties) members.push('readonly [name: string]: unknown')
  return `{ ${members.join('; ')} }`
}

function unionOf(types: readonly string[]): string {
  return types.length === 1 ? (types[0] as string) : `(${types.join(' | ')})`
}
