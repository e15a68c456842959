import type { Json } from '../model/model.ts'

/** `true` and `false` count as the integers 1 and 0, a number with a fraction part never as one. (contract http.md 1.7) */
export function isInteger(value: Json | undefined): value is number | boolean {
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value))
}
