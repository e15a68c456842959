import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type as TypeBox } from 'typebox'
import { Type } from '../../src/wire/typed-schema.ts'

test('schemas are those of TypeBox', () => {
  const make = (type: typeof Type) => {
    const count = type.Integer({ minimum: 1, description: 'How many.' })
    const fields = { name: type.String({ maxLength: 64 }), count: type.Optional(count), any: type.Unknown() }
    const all = type.Object({ ...fields, list: type.Array(type.Boolean(), { maxItems: 3 }) }, { description: 'All.' })
    return [
      all,
      type.Object({ count: type.Optional(count) }),
      type.Object({}),
      type.Partial(all),
      type.Omit(all, ['name', 'count']),
      type.Omit(type.Partial(all), ['name']),
      type.Optional(type.Unsafe<string | null>({ type: ['string', 'null'] })),
      [fields.name, fields.count, type.Partial(all).properties.name, type.Omit(all, ['any']).properties.count].map(
        type.IsOptional,
      ),
    ]
  }
  assert.deepEqual(JSON.stringify(make(Type)), JSON.stringify(make(TypeBox)))
})
