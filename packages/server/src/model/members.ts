/**
 * JSON text of an object, looked into without being parsed. Documents of clients are stored and handed on as text; what
 * a filter or a rule wants of one is found by passing over the rest, which costs a tenth of reading it.
 */
import { parseJson } from './json.ts'
import { endOfString } from './json-reader.ts'
import type { MetadataFilter } from './model.ts'

/** The text of each value, by key, in order. `text` is JSON of an object. */
export function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let at = text.indexOf('{') + 1
  for (;;) {
    const start = text.indexOf('"', at)
    if (start < 0) return members
    const keyEnd = endOfString(text, start) + 1
    const end = endOfValue(text, keyEnd)
    members.set(keyOf(text, start, keyEnd), text.slice(text.indexOf(':', keyEnd) + 1, end).trim())
    at = end + 1
  }
}

/** The text of an object with these members, as `printJson` prints it. */
export function objectText(members: ReadonlyMap<string, string>): string {
  return `{${Array.from(members, ([key, value]) => `${JSON.stringify(key)}: ${value}`).join(', ')}}`
}

/** Whether an object has each of these keys with one of the values, compared as JSON values. */
export function passesFilters(text: string, filters: readonly MetadataFilter[]): boolean {
  if (filters.length === 0) return true
  // A quick look spares most the slow one: without escapes, a key that is there stands there as it is.
  if (!text.includes('\\') && filters.some(({ key }) => !text.includes(`"${key}"`))) return false
  const members = membersOf(text)
  return filters.every(({ key, anyOf }) => {
    const value = members.get(key)
    // No array and no object is the same as another value.
    return value !== undefined && !/^[[{]/.test(value) && anyOf.includes(parseJson(value) as never)
  })
}

/** Bytes in UTF-8, not counting the blanks between, which are there because `printJson` likes them. */
export function compactBytes(text: string): number {
  let blanks = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (code === BLANK) blanks += 1
  }
  return Buffer.byteLength(text) - blanks
}

/** The comma or brace behind the value whose key ends at `start`. */
function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
    else if (depth === 0 && (code === COMMA || code === CLOSE_BRACE)) return i
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1
  }
  return text.length
}

function keyOf(text: string, start: number, end: number): string {
  const key = text.slice(start + 1, end - 1)
  return key.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : key
}

const [BLANK, QUOTE, COMMA] = [0x20, 0x22, 0x2c]
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]
