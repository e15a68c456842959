/**
 * TypeBox's way to write JSON Schema, whose types it has: but its code are 373 files for what is done here, a fifth of the
 * time of a start.
 */
import type { TSchema, Type as TypeBox } from 'typebox'

type Built =
  | 'Array'
  | 'Boolean'
  | 'Integer'
  | 'IsOptional'
  | 'Object'
  | 'Omit'
  | 'Optional'
  | 'Partial'
  | 'String'
  | 'Unknown'
  | 'Unsafe'
type Schemas = Readonly<Record<string, TSchema>>

/** Marks a schema whose field may be missing; no JSON shows it. */
const OPTIONAL = '~optional'

function object(properties: Schemas, options: object = {}) {
  const required = Object.keys(properties).filter((name) => !isOptional(properties[name]))
  return { type: 'object', ...(required.length > 0 && { required }), properties, ...options }
}

function optional(schema: TSchema): TSchema {
  return Object.defineProperty({ ...schema }, OPTIONAL, { value: true })
}

function isOptional(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && OPTIONAL in schema
}

function partial({ properties }: { readonly properties: Schemas }) {
  return object(Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, optional(schema)])))
}

function omit({ properties }: { readonly properties: Schemas }, names: readonly string[]) {
  return object(Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))))
}

export const Type = {
  Array: (items: TSchema, options?: object) => ({ type: 'array', items, ...options }),
  Boolean: (options?: object) => ({ type: 'boolean', ...options }),
  Integer: (options?: object) => ({ type: 'integer', ...options }),
  IsOptional: isOptional,
  Object: object,
  Omit: omit,
  Optional: optional,
  Partial: partial,
  String: (options?: object) => ({ type: 'string', ...options }),
  Unknown: (options?: object) => ({ ...options }),
  Unsafe: (schema: TSchema) => ({ ...schema }),
} as unknown as Pick<typeof TypeBox, Built>
