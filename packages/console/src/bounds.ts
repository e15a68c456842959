import type { Limit, Session } from './session.ts'

/** Keeps a field of a number within what the service takes. */
export function boundsOf(limit: Limit, { limits }: Session): { readonly min: string; readonly max: string } {
  const [least, most] = limits[limit]
  return { min: String(least), max: String(most) }
}
