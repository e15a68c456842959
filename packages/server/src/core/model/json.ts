/**
 * JSON that comes back as it went in. JavaScript's numbers would turn `1.0` into `1` and lose digits of 64-bit integers, so
 * a number that it would spell differently is kept as `RawJson`, its source text.
 */
import type { Json } from './model.ts'

export interface RawJson {
  readonly rawJSON: string
}

interface JsonWithSource {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): RawJson
  isRawJSON(value: unknown): value is RawJson
}
const SourceJSON = JSON as unknown as JsonWithSource

/** The text holds an integer outside signed 64 bits, which no storage of upstream's takes. */
export class IntegerTooLarge extends Error {}
/** Deeper than any honest document; the limit keeps printing from exhausting the stack. */
export class NestedTooDeep extends Error {}

const MAX_DEPTH = 500
const LEAST = -(2n ** 63n)
const GREATEST = 2n ** 63n - 1n

/**
 * Finds a number that JavaScript may not keep as it is spelt: with a fraction, an exponent, or many digits. It stands behind what can
 * stand before a number; what looks so in a string does no harm, but costs the slow way.
 */
const SUSPICIOUS_NUMBER = /(?:^|[:,[])\s*-?\d*(?:\d[.eE]|\d{16})/

/**
 * @throws SyntaxError when `text` is no JSON.
 * @throws IntegerTooLarge, NestedTooDeep
 */
export function parseJson(text: string): Json {
  if (text.length > MAX_DEPTH) checkDepth(text)
  if (!SUSPICIOUS_NUMBER.test(text)) return JSON.parse(text) as Json
  return SourceJSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? keepSpelling(value, source) : value,
  ) as Json
}

/** Before parsing, so that nothing that comes later can meet a value too deep for it. */
function checkDepth(text: string): void {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      depth += 1
      if (depth > MAX_DEPTH) throw new NestedTooDeep()
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth -= 1
  }
}

const [QUOTE, BACKSLASH, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]

/** Where the string that starts at `start` ends; the end of the text when it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1
    if (escapes % 2 === 0) return end
  }
  return text.length
}

function keepSpelling(value: number, source: string): number | RawJson {
  if (String(value) === source) return value
  if (/^-?\d+$/.test(source)) {
    const integer = BigInt(source)
    if (integer < LEAST || integer > GREATEST) throw new IntegerTooLarge()
  }
  return SourceJSON.rawJSON(source)
}

/** A number that is kept as it was spelt. */
export function isRawJson(value: unknown): value is RawJson {
  return SourceJSON.isRawJSON(value)
}

/**
 * JSON text in upstream's style: one line, `, ` and `: ` between, non-ASCII as it is (contract http.md 1.11).
 * @throws NestedTooDeep
 */
export function printJson(value: Json | RawJson | undefined, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (depth > MAX_DEPTH) throw new NestedTooDeep()
      if (Array.isArray(value)) return printArray(value, depth + 1)
      if (isRawJson(value)) return value.rawJSON
      return printObject(value as { [key: string]: Json }, depth + 1)
    default:
      throw new TypeError(`no JSON: ${typeof value}`)
  }
}

function printArray(items: readonly Json[], depth: number): string {
  let text = '['
  let separator = ''
  for (const item of items) {
    text += separator + printJson(item, depth)
    separator = ', '
  }
  return `${text}]`
}

function printObject(object: { readonly [key: string]: Json }, depth: number): string {
  let text = '{'
  let separator = ''
  for (const key of Object.keys(object)) {
    text += `${separator}${JSON.stringify(key)}: ${printJson(object[key], depth)}`
    separator = ', '
  }
  return `${text}}`
}
