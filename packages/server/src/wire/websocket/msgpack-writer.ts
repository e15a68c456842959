/** Writes MessagePack as Python does, straight from JSON text. (contract websocket.md 2; MessagePack specification) */
import { endOfString } from '../../model/json-reader.ts'

/** Beyond so many bytes what was filled is given away. */
const MOST_KEPT = 1 << 20
const FIRST = 1 << 12

/** Of a text, in characters. */
const SHORT = 16
const LAST_ASCII = 0x7f

export class MsgpackWriter {
  #bytes = Buffer.allocUnsafe(FIRST)
  #at = 0

  /** What was written since it was last taken. */
  take(): Buffer {
    const written = this.#bytes.subarray(0, this.#at)
    this.#at = 0
    if (this.#bytes.length <= MOST_KEPT) return Buffer.from(written)
    this.#bytes = Buffer.allocUnsafe(FIRST)
    return written
  }

  /** The keys and values of the map have to follow: fewer than 16 of each. */
  mapHeader(length: number): void {
    this.#byte(FIX_MAP + length)
  }

  /** A value that is MessagePack already. */
  raw(bytes: Buffer): void {
    const at = this.#room(bytes.length)
    bytes.copy(this.#bytes, at)
  }

  text(text: string): void {
    if (text.length <= SHORT && this.#ascii(text)) return
    const length = Buffer.byteLength(text)
    if (length < 32) this.#byte(FIX_STR + length)
    else this.#unsigned(length, STR_8, STR_16, STR_32)
    const at = this.#room(length)
    this.#bytes.write(text, at)
  }

  /** A call of Node's costs more than a short text does. False where it is not ASCII: nothing is written then. */
  #ascii(text: string): boolean {
    const start = this.#room(1 + text.length)
    const bytes = this.#bytes
    bytes[start] = FIX_STR + text.length
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > LAST_ASCII) {
        this.#at = start
        return false
      }
      bytes[start + 1 + i] = code
    }
    return true
  }

  /** `text` is one JSON value. */
  json(text: string): void {
    const open: Container[] = []
    let inner: Container = { isMap: false, start: 0, values: 0 }
    for (let i = 0; i < text.length; ) {
      const code = text.charCodeAt(i)
      switch (code) {
        case BLANK:
        case TAB:
        case LINE_FEED:
        case RETURN:
        case COMMA:
        case COLON:
          i += 1
          continue
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          this.#close(inner)
          inner = open.pop() as Container
          i += 1
          continue
      }
      inner.values += 1
      if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        open.push(inner)
        inner = { isMap: code === OPEN_BRACE, start: this.#room(1), values: 0 }
        i += 1
      } else if (code === QUOTE) {
        const end = endOfString(text, i)
        const spelt = text.slice(i + 1, end)
        this.text(spelt.includes('\\') ? (JSON.parse(text.slice(i, end + 1)) as string) : spelt)
        i = end + 1
      } else {
        const end = endOfWord(text, i)
        this.#word(text.slice(i, end))
        i = end
      }
    }
  }

  /** Its header was kept free; a long one needs more room. */
  #close({ isMap, start, values }: Container): void {
    const length = isMap ? values / 2 : values
    if (length < 16) {
      this.#bytes[start] = (isMap ? FIX_MAP : FIX_ARRAY) + length
      return
    }
    const isShort = length < 2 ** 16
    const more = isShort ? 2 : 4
    const end = this.#at
    this.#room(more)
    this.#bytes.copyWithin(start + 1 + more, start + 1, end)
    this.#bytes[start] = isMap ? (isShort ? MAP_16 : MAP_32) : isShort ? ARRAY_16 : ARRAY_32
    this.#bytes.writeUIntBE(length, start + 1, more)
  }

  #word(word: string): void {
    if (word === 'null') this.#byte(NIL)
    else if (word === 'true') this.#byte(TRUE)
    else if (word === 'false') this.#byte(FALSE)
    else if (/[.eE]/.test(word)) {
      const at = this.#coded(FLOAT_64, 8)
      this.#bytes.writeDoubleBE(Number(word), at)
    } else this.#integer(word)
  }

  #integer(spelling: string): void {
    const value = Number(spelling)
    if (value >= -32 && value < 128) this.#byte(value & 0xff)
    else if (value >= 0 && value < 2 ** 32) this.#unsigned(value, UINT_8, UINT_16, UINT_32)
    else if (value >= -(2 ** 31) && value < 0) this.#negative(value)
    else {
      const at = this.#coded(value < 0 ? INT_64 : UINT_64, 8)
      this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(spelling)), at)
    }
  }

  #negative(value: number): void {
    const bytes = value >= -(2 ** 7) ? 1 : value >= -(2 ** 15) ? 2 : 4
    const at = this.#coded(bytes === 1 ? INT_8 : bytes === 2 ? INT_16 : INT_32, bytes)
    this.#bytes.writeIntBE(value, at, bytes)
  }

  /** A length, or an integer, in as few bytes as will do. */
  #unsigned(value: number, of8: number, of16: number, of32: number): void {
    const bytes = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : 4
    const at = this.#coded(bytes === 1 ? of8 : bytes === 2 ? of16 : of32, bytes)
    this.#bytes.writeUIntBE(value, at, bytes)
  }

  #byte(byte: number): void {
    const at = this.#room(1)
    this.#bytes[at] = byte
  }

  /** Where so many bytes belong behind a first one. */
  #coded(code: number, bytes: number): number {
    this.#byte(code)
    return this.#room(bytes)
  }

  /** Where the next so many bytes belong. */
  #room(bytes: number): number {
    const start = this.#at
    this.#at += bytes
    if (this.#at > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at))
      this.#bytes.copy(larger, 0, 0, start)
      this.#bytes = larger
    }
    return start
  }
}

interface Container {
  readonly isMap: boolean
  /** Where its header is. */
  readonly start: number
  /** How many it holds, keys included. */
  values: number
}

/** Behind a number or a word. */
function endOfWord(text: string, start: number): number {
  let end = start + 1
  while (end < text.length && !isDelimiter(text.charCodeAt(end))) end += 1
  return end
}

function isDelimiter(code: number): boolean {
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code <= BLANK
}

const [TAB, LINE_FEED, RETURN, BLANK, QUOTE, COMMA, COLON] = [0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a]
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]

// First bytes of values.
const [FIX_MAP, FIX_ARRAY, FIX_STR, NIL, FALSE, TRUE] = [0x80, 0x90, 0xa0, 0xc0, 0xc2, 0xc3]
const [FLOAT_64, UINT_8, UINT_16, UINT_32, UINT_64] = [0xcb, 0xcc, 0xcd, 0xce, 0xcf]
const [INT_8, INT_16, INT_32, INT_64, STR_8, STR_16, STR_32] = [0xd0, 0xd1, 0xd2, 0xd3, 0xd9, 0xda, 0xdb]
const [ARRAY_16, ARRAY_32, MAP_16, MAP_32] = [0xdc, 0xdd, 0xde, 0xdf]
