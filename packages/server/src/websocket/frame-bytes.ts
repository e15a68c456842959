/** Frames as they go out: whole messages, not masked, without extensions. (RFC 6455, 5.2) */

import type { Encoding } from '../wire/websocket/encodings.ts'

const FIN = 0x80
const OPCODES = { json: 0x1, msgpack: 0x2 } as const satisfies Record<Encoding, number>
const PING = 0x9
const PONG = 0xa
/** The longest payload whose length stands in the second byte, and in two bytes more. */
const LONGEST_TINY = 125
const LONGEST_SHORT = 0xffff

/** JSON in a text frame, MessagePack in a binary one. */
export function messageFrame(payload: Buffer, encoding: Encoding): Buffer {
  return frame(OPCODES[encoding], payload)
}

/** `payload`: of the ping that it answers, at most 125 bytes. */
export function pongFrame(payload: Buffer): Buffer {
  return frame(PONG, payload)
}

export const PING_FRAME = frame(PING, Buffer.alloc(0))

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const headBytes = length <= LONGEST_TINY ? 2 : length <= LONGEST_SHORT ? 4 : 10
  const bytes = Buffer.allocUnsafe(headBytes + length)
  bytes[0] = FIN | opcode
  if (headBytes === 2) bytes[1] = length
  else if (headBytes === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(length), 2)
  }
  payload.copy(bytes, headBytes)
  return bytes
}
