/**
 * JSON that comes back as it went in. JavaScript would turn `1.0` into `1`, lose digits of 64-bit integers, and put
 * keys that look like integers before all others; what might be changed so is read by a reader of our own.
 */
import { endOfString, KeptNumber, keysOf, readJson } from './json-reader.ts'
import type { Json, JsonObject } from './model.ts'

export { IntegerTooLarge, KeptNumber } from './json-reader.ts'

/** Deeper than any honest document; the limit keeps reading and printing from exhausting the stack. */
export class NestedTooDeep extends Error {}

const MAX_DEPTH = 500

/**
 * Finds a number that JavaScript may not keep as it is spelt, with a fraction, an exponent, or many digits, behind what
 * can stand before a number; and a key that looks like an integer. What looks so in a string does no harm.
 */
const NEEDS_READER = /(?:^|[:,[])\s*-?\d*(?:\d[.eE]|\d{16})|"\d+"\s*:/

/**
 * @throws SyntaxError when `text` is no JSON.
 * @throws IntegerTooLarge, NestedTooDeep
 */
export function parseJson(text: string): Json {
  if (text.length > MAX_DEPTH) checkDepth(text)
  const isSafe = !NEEDS_READER.test(text) && !(text.includes('\\') && hasEscapedKey(text))
  return isSafe ? (JSON.parse(text) as Json) : readJson(text)
}

/**
 * Whether a key is spelt with an escape. `JSON.parse` of Node 26 takes `"\""` for the key that a document before it
 * spelt `"\\"`: it compares the spelling of the one with the text of the other.
 */
function hasEscapedKey(text: string): boolean {
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = endOfString(text, start)
    let behind = end + 1
    while (text.charCodeAt(behind) <= BLANK) behind += 1
    if (text.charCodeAt(behind) === COLON && text.slice(start, end).includes('\\')) return true
    start = text.indexOf('"', end + 1)
  }
  return false
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

const [BLANK, QUOTE, COLON] = [0x20, 0x22, 0x3a]
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]

/** An object of JSON: no array, no null, and no number that is kept as it was spelt. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isKeptNumber(value)
}

/** A number that is kept as it was spelt. */
export function isKeptNumber(value: unknown): value is KeptNumber {
  return value instanceof KeptNumber
}

/**
 * JSON text in upstream's style: one line, `, ` and `: ` between, non-ASCII as it is (contract http.md 1.11).
 * @throws NestedTooDeep
 */
export function printJson(value: Json | undefined, depth = 0): string {
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
      if (isKeptNumber(value)) return value.spelling
      return printObject(value, depth + 1)
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

function printObject(object: Readonly<JsonObject>, depth: number): string {
  let text = '{'
  let separator = ''
  for (const key of keysOf(object)) {
    text += `${separator}${JSON.stringify(key)}: ${printJson(object[key], depth)}`
    separator = ', '
  }
  return `${text}}`
}
