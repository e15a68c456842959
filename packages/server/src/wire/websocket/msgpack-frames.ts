/** Frames of MessagePack. (contract websocket.md 2, 3) */

import type { Codec } from './codec.ts'
import { decodeMsgpack } from './msgpack-reader.ts'
import { MsgpackWriter } from './msgpack-writer.ts'

/** One for all, since nothing is written while another thing is. */
const writer = new MsgpackWriter()

const [NOTHING, EMPTY] = [encodeMsgpack('null'), encodeMsgpack('{}')]

export const msgpackCodec: Codec<Buffer> = {
  called: 'binary (MessagePack)',
  decode: decodeMsgpack,
  echo: ({ action = NOTHING, body = EMPTY, headers = EMPTY, requestId }) => ({
    answer(answer) {
      writer.mapHeader(requestId === undefined ? 3 : 4)
      writer.text('request')
      writer.mapHeader(4)
      writer.text('action')
      writer.raw(action)
      writer.text('body')
      writer.raw(body)
      writer.text('headers')
      writer.raw(headers)
      writer.text('api')
      writer.text('v2')
      writer.text('body')
      writer.json(answer.body)
      writer.text('headers')
      writer.json(`{"status": ${answer.status}}`)
      if (requestId !== undefined) {
        writer.text('request_id')
        writer.raw(requestId)
      }
      return writer.take()
    },
  }),
}

/** The payload for a document of JSON text. */
export function encodeMsgpack(text: string): Buffer {
  writer.json(text)
  return writer.take()
}
