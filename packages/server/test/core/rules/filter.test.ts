import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileFilter } from '../../../src/core/rules/filter.ts'
import { parseJson } from '../../../src/model/json.ts'
import type { Json } from '../../../src/model/model.ts'

/** Both as JSON text. */
function matches(filter: string, body: string): boolean {
  const compiled = compileFilter(parseJson(filter))
  if (typeof compiled === 'string') assert.fail(compiled)
  return compiled(parseJson(body))
}

const examples: [filter: string, matching: string[], others: string[]][] = [
  ['{}', ['{}', '{"a": 1}', 'null', '[1]', '"text"', '1.0'], []],
  ['{"event": ["created", "deleted"]}', ['{"event": "deleted", "n": 1}'], ['{"event": "changed"}', '{}', '"created"']],
  ['{"a": [1], "b": [true]}', ['{"a": 1, "b": true}'], ['{"a": 1}', '{"a": 1, "b": false}', '{"a": 2, "b": true}']],
  ['{"a": ["1"]}', ['{"a": "1"}'], ['{"a": 1}']],
  ['{"a": [null]}', ['{"a": null}'], ['{}', '{"a": 0}', '{"a": "null"}']],
  ['{"a": [1]}', ['{"a": 1.0}', '{"a": 10e-1}'], ['{"a": 1.1}', '{"a": true}', '{"a": "1"}', '{"a": {"a": 1}}']],
  ['{"a": [1.50]}', ['{"a": 1.5}', '{"a": 15e-1}'], ['{"a": 1}']],
  ['{"a": [9007199254740993]}', ['{"a": 9007199254740993}'], ['{"a": 9007199254740992}', '{"a": 9007199254740994}']],
  ['{"a": [10000000000000000]}', ['{"a": 1e16}', '{"a": 10000000000000000.0}'], ['{"a": 10000000000000001}']],
  ['{"a": [{"prefix": "web-"}]}', ['{"a": "web-1"}', '{"a": "web-"}'], ['{"a": "web"}', '{"a": 1}', '{"a": "a web-"}']],
  ['{"a": [{"prefix": ".*"}]}', ['{"a": ".*x"}'], ['{"a": "x"}']],
  [
    '{"a": [{"numeric": [">", 100, "<=", 500]}]}',
    ['{"a": 101}', '{"a": 500.0}', '{"a": 1001e-1}'],
    ['{"a": 100}', '{"a": 501}', '{"a": "200"}', '{"a": true}', '{"a": 9223372036854775807}', '{"a": 1e400}'],
  ],
  ['{"a": [{"numeric": [">=", 0.5]}]}', ['{"a": 0.5}', '{"a": 9223372036854775807}'], ['{"a": 0}', '{"a": -1e400}']],
  ['{"a": [{"numeric": ["=", 2]}, {"numeric": ["<", 0]}]}', ['{"a": 2.0}', '{"a": -1}'], ['{"a": 1}']],
  ['{"a": [{"exists": true}]}', ['{"a": null}', '{"a": []}', '{"a": {}}'], ['{}', '{"b": {"a": 1}}']],
  ['{"a": [{"exists": false}, "x"]}', ['{}', '{"a": "x"}'], ['{"a": null}', '{"a": []}', '1']],
  ['{"a": [{"anything-but": ["test", 1, null]}]}', ['{"a": "x"}', '{"a": 2}'], ['{"a": "test"}', '{"a": 1.0}', '{}']],
  ['{"a": [{"anything-but": "test"}]}', ['{"a": null}', '{"a": ["test", 1]}'], ['{"a": ["test"]}', '{"a": {}}']],
  ['{"a": ["x", {"prefix": "y"}]}', ['{"a": ["z", "yes"]}', '{"a": [["x"]]}'], ['{"a": []}', '{"a": [{"a": "x"}]}']],
  [
    '{"a": {"b": [1], "c": [{"exists": false}]}}',
    ['{"a": {"b": 1}}', '{"a": [{"b": 2}, {"b": 1}]}'],
    ['{"a": {"b": 1, "c": 1}}', '{"a": [{"b": 1, "c": 1}, {"b": 2}]}', '{"a": 1}', '{"a.b": 1}'],
  ],
  ['{"a": {"b": [{"exists": false}]}}', ['{}', '{"a": 1}', '{"a": {}}'], ['{"a": {"b": null}}']],
  ['{"a.b": [1]}', ['{"a.b": 1}'], ['{"a": {"b": 1}}']],
  ['{"__proto__": [1], "toString": [{"exists": false}]}', ['{"__proto__": 1}'], ['{}', '{"__proto__": 2}']],
  ['{"__proto__": {"toString": [{"exists": true}]}}', ['{"__proto__": {"toString": 1}}'], ['{}', '{"__proto__": {}}']],
]

describe('a filter', () => {
  for (const [filter, matching, others] of examples) {
    test(`${filter} takes what it names`, () => {
      for (const body of matching) assert.ok(matches(filter, body), body)
      for (const body of others) assert.ok(!matches(filter, body), body)
    })
  }

  const strings = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`)
  const nested = (depth: number): Json => (depth === 1 ? { a: [1] } : { a: nested(depth - 1) })

  test('may be as large as its bounds, and no larger', () => {
    assert.equal(typeof compileFilter({ a: strings(50) }), 'function')
    assert.match(String(compileFilter({ a: strings(50), b: [{ prefix: 'x' }] })), /more than 50 conditions/)
    assert.match(String(compileFilter({ a: [{ 'anything-but': strings(50) }] })), /more than 50 conditions/)
    assert.equal(typeof compileFilter(nested(5)), 'function')
    assert.match(String(compileFilter(nested(6))), /5 levels deep/)
    for (const long of [{ ['x'.repeat(257)]: [1] }, { a: ['x'.repeat(257)] }, { a: [{ prefix: 'x'.repeat(257) }] }]) {
      assert.match(String(compileFilter(long)), /longer than 256/)
    }
  })

  const refused: Json[] = [
    'created',
    ['created'],
    null,
    { a: 'created' },
    { a: [] },
    { a: {} },
    { a: { b: 1 } },
    { a: [['x']] },
    { a: [{}] },
    { a: [{ suffix: 'x' }] },
    { a: [{ prefix: 1 }] },
    { a: [{ prefix: 'x', exists: true }] },
    { a: [{ exists: 'yes' }] },
    { a: [{ numeric: [] }] },
    { a: [{ numeric: ['>'] }] },
    { a: [{ numeric: ['>', '1'] }] },
    { a: [{ numeric: ['!=', 1] }] },
    { a: [{ numeric: ['>', 1, '<', 2, '=', 3] }] },
    { a: [{ numeric: ['>', 1, '<'] }] },
    { a: [{ numeric: 1 }] },
    { a: [{ 'anything-but': [] }] },
    { a: [{ 'anything-but': [['x']] }] },
    { a: [{ 'anything-but': { prefix: 'x' } }] },
  ]
  for (const filter of refused) {
    test(`${JSON.stringify(filter)} is refused, and the answer says why`, () => {
      assert.match(String(compileFilter(filter)), /^_filter[: ].+\.$/)
    })
  }

  test('never throws, whatever it is and whatever it meets', () => {
    const scalar = fc.oneof(fc.constantFrom('a', 'x', '__proto__'), fc.integer(), fc.constantFrom(null, true, 1.5))
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'prefix', 'numeric', 'anything-but'), tie('value'), {
          noNullPrototype: true,
        }),
      ),
    }))
    const condition = fc.oneof(
      scalar,
      fc.record({ prefix: fc.constantFrom('', 'x') }),
      fc.record({ exists: fc.boolean() }),
      fc.record({ numeric: fc.tuple(fc.constantFrom('<', '>='), fc.integer()) }),
      fc.record({ 'anything-but': fc.array(scalar, { minLength: 1, maxLength: 2 }) }),
    )
    const field = fc.constantFrom('a', 'b', '__proto__')
    const fields = fc.dictionary(field, fc.array(condition, { minLength: 1, maxLength: 3 }), { noNullPrototype: true })
    let compiledOnes = 0
    fc.assert(
      fc.property(fc.oneof(value, fields), value, (filter, body) => {
        const compiled = compileFilter(parseJson(JSON.stringify(filter)))
        if (typeof compiled === 'string') return
        compiledOnes += 1
        assert.equal(typeof compiled(parseJson(JSON.stringify(body))), 'boolean')
      }),
      { numRuns: 3000 },
    )
    assert.ok(compiledOnes > 500, String(compiledOnes))
  })
})
