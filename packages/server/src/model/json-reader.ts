/** Reads what `JSON.parse` would change: in one pass, each character looked at once. */
import type { Json, JsonObject } from './model.ts'

/** A number that JavaScript would spell differently: `1.0`, `1e5`, an integer of many digits. */
export class KeptNumber {
  readonly spelling: string

  constructor(spelling: string) {
    this.spelling = spelling
  }
}

/** The text holds an integer outside signed 64 bits, which no storage of upstream's takes. */
export class IntegerTooLarge extends Error {}

/**
 * JavaScript moves keys that look like integers to the front of an object. One that has any holds here the order in
 * which its keys came, out of sight of whatever copies or compares it. (A WeakMap was tried: with many such objects it
 * pauses for 50 ms and more.)
 */
const ORDER = Symbol('the order of keys')
type Ordered = { [ORDER]?: readonly string[] }

/** The keys of an object in the order in which they came. */
export function keysOf(object: Readonly<JsonObject>): readonly string[] {
  const keys = Object.keys(object)
  // If any key looks like an integer, the first does.
  return keys.length > 1 && isDigit((keys[0] as string).charCodeAt(0)) ? ((object as Ordered)[ORDER] ?? keys) : keys
}

/**
 * As `JSON.parse`, but numbers that it would respell come as `KeptNumber`, and `keysOf` tells the order of keys.
 * `text` must not be nested deeper than the stack is.
 * @throws SyntaxError when it is no JSON
 * @throws IntegerTooLarge
 */
export function readJson(text: string): Json {
  return new Reader(text).read()
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Json {
    const value = this.#value()
    if (!Number.isNaN(this.#next())) throw this.#unexpected()
    return value
  }

  #value(): Json {
    const code = this.#next()
    switch (code) {
      case QUOTE:
        return this.#string()
      case OPEN_BRACE:
        return this.#object()
      case OPEN_BRACKET:
        return this.#array()
      case SMALL_T:
        return this.#word('true', true)
      case SMALL_F:
        return this.#word('false', false)
      case SMALL_N:
        return this.#word('null', null)
      default:
        return this.#number(code)
    }
  }

  /** The character that the next token begins with; NaN at the end. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== BLANK && code !== LINE_FEED && code !== RETURN && code !== TAB) return code
      this.#at += 1
    }
  }

  #object(): JsonObject {
    const object: JsonObject = {}
    let order: string[] | null = null
    this.#at += 1
    if (this.#next() === CLOSE_BRACE) {
      this.#at += 1
      return object
    }
    for (;;) {
      if (this.#next() !== QUOTE) throw this.#unexpected()
      const key = this.#string()
      if (this.#next() !== COLON) throw this.#unexpected()
      this.#at += 1
      const value = this.#value()
      order = orderWith(order, object, key)
      setMember(object, key, value)
      const code = this.#next()
      this.#at += 1
      if (code === COMMA) continue
      if (code !== CLOSE_BRACE) throw this.#unexpected()
      keepOrder(object, order)
      return object
    }
  }

  #array(): Json[] {
    const items: Json[] = []
    this.#at += 1
    if (this.#next() === CLOSE_BRACKET) {
      this.#at += 1
      return items
    }
    for (;;) {
      items.push(this.#value())
      const code = this.#next()
      this.#at += 1
      if (code === COMMA) continue
      if (code !== CLOSE_BRACKET) throw this.#unexpected()
      return items
    }
  }

  #string(): string {
    const start = this.#at
    for (let at = start + 1; ; at++) {
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        return this.#text.slice(start + 1, at)
      }
      if (code === BACKSLASH) return this.#escapedString(start)
      // A control character, or NaN behind the end.
      if (!(code >= BLANK)) throw this.#unexpected()
    }
  }

  #escapedString(start: number): string {
    const end = endOfString(this.#text, start) + 1
    this.#at = end
    return JSON.parse(this.#text.slice(start, end)) as string
  }

  #number(first: number): Json {
    const start = this.#at
    if (first === MINUS) this.#at += 1
    if (this.#text.charCodeAt(this.#at) === ZERO) this.#at += 1
    else this.#digits()
    const integerEnd = this.#at
    if (this.#text.charCodeAt(this.#at) === POINT) {
      this.#at += 1
      this.#digits()
    }
    const code = this.#text.charCodeAt(this.#at)
    if (code === SMALL_E || code === LARGE_E) {
      this.#at += 1
      const sign = this.#text.charCodeAt(this.#at)
      if (sign === PLUS || sign === MINUS) this.#at += 1
      this.#digits()
    }
    const source = this.#text.slice(start, this.#at)
    return this.#at === integerEnd ? toInteger(source) : (new KeptNumber(source) as unknown as Json)
  }

  /** At least one. */
  #digits(): void {
    if (!isDigit(this.#text.charCodeAt(this.#at))) throw this.#unexpected()
    do this.#at += 1
    while (isDigit(this.#text.charCodeAt(this.#at)))
  }

  #word<Value extends Json>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected()
    this.#at += word.length
    return value
  }

  #unexpected(): SyntaxError {
    return new SyntaxError(`Unexpected character in JSON, near position ${this.#at}`)
  }
}

/**
 * The order of the keys of an object that is to get one more; null: the one that JavaScript has. For whoever makes
 * objects from what is no JSON text, together with `setMember` and, when the object is complete, `keepOrder`.
 */
export function orderWith(order: string[] | null, object: JsonObject, key: string): string[] | null {
  if (order === null && !isDigit(key.charCodeAt(0))) return null
  const keys = order ?? Object.keys(object)
  if (!Object.hasOwn(object, key)) keys.push(key)
  return keys
}

export function keepOrder(object: JsonObject, order: readonly string[] | null): void {
  if (order !== null && order.length > 1) Object.defineProperty(object, ORDER, { value: order })
}

/** Whatever the key is called. */
export function setMember(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}

/** Where the string that starts at `start` ends; the end of the text when it does not. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1
    if (escapes % 2 === 0) return end
  }
  return text.length
}

/** 64 bits have 19 digits. */
const MOST_DIGITS = 19
const LEAST = -(2n ** 63n)
const GREATEST = 2n ** 63n - 1n

/**
 * The integer that is spelt so.
 * @throws IntegerTooLarge
 */
export function toInteger(source: string): Json {
  const value = Number(source)
  if (Number.isSafeInteger(value)) return value
  if (source.length > MOST_DIGITS + 1) throw new IntegerTooLarge()
  const integer = BigInt(source)
  if (integer < LEAST || integer > GREATEST) throw new IntegerTooLarge()
  return new KeptNumber(source) as unknown as Json
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

const [TAB, LINE_FEED, RETURN, BLANK] = [0x09, 0x0a, 0x0d, 0x20]
const [QUOTE, PLUS, COMMA, MINUS, POINT, ZERO, NINE, COLON] = [0x22, 0x2b, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x3a]
const [OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d]
const [LARGE_E, SMALL_E, SMALL_F, SMALL_N, SMALL_T] = [0x45, 0x65, 0x66, 0x6e, 0x74]
