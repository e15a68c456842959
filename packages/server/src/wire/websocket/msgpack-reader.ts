/**
 * Reads MessagePack as Python does with `strict_map_key`, straight into JSON values: no library tells 1.0 from 1, nor
 * holds back from allocating what an array only announces. (contract websocket.md 2; MessagePack specification)
 */
import { isUtf8 } from 'node:buffer'
import { IntegerTooLarge, KeptNumber, keepOrder, orderWith, setMember, toInteger } from '../../model/json-reader.ts'
import type { Json, JsonObject } from '../../model/model.ts'
import { type Decoded, Undecodable } from './codec.ts'

/** As of JSON. */
const MAX_DEPTH = 500

/**
 * `bin` comes as text, since bodies are JSON here.
 * @throws Undecodable when it is not one document in the whole of `data`, or holds what JSON cannot
 */
export function decodeMsgpack(data: Buffer): Decoded<Buffer> {
  const reader = new Reader(data)
  const document = reader.read()
  return { document, members: reader.members }
}

class Reader {
  /** The values of the map that the document is, each as it came; none where it is something else. */
  readonly members = new Map<string, Buffer>()
  readonly #data: Buffer
  #at = 0
  #depth = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  read(): Json {
    const value = this.#value()
    if (this.#at < this.#data.length) throw new Undecodable('ExtraData', 'unpack(b) received extra data.')
    return value
  }

  #value(): Json {
    const code = this.#data[this.#take(1)] as number
    if (code < FIX_MAP) return code
    if (code < FIX_ARRAY) return this.#map(code - FIX_MAP)
    if (code < FIX_STR) return this.#array(code - FIX_ARRAY)
    if (code < NIL) return this.#text(code - FIX_STR)
    if (code >= NEGATIVE_FIX_INT) return code - 256
    return this.#coded(code)
  }

  #coded(code: number): Json {
    const data = this.#data
    switch (code) {
      case NIL:
        return null
      case FALSE:
        return false
      case TRUE:
        return true
      case BIN_8:
      case STR_8:
        return this.#text(this.#length(1))
      case BIN_16:
      case STR_16:
        return this.#text(this.#length(2))
      case BIN_32:
      case STR_32:
        return this.#text(this.#length(4))
      case FLOAT_32:
        return float(data.readFloatBE(this.#take(4)))
      case FLOAT_64:
        return float(data.readDoubleBE(this.#take(8)))
      case UINT_8:
        return data.readUInt8(this.#take(1))
      case UINT_16:
        return data.readUInt16BE(this.#take(2))
      case UINT_32:
        return data.readUInt32BE(this.#take(4))
      case UINT_64:
        return integer(data.readBigUInt64BE(this.#take(8)))
      case INT_8:
        return data.readInt8(this.#take(1))
      case INT_16:
        return data.readInt16BE(this.#take(2))
      case INT_32:
        return data.readInt32BE(this.#take(4))
      case INT_64:
        return integer(data.readBigInt64BE(this.#take(8)))
      case ARRAY_16:
        return this.#array(this.#length(2))
      case ARRAY_32:
        return this.#array(this.#length(4))
      case MAP_16:
        return this.#map(this.#length(2))
      case MAP_32:
        return this.#map(this.#length(4))
      case NEVER_USED:
        throw new Undecodable('FormatError', 'byte 0xc1')
      default:
        throw new Undecodable('ValueError', 'an extension type, for which JSON has nothing')
    }
  }

  /** Where the next so many bytes begin. */
  #take(bytes: number): number {
    const start = this.#at
    this.#at += bytes
    if (this.#at > this.#data.length) throw new Undecodable('ValueError', 'Unpack failed: incomplete input')
    return start
  }

  #length(bytes: number): number {
    return this.#data.readUIntBE(this.#take(bytes), bytes)
  }

  #text(bytes: number): string {
    const start = this.#take(bytes)
    return (bytes <= SHORT ? this.#ascii(start) : null) ?? this.#utf8(start)
  }

  /** A call of Node's costs more than a short text does. Null where it is not ASCII. */
  #ascii(start: number): string | null {
    let text = ''
    for (let at = start; at < this.#at; at++) {
      const code = this.#data[at] as number
      if (code > LAST_ASCII) return null
      text += String.fromCharCode(code)
    }
    return text
  }

  #utf8(start: number): string {
    const text = this.#data.toString('utf8', start, this.#at)
    if (text.includes(REPLACEMENT) && !isUtf8(this.#data.subarray(start, this.#at))) {
      throw new Undecodable('UnicodeDecodeError', `no UTF-8 in what begins at byte ${start}`)
    }
    return text
  }

  #array(length: number): Json[] {
    this.#goDeeper()
    const items: Json[] = []
    while (items.length < length) items.push(this.#value())
    this.#depth -= 1
    return items
  }

  #map(length: number): JsonObject {
    this.#goDeeper()
    const object: JsonObject = {}
    let order: string[] | null = null
    for (let left = length; left > 0; left--) {
      const key = this.#key()
      const start = this.#at
      const value = this.#value()
      if (this.#depth === 1) this.members.set(key, this.#data.subarray(start, this.#at))
      order = orderWith(order, object, key)
      setMember(object, key, value)
    }
    keepOrder(object, order)
    this.#depth -= 1
    return object
  }

  #key(): string {
    const code = this.#data[this.#at] ?? FIX_STR
    const isText = (code >= FIX_STR && code < NIL) || (code >= STR_8 && code <= STR_32)
    if (!isText) throw new Undecodable('ValueError', `the key of a map at byte ${this.#at} is no str`)
    return this.#value() as string
  }

  #goDeeper(): void {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new Undecodable('StackError', `nested deeper than ${MAX_DEPTH}`)
  }
}

/** A float is one when it is read again, too: 1.0 is not 1. */
function float(value: number): Json {
  if (!Number.isFinite(value)) throw new Undecodable('ValueError', `${value}, for which JSON has nothing`)
  const spelling = Object.is(value, -0) ? '-0' : String(value)
  return new KeptNumber(/[.e]/.test(spelling) ? spelling : `${spelling}.0`) as unknown as Json
}

function integer(value: bigint): Json {
  try {
    return toInteger(String(value))
  } catch (error) {
    if (error instanceof IntegerTooLarge)
      throw new Undecodable('ValueError', `an integer of more than 64 bits: ${value}`)
    throw error
  }
}

/** In bytes. */
const SHORT = 16
const LAST_ASCII = 0x7f

/** What stands for bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd'

// First bytes of values.
const [FIX_MAP, FIX_ARRAY, FIX_STR, NEGATIVE_FIX_INT] = [0x80, 0x90, 0xa0, 0xe0]
const [NIL, NEVER_USED, FALSE, TRUE, BIN_8, BIN_16, BIN_32] = [0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6]
const [FLOAT_32, FLOAT_64, UINT_8, UINT_16, UINT_32, UINT_64] = [0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf]
const [INT_8, INT_16, INT_32, INT_64, STR_8, STR_16, STR_32] = [0xd0, 0xd1, 0xd2, 0xd3, 0xd9, 0xda, 0xdb]
const [ARRAY_16, ARRAY_32, MAP_16, MAP_32] = [0xdc, 0xdd, 0xde, 0xdf]
