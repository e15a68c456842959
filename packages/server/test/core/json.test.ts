import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { IntegerTooLarge, NestedTooDeep, parseJson, printJson } from '../../src/model/json.ts'
import { readJson } from '../../src/model/json-reader.ts'

/** What it answers, or the name of what it throws. */
function outcome<T>(run: () => T): T | { thrown: string } {
  try {
    return run()
  } catch (error) {
    return { thrown: (error as Error).name }
  }
}

/** Values whose numbers JavaScript spells as they came. */
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, '', '__proto__'),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'a', '1', '10', '01')),
      tie('value'),
      {
        noNullPrototype: true,
      },
    ),
  ),
})).value

/** Text that is nearly JSON. */
const broken = fc
  .tuple(
    plain,
    fc.nat(),
    fc.constantFrom(
      '',
      '"',
      '\\',
      ',',
      ':',
      '{',
      ']',
      '\t',
      '\n',
      '\v',
      '\u00a0',
      '0',
      '-',
      '.',
      'e',
      'u',
      '\\u12',
      '\0',
    ),
  )
  .map(([value, at, piece]) => {
    const text = JSON.stringify(value, null, 1)
    const cut = at % (text.length + 1)
    return text.slice(0, cut) + piece + text.slice(cut + (at % 3))
  })

describe('reading JSON', () => {
  test('answers what was printed', () => {
    fc.assert(
      fc.property(plain, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space)
        assert.deepEqual(readJson(text), value)
        assert.deepEqual(parseJson(text), value)
      }),
      { numRuns: 2000 },
    )
  })

  test('refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(broken, (text) => {
        const wanted = outcome(() => JSON.stringify(JSON.parse(text)).length > 0)
        assert.deepEqual(
          outcome(() => printJson(readJson(text)).length > 0),
          wanted,
          text,
        )
      }),
      { numRuns: 5000 },
    )
    for (const text of [
      '',
      ' ',
      '[1,]',
      '{"a":1,}',
      '{,}',
      '[,]',
      '+1',
      '.5',
      '1.',
      '1e',
      '1e+',
      '-',
      '--1',
      '0x1',
      'tru',
      'nul',
      '"a',
      '"\\x"',
      '"\t"',
      '[1] 2',
      '{"a" 1}',
      '{1:2}',
      '{"1":}',
      'NaN',
      '\ufeff1',
      '1.0.0',
      '00.0',
      '-01.0',
    ])
      assert.throws(() => parseJson(text), SyntaxError, text)
  })

  test('tells keys apart that Node confuses', () => {
    for (let round = 0; round < 3; round++) {
      for (const text of ['{" ": "", "\\\\": ""}', '{" ": "", "\\"": ""}', '{"a\\\\n": 1}', '{"a\\n": 1}']) {
        assert.equal(printJson(parseJson(text)), text)
      }
    }
  })

  test('keeps every number as it was spelt', () => {
    const numbers = [
      '1.0',
      '-0.0',
      '1e5',
      '1E+05',
      '0.1',
      '1.50',
      '12345678901234567890123.4',
      '1e999999999',
      '9007199254740993',
      '-9223372036854775808',
      '9223372036854775807',
      '9007199254740991',
      '0',
      '-7',
    ]
    for (const number of numbers) {
      assert.equal(printJson(parseJson(number)), number)
      assert.equal(printJson(parseJson(`{"a":[ ${number}\n,${number}]}`)), `{"a": [${number}, ${number}]}`)
    }
    for (const number of ['9223372036854775808', '-9223372036854775809', '1'.repeat(5000)]) {
      assert.throws(() => parseJson(`[${number}]`), IntegerTooLarge)
    }
  })

  test('keeps the order of keys, those that look like integers too, as Python does', () => {
    const texts = {
      '{"b":1,"10":2,"9":{"1":0,"a":1,"0":2}}': '{"b": 1, "10": 2, "9": {"1": 0, "a": 1, "0": 2}}',
      '[{"a":0,"\\u0031":1}]': '[{"a": 0, "1": 1}]',
      // The value of the last one at the place of the first.
      '{"b":1,"1":2,"b":3,"0":4,"1":5}': '{"b": 3, "1": 5, "0": 4}',
      '{"__proto__":{"a":1,"0":2},"4294967295":1,"4294967294":2,"007":3}':
        '{"__proto__": {"a": 1, "0": 2}, "4294967295": 1, "4294967294": 2, "007": 3}',
      '{"z" :1,"0"\n:1.0}': '{"z": 1, "0": 1.0}',
    }
    for (const [text, printed] of Object.entries(texts)) assert.equal(printJson(parseJson(text)), printed)
    assert.equal(({} as Record<string, unknown>)['a'], undefined)
  })

  test('goes 500 levels deep and no further', () => {
    for (const inner of ['1', '1.0']) {
      const nested = (depth: number) => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`
      assert.equal(printJson(parseJson(nested(500))), nested(500))
      assert.throws(() => parseJson(nested(501)), NestedTooDeep)
      assert.throws(() => parseJson(nested(100_000)), NestedTooDeep)
    }
  })
})
