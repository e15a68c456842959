/** What no honest client sends. */

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth)

/**
 * Bodies by what is wrong with them. `value` makes some JSON text from a hostile value, so that it meets every check on
 * its way.
 */
export function hostileBodies(value: (json: string) => string): Record<string, string | Uint8Array> {
  const values = {
    'a huge integer': '1'.repeat(5000),
    'a huge exponent': '1e999999999',
    'a long fraction': `0.${'3'.repeat(5000)}`,
    'minus zero': '-0.0',
    'deep arrays': nested('[', ']', 30_000),
    'deep objects': `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
    'arrays of 400 levels': nested('[', ']', 400),
    'arrays of 600 levels': nested('[', ']', 600),
    'a number in arrays of 600 levels': `${'['.repeat(600)}1.0${']'.repeat(600)}`,
    NUL: '"\\u0000"',
    'a lone surrogate': '"\\ud800"',
    __proto__: '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
    'a value that looks like a kept number': '{"rawJSON": "1.0"}',
    NaN: 'NaN',
    'many keys': `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
    'the same key many times': `{${'"a":1,'.repeat(5000)}"a":2}`,
    'many escapes': `"${'\\u0041'.repeat(5000)}"`,
    null: 'null',
    'a string': '"text"',
    'an array': '[1, "a", null]',
    'an object': '{"a": 1}',
    true: 'true',
  }
  const inside = Object.entries(values).map(([name, json]) => [`${name} inside`, value(json)] as const)
  return {
    nothing: '',
    blanks: ' \t\r\n',
    'no JSON': 'hello',
    'half of it': value('"text"').slice(0, -3),
    'too much of it': `${value('1')}}`,
    'single quotes': "{'a': 1}",
    'a raw NUL': value('"a\0b"'),
    'a byte order mark': `\ufeff${value('1')}`,
    'no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
    'UTF-16': Buffer.from(value('1'), 'utf16le'),
    'an encoded surrogate': Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    'random bytes': Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * i * 31 + 7) & 0xff)),
    ...values,
    ...Object.fromEntries(inside),
  }
}

/** Parts of a path or a query. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  '%',
  '%zz',
  '%00',
  '%0d%0aX-Evil:%201',
  '%C3%28',
  '%F0%9F%98%80',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..',
  '__proto__',
  'constructor',
  "'%20OR%201=1--",
  '%3Cscript%3E',
  '-1',
  '0',
  '9'.repeat(400),
  'x'.repeat(8000),
  '%25252525',
  ',',
  ',,,,,,,,',
  'a,'.repeat(3000),
  '*',
  '$%7Bx%7D',
  '1e9',
  'NaN',
  'true',
]
