import fc from 'fast-check'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '__proto__',
    '1',
    '10',
    '01',
    'a',
    '"\\\u007f\u2028',
    'é',
    '\u{1f600}'.repeat(9),
    'x'.repeat(300),
  ),
)

const integer = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  // Where MessagePack changes its form.
  fc
    .tuple(
      fc.constantFrom(5n, 7n, 8n, 15n, 16n, 31n, 32n, 53n, 63n),
      fc.constantFrom(-1n, 1n),
      fc.integer({ min: -1, max: 1 }),
    )
    .map(([bits, sign, more]) => sign * 2n ** bits + BigInt(more))
    .filter((value) => value >= -(2n ** 63n) && value < 2n ** 63n),
)

/** A number that is no integer, as a sender may spell it. */
const fraction = fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }).map((value) => String(value))
/** Some of these libraries take for integers. */
const roundFloat = fc.oneof(
  fc.constantFrom('0.0', '-0.0', '1e+21', '1.7976931348623157e+308'),
  fc.maxSafeInteger().map((value) => `${value}.0`),
)

const members = <Value>(value: fc.Arbitrary<Value>) =>
  fc.uniqueArray(fc.tuple(text, value), { selector: ([key]) => key, maxLength: 20 })

function documentsWith(number: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('null', 'true', 'false'),
      number,
      text.map((one) => JSON.stringify(one)),
      fc.array(tie('value'), { maxLength: 20 }).map((items) => `[${items.join(', ')}]`),
      members(tie('value')).map(
        (entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(', ')}}`,
      ),
    ),
  })).value
}

const integerText = integer.map(String)

/** Text of any JSON document that a frame can hold, as `printJson` prints it. */
export const jsonText = documentsWith(fc.oneof(integerText, fraction, roundFloat))
/** The same without floats that are integers. */
export const jsonTextForJavaScript = documentsWith(fc.oneof(integerText, fraction))
