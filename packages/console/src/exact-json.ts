/** JSON as the service keeps it: numbers that JavaScript would change keep their spelling. */

interface RawJson {
  readonly rawJSON: string
}

/** Of browsers since 2024; TypeScript does not list them yet. */
const Exact = JSON as typeof JSON & {
  rawJSON?(text: string): RawJson
  isRawJSON?(value: unknown): value is RawJson
}

export function parseExact(text: string): unknown {
  const { rawJSON } = Exact
  if (rawJSON === undefined) return JSON.parse(text)
  return JSON.parse(text, function (this: unknown, _key: string, value: unknown, context?: { source?: string }) {
    const { source } = context ?? {}
    return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value
  } as (this: unknown, key: string, value: unknown) => unknown)
}

/** A number whose spelling is kept; null for everything else. */
export function spelledNumber(value: unknown): string | null {
  return Exact.isRawJSON?.(value) ? value.rawJSON : null
}

/** @throws Error with the sentence, where it is no JSON object */
export function objectIn(written: string, sentence: string): Record<string, unknown> {
  try {
    const value = parseExact(written)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // The same is wrong.
  }
  throw new Error(sentence)
}
