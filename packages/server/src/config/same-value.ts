import { Secret } from './secret.ts'

/** Of values that options may have. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.reveal() === b.reveal()
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const names = Object.keys(a) as (keyof typeof a)[]
  return names.length === Object.keys(b).length && names.every((name) => isSame(a[name], b[name]))
}
