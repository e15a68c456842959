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

/** Texts that are nearly this id, and not it. */
export function alteredIds(id: string): string[] {
  const otherCase = id === id.toUpperCase() ? id.toLowerCase() : id.toUpperCase()
  const altered = [`${id}0`, `0${id}`, id.slice(1), id.slice(0, -1), ` ${id}`, `${id}\n`, `${id}=`, otherCase]
  return altered.filter((text) => text !== id)
}
