const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** Seconds as people say them, in one unit, or two: `3 d 4 h`. */
export function durationOf(seconds: number): string {
  const first = UNITS.findIndex(([size]) => seconds >= size)
  if (first === -1) return `0 ${UNITS[3][1]}`
  const parts = UNITS.slice(first, first + 2)
  let rest = Math.floor(seconds)
  return parts
    .map(([size, unit]) => {
      const count = Math.floor(rest / size)
      rest %= size
      return count === 0 ? '' : `${count} ${unit}`
    })
    .filter((part) => part !== '')
    .join(' ')
}
