/** JSON whose numbers stay as they were written, also those that JavaScript has not: 12345678901234567890, 1.10, 1e400. */

declare global {
  interface JSON {
    /** `JSON.stringify` writes it as it is. */
    rawJSON(text: string): object
    isRawJSON(value: unknown): boolean
  }
}

/** @throws SyntaxError */
export function parseExactly(json: string): unknown {
  const keep = (_key: string, value: unknown, { source }: { source: string }) =>
    typeof value === 'number' && String(value) !== source ? JSON.rawJSON(source) : value
  return JSON.parse(json, keep as (key: string, value: unknown) => unknown)
}
