import type { JsonSchema } from './json-schema.ts'

/**
 * The schema that a door reads with, and over it what its description adds. Both are plain JSON afterwards.
 * @throws when the description speaks of a field that nobody reads.
 */
export function overlay(read: JsonSchema, said: JsonSchema): JsonSchema {
  const merged: Record<string, unknown> = { ...read }
  for (const [key, value] of Object.entries(said)) {
    const below = read[key]
    merged[key] = key !== 'default' && isSchema(below) && isSchema(value) ? overlayPart(key, below, value) : value
  }
  return merged
}

function overlayPart(key: string, read: JsonSchema, said: JsonSchema): JsonSchema {
  if (key === 'properties') {
    const strange = Object.keys(said).find((name) => !Object.hasOwn(read, name))
    if (strange !== undefined) throw new Error(`the description of a body speaks of "${strange}", which is not read`)
  }
  return overlay(read, said)
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
