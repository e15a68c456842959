/**
 * Payloads of frames that push messages. Each is made once, however many get it. (contract websocket.md 7.2)
 */
import type { Page } from '../../core/listing.ts'
import type { Push } from '../../core/receiver.ts'
import type { Claim, Instant, Message } from '../../model/model.ts'
import type { Encoding } from './encodings.ts'
import { encodeJson } from './json-frames.ts'
import { messageDocuments } from './message-documents.ts'
import { encodeMsgpack } from './msgpack-frames.ts'

const encoders = { json: encodeJson, msgpack: encodeMsgpack } as const satisfies Record<
  Encoding,
  (text: string) => Buffer
>

/** Forms in which the messages of a queue are pushed: by encoding, without and with ids. */
type Forms<Made> = { -readonly [Form in `${Encoding}${'' | ' with ids'}`]?: Made }

const framesOfPages = new WeakMap<Page, Forms<readonly Buffer[]>>()
/** Pages that lost some to a filter hold the same messages. */
const framesOfMessages = new WeakMap<Message, Forms<Buffer>>()

/** One for each message. Whoever gets the same page in the same form gets the same array. */
export function pushFrames(push: Push, page: Page, encoding: Encoding): readonly Buffer[] {
  const form = formOf(push, encoding)
  const forms = framesOf(framesOfPages, page)
  forms[form] ??= page.messages.map((message) => pushFrame(push, message, encoding))
  return forms[form]
}

function pushFrame(push: Push, message: Message, encoding: Encoding): Buffer {
  const form = formOf(push, encoding)
  const forms = framesOf(framesOfMessages, message)
  forms[form] ??= encoders[encoding](pushDocument(push, message))
  return forms[form]
}

function formOf({ withIds }: Push, encoding: Encoding): keyof Forms<unknown> {
  return withIds ? `${encoding} with ids` : encoding
}

function framesOf<Thing extends object, Made>(made: WeakMap<Thing, Forms<Made>>, thing: Thing): Forms<Made> {
  const found = made.get(thing)
  if (found !== undefined) return found
  const forms: Forms<Made> = {}
  made.set(thing, forms)
  return forms
}

/** The document of a notification, and by option what says where to go on. */
function pushDocument({ key, withIds }: Push, { id, marker, ttlSeconds, body }: Message): string {
  const topic = key.kind === 'topic' ? `, "topic_name": "${key.name}"` : ''
  const place = withIds ? `, "id": "${id}", "marker": "${marker}"${topic}` : ''
  const about = `"Message_Type": "Notification", "queue_name": "${key.name}"`
  return `{"ttl": ${ttlSeconds}, "body": ${body}, ${about}${place}}`
}

/** Messages that were claimed for the connection. `ttl` of the claim in seconds. */
export function claimFrame(push: Push, claim: Claim, now: Instant, encoding: Encoding): Buffer {
  const { id, ttlSeconds, messages } = claim
  const about = `"Message_Type": "Claim", "queue_name": "${push.key.name}"`
  const documents = messageDocuments(messages, now)
  return encoders[encoding](`{${about}, "claim_id": "${id}", "ttl": ${ttlSeconds}, "messages": ${documents}}`)
}
