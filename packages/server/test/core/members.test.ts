import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseJson, printJson } from '../../src/model/json.ts'
import { compactBytes, membersOf, objectText, passesFilters } from '../../src/model/members.ts'

const text = fc.string({ unit: 'binary' })
/** Such as might be mistaken for what stands between values. */
const awkward = fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', ' ', '": ', '__proto__', '1', '0', '\\"}')
const value = fc.oneof(
  text,
  awkward,
  fc.maxSafeInteger(),
  fc.constantFrom(null, true),
  fc.array(awkward),
  fc.dictionary(awkward, awkward, { noNullPrototype: true }),
)
const object = fc.dictionary(fc.oneof(text, awkward), value, { noNullPrototype: true })

describe('the members of an object in JSON text', () => {
  test('are found however it is spaced', () => {
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2, '\t'), (object, space) => {
        const spaced = JSON.stringify(object, null, space)
        const found = Array.from(membersOf(spaced), ([key, value]) => [key, parseJson(value)])
        assert.deepEqual(found, Object.entries(object))
      }),
      { numRuns: 2000 },
    )
  })

  test('make up the same text again, whose size without blanks is that of compact JSON', () => {
    fc.assert(
      fc.property(object, (object) => {
        const printed = printJson(parseJson(JSON.stringify(object)))
        assert.equal(objectText(membersOf(printed)), printed)
        assert.equal(compactBytes(printed), Buffer.byteLength(JSON.stringify(object)))
      }),
      { numRuns: 2000 },
    )
  })

  test('pass a filter by their values, not by how they are spelt', () => {
    const metadata = '{"a": 1, "b": {"a": 2}, "c": "\\u0031", "d": 1.0, "e": null, "f": [1], "\\u0067": true}'
    const passes = (key: string, ...anyOf: (string | number | boolean | null)[]) =>
      passesFilters(metadata, [{ key, anyOf }])
    assert.ok(passes('a', 1, '1') && passes('c', '1') && passes('e', null) && passes('g', true))
    assert.ok(!passes('a', 2, '1') && !passes('b', 2) && !passes('c', 1) && !passes('f', 1) && !passes('h', null))
  })
})
