import { isKeptNumber } from '../../model/json.ts'
import type { Json } from '../../model/model.ts'

/**
 * The integer that a value is, or null. `true` and `false` count as 1 and 0, a number with a fraction part never as
 * one. One that JavaScript cannot hold comes as the nearest that it can: every limit is far below. (contract http.md
 * 1.7)
 */
export function integerOf(value: Json | undefined): number | null {
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'number') return Number.isInteger(value) ? value : null
  if (isKeptNumber(value) && /^-?\d+$/.test(value.spelling)) return Number(value.spelling)
  return null
}
