/** Milliseconds since the process began, with fractions. */
export function elapsed(): number {
  return performance.now()
}
