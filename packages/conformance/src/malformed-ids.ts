/** What a client may send as an id or a marker, and what no storage ever hands out. */
export const malformedIds = [
  '',
  ' ',
  'x',
  '0',
  '-1',
  'null',
  'ffffffffffffffffffffffffffffffff',
  '00000000-0000-0000-0000-000000000000',
  `1${'0'.repeat(400)}`,
  'a'.repeat(5000),
  'é漢😀',
  'a\u0000b',
  "' or 1=1 --",
  '%',
  '../x',
] as const
