import fc, { type Arbitrary } from 'fast-check'
import type { Schema } from './document.ts'

/** Values that fit a schema of the document. */
export function fitting(schema: Schema): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fitting))
  // What a pattern cannot tell, such as a URI that is supported.
  if (schema.examples !== undefined) return fc.constantFrom(...schema.examples)
  const types = [schema.type ?? 'anything'].flat() as (keyof typeof byType)[]
  return fc.oneof(...types.map((type) => byType[type](schema)))
}

const anyText = fc.string({ unit: 'grapheme' })

/** Without numbers that JavaScript spells as integers of more than 64 bits: those are refused, which no schema says. */
const anyJson = fc
  .jsonValue({ stringUnit: 'grapheme' })
  .map((value) => JSON.parse(JSON.stringify(value), (_key, it) => (isLongInteger(it) ? 0 : it)))

function isLongInteger(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) >= 2 ** 63 && Math.abs(value) < 1e21
}

const byType = {
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  integer: ({ minimum, maximum }: Schema) => fc.integer({ min: minimum, max: maximum }),
  string: ({ pattern, minLength = 0, maxLength = 1000 }: Schema) =>
    (pattern === undefined
      ? fc.string({ unit: 'grapheme', minLength })
      : fc.stringMatching(new RegExp(pattern))
    ).filter((text) => text.length >= minLength && text.length <= maxLength),
  array: ({ items, minItems, maxItems }: Schema) =>
    fc.array(fitting(items), { minLength: minItems, maxLength: Math.min(maxItems ?? 5, 5) }),
  object: objects,
  anything: () => anyJson,
}

function objects({ properties = {}, required = [], minProperties = 0, additionalProperties }: Schema) {
  const known = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, fitting(one)]))
  const some = fc.record(known, { requiredKeys: required }).filter((one) => Object.keys(one).length >= minProperties)
  if (additionalProperties === false) return some
  // Names that begin with `_` are reserved.
  const others = fc.dictionary(
    anyText.filter((name) => !name.startsWith('_') && !Object.hasOwn(properties, name)),
    anyJson,
    { maxKeys: 3 },
  )
  return fc.tuple(others, some).map(([more, one]) => ({ ...more, ...one }))
}

/**
 * Values that break one rule of a schema each. What counts as nothing to Python (null, empty, 0) is not among them: the
 * API takes it for absent in places.
 */
export function breaking(schema: Schema): Arbitrary<unknown>[] {
  if (schema.enum !== undefined) return [fc.constant('no such thing'), fc.constant({ a: 1 })]
  if (schema.anyOf !== undefined) return [fc.constant('text'), fc.constant({ a: 1 })]
  const types = [schema.type ?? []].flat() as string[]
  const wrongTypes = wrong.filter(({ type }) => !types.includes(type)).map(({ value }) => value)
  return types.length === 0 ? [] : [...wrongTypes, ...types.flatMap((type) => breakingByType[type]?.(schema) ?? [])]
}

/** No booleans: they count as the numbers 0 and 1. */
const wrong = [
  { type: 'string', value: fc.constant('text') },
  { type: 'integer', value: fc.integer({ min: 1 }) },
  { type: 'array', value: fc.constant([[1]]) },
  { type: 'object', value: fc.constant({ a: 1 }) },
]

const breakingByType: Record<string, (schema: Schema) => Arbitrary<unknown>[]> = {
  integer: ({ minimum, maximum }) => [
    fc.constantFrom(1.5, -0.5),
    ...(minimum === undefined ? [] : [fc.integer({ min: -(2 ** 53) + 1, max: minimum - 1 })]),
    ...(maximum === undefined ? [] : [fc.integer({ min: maximum + 1, max: 2 ** 53 - 1 }), fc.constant(1e300)]),
  ],
  string: ({ maxLength }) => (maxLength === undefined ? [] : [fc.constant('x'.repeat(maxLength + 1))]),
  array: ({ items, minItems = 0, maxItems }) => [
    ...(minItems > 0 ? [fc.constant([])] : []),
    ...(maxItems === undefined ? [] : [fc.constant(Array(maxItems + 1).fill('x'))]),
    ...breaking(items).map((bad) => bad.map((value) => [value])),
  ],
  object: breakingObjects,
}

function breakingObjects(schema: Schema): Arbitrary<unknown>[] {
  const { properties = {}, required = [], additionalProperties } = schema
  const good = fitting(schema) as Arbitrary<Record<string, unknown>>
  const without = required.map((name: string) => good.map(({ [name]: _gone, ...rest }) => rest))
  const withBad = Object.entries(properties).flatMap(([name, one]) =>
    breaking(one).map((bad) => fc.tuple(good, bad).map(([whole, value]) => ({ ...whole, [name]: value }))),
  )
  const withMore = additionalProperties === false ? [good.map((whole) => ({ ...whole, 'no such field': 1 }))] : []
  return [...without, ...withBad, ...withMore]
}

/** Bodies that are no JSON document at all, or one of a kind that nobody wants. */
export const brokenBodies: Arbitrary<string | Uint8Array> = fc.constantFrom<string | Uint8Array>(
  'nonsense',
  '{"a": ',
  '7',
  '"text"',
  'null',
  '{"a": NaN}',
  '{"a": 123456789012345678901234567890}',
  '['.repeat(100_000),
  '{"a":'.repeat(50_000),
  new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
)
