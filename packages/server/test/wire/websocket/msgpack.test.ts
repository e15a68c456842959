import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Packr, Unpackr } from 'msgpackr'
import { isKeptNumber, isObject, parseJson, printJson } from '../../../src/model/json.ts'
import { keysOf } from '../../../src/model/json-reader.ts'
import type { Json } from '../../../src/model/model.ts'
import { Undecodable } from '../../../src/wire/websocket/codec.ts'
import { encodeMsgpack } from '../../../src/wire/websocket/msgpack-frames.ts'
import { decodeMsgpack } from '../../../src/wire/websocket/msgpack-reader.ts'
import { askPython, pythonIsMissing } from './ask-python.ts'
import { jsonText, jsonTextForJavaScript } from './documents.ts'

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false, int64AsType: 'bigint' })

/** As JSON text. */
function read(data: Uint8Array): string {
  return printJson(decodeMsgpack(Buffer.from(data)).document)
}

/** What is written in hexadecimal, with blanks. */
function refusalOf(hex: string): string {
  const data = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  try {
    return read(data)
  } catch (error) {
    assert.ok(error instanceof Undecodable, String(error))
    return error.message
  }
}

test('a document comes back as it was, to the spelling of its numbers and the order of its keys', () => {
  fc.assert(fc.property(jsonText, (text) => assert.equal(read(encodeMsgpack(text)), text)))
})

test('msgpackr reads what is written here, and what it writes is read here', () => {
  fc.assert(
    fc.property(jsonTextForJavaScript, (text) => {
      assert.equal(textOf(unpackr.unpack(encodeMsgpack(text))), text)
      assert.equal(read(packr.pack(forPackr(parseJson(text)))), text)
    }),
  )
})

test('Python writes the same bytes, and reads and refuses the same', { skip: pythonIsMissing }, () => {
  const texts = fc.sample(jsonText, 400)
  const packed = askPython(texts.map((pack) => ({ pack })))
  assert.deepEqual(
    texts.map((text) => encodeMsgpack(text).toString('hex')),
    packed,
  )
  const mutation = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.nat(255), fc.nat(3))
  const broken = fc.sample(mutation, 2000).map(([text, at, byte, kind]) => mutated(encodeMsgpack(text), at, byte, kind))
  const unpacked = askPython(broken.map((data) => ({ unpack: data.toString('hex') })))
  for (const [index, data] of broken.entries()) {
    const theirs = unpacked[index] ?? null
    const ours = accepted(data)
    assert.deepEqual(ours && normal(ours), theirs && normal(theirs), data.toString('hex'))
  }
})

describe('what JSON cannot hold, or what is not one whole document, is refused', () => {
  const refused = [
    ['nothing', '', 'ValueError: Unpack failed: incomplete input'],
    ['a text that is cut off', 'a5 68 65', 'ValueError: Unpack failed: incomplete input'],
    ['a second document', '01 02', 'ExtraData: unpack(b) received extra data.'],
    ['the byte that means nothing', '91 c1', 'FormatError: byte 0xc1'],
    ['an integer as a key', '81 01 02', 'ValueError: the key of a map at byte 1 is no str'],
    ['a key of bytes', '81 c4 01 61 02', 'ValueError: the key of a map at byte 1 is no str'],
    ['text that is no UTF-8', 'a2 c3 28', 'UnicodeDecodeError: no UTF-8 in what begins at byte 1'],
    ['half a surrogate pair', 'a3 ed a0 80', 'UnicodeDecodeError: no UTF-8 in what begins at byte 1'],
    ['bytes that are no UTF-8', 'c4 01 ff', 'UnicodeDecodeError: no UTF-8 in what begins at byte 2'],
    ['a timestamp', 'd6 ff 00 00 00 00', 'ValueError: an extension type, for which JSON has nothing'],
    ['an extension', 'c7 01 05 00', 'ValueError: an extension type, for which JSON has nothing'],
    ['no number', 'cb 7f f8 00 00 00 00 00 00', 'ValueError: NaN, for which JSON has nothing'],
    ['infinity', 'ca ff 80 00 00', 'ValueError: -Infinity, for which JSON has nothing'],
    [
      'an integer of 64 bits without sign',
      'cf ff ff ff ff ff ff ff ff',
      'ValueError: an integer of more than 64 bits: 18446744073709551615',
    ],
    ['an array that announces 4,294,967,295 items', 'dd ff ff ff ff', 'ValueError: Unpack failed: incomplete input'],
    ['a map that announces as many', 'df ff ff ff ff', 'ValueError: Unpack failed: incomplete input'],
    ['a text that announces as many bytes', 'db ff ff ff ff 61', 'ValueError: Unpack failed: incomplete input'],
    ['such an array in such an array', 'dd ff ff ff ff '.repeat(400), 'ValueError: Unpack failed: incomplete input'],
    ['501 arrays in one another', '91'.repeat(501), 'StackError: nested deeper than 500'],
  ] as const
  for (const [what, hex, message] of refused) test(what, () => assert.equal(refusalOf(hex), message))
})

test('bytes that are UTF-8 come as text', () => {
  assert.equal(refusalOf('c4 03 e2 82 ac'), '"€"')
})

test('of a key that comes twice, the last value counts', () => {
  assert.equal(refusalOf('82 a1 61 01 a1 61 02'), '{"a": 2}')
})

test('500 arrays in one another can be read and written', () => {
  const text = '['.repeat(500) + ']'.repeat(500)
  assert.equal(read(encodeMsgpack(text)), text)
})

/** What msgpackr makes of MessagePack, as JSON text. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  if (!(value instanceof Map)) return typeof value === 'string' ? JSON.stringify(value) : String(value)
  const members = Array.from(value as Map<string, unknown>, ([key, one]) => `${JSON.stringify(key)}: ${textOf(one)}`)
  return `{${members.join(', ')}}`
}

/** It writes integers of more than 32 bits as floats unless they are `BigInt`. */
function forPackr(value: Json): unknown {
  if (Array.isArray(value)) return value.map(forPackr)
  if (isKeptNumber(value)) return /[.e]/.test(value.spelling) ? Number(value.spelling) : BigInt(value.spelling)
  if (isObject(value)) return new Map(keysOf(value).map((key) => [key, forPackr(value[key] as Json)]))
  return typeof value === 'number' && Math.abs(value) > 2 ** 31 ? BigInt(value) : value
}

/** One byte changed, removed or put in, or the end cut off. */
function mutated(data: Buffer, at: number, byte: number, kind: number): Buffer {
  const place = at % data.length
  if (kind === 0) return data.subarray(0, place)
  const behind = data.subarray(kind === 1 ? place : place + 1)
  return Buffer.concat([data.subarray(0, place), ...(kind === 3 ? [] : [Buffer.from([byte])]), behind])
}

/** Null where it is refused. */
function accepted(data: Buffer): string | null {
  try {
    return read(data)
  } catch (error) {
    assert.ok(error instanceof Undecodable, String(error))
    return null
  }
}

/** Without what different printers do differently: floats, escapes, blanks. */
function normal(text: string): string {
  return textOf(forPackr(parseJson(text)))
}
