/** Frames of JSON. (contract websocket.md 2, 3) */
import { asciiJson } from '../../model/ascii-json.ts'
import { IntegerTooLarge, isObject, NestedTooDeep, parseJson } from '../../model/json.ts'
import { membersOf } from '../../model/members.ts'
import type { Json } from '../../model/model.ts'
import { type Codec, Undecodable } from './codec.ts'
import { pythonComplaint } from './python-complaint.ts'

export const jsonCodec: Codec<string> = {
  called: 'text (JSON)',
  decode(data) {
    const text = data.toString()
    const document = parse(text)
    return { document, members: isObject(document) ? membersOf(text) : new Map() }
  },
  echo({ action = 'null', body = '{}', headers = '{}', requestId }) {
    const request = `{"action": ${action}, "body": ${body}, "headers": ${headers}, "api": "v2"}`
    const last = requestId === undefined ? '' : `, "request_id": ${requestId}`
    return {
      answer: ({ status, body }) =>
        encodeJson(`{"request": ${request}, "body": ${body}, "headers": {"status": ${status}}${last}}`),
    }
  },
}

function parse(text: string): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw new Undecodable('JSONDecodeError', pythonComplaint(text))
    if (error instanceof IntegerTooLarge) throw new Undecodable('ValueError', 'an integer of more than 64 bits')
    if (error instanceof NestedTooDeep) throw new Undecodable('RecursionError', 'nested deeper than 500')
    throw error
  }
}

/** The payload for a document. */
export function encodeJson(text: string): Buffer {
  return Buffer.from(asciiJson(text), 'latin1')
}
