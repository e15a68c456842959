/** JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = Readonly<Record<string, unknown>>

export function between(minimum: number, maximum: number): JsonSchema {
  return { minimum, maximum }
}

/** Points at a schema by its name. Where each version has its own, that of the version described is meant. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

/** An object with these properties and no others. Only those that are `optional` may be absent. */
export function record(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema & RecordParts {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

/** The parts of the schema of an object. */
export interface RecordParts {
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

/** The schema of an object with further properties, all of them required. */
export function withProperties(schema: JsonSchema, more: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const { properties, required = [] } = schema as unknown as RecordParts
  return { ...schema, properties: { ...properties, ...more }, required: [...required, ...Object.keys(more)] }
}

/** The same without some of its properties. */
export function withoutProperties(schema: JsonSchema, names: readonly string[]): JsonSchema {
  const { properties, required } = schema as unknown as RecordParts
  const kept = Object.entries(properties).filter(([name]) => !names.includes(name))
  return {
    ...schema,
    properties: Object.fromEntries(kept),
    ...(required && { required: required.filter((name) => !names.includes(name)) }),
  }
}
