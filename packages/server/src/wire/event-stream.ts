import type { Page } from '../core/listing.ts'
import type { FollowedMessages } from '../core/operations/messages/follow-messages.ts'
import type { DoorRequest, TextStream } from './door.ts'
import { messageDocument } from './message-documents.ts'

/** How long a client waits before it connects again, in milliseconds. */
const RETRY_MS = 2_000

const HEARTBEAT = ':\n\n'

/** A page goes to many. */
const textOf = new WeakMap<Page, string>()

/**
 * Messages as events (https://html.spec.whatwg.org/multipage/server-sent-events.html), each with its marker as id.
 * `marker` comes first, without data, so that a client which has to connect again before any message has come goes on
 * from where it began.
 */
export function eventStream({ marker, pages }: FollowedMessages, request: DoorRequest): TextStream {
  return {
    [Symbol.asyncIterator]() {
      const iterator = pages[Symbol.asyncIterator]()
      let first: string | null = `retry: ${RETRY_MS}\n${marker === null ? '' : `id: ${marker}\n`}\n`
      return {
        async next() {
          if (first !== null) {
            const value = first
            first = null
            return { value }
          }
          const { done, value } = await iterator.next()
          return done ? { done, value: undefined } : { value: value === null ? HEARTBEAT : eventsOf(value, request) }
        },
        async return() {
          await iterator.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

/** All requests that a page answers are for the same queue, and show messages in the same form. */
function eventsOf(page: Page, request: DoorRequest): string {
  let text = textOf.get(page)
  if (text === undefined) {
    const events = page.messages.map(
      (message) => `id: ${message.marker}\ndata: ${messageDocument(message, { request, now: page.now })}\n\n`,
    )
    text = events.join('')
    textOf.set(page, text)
  }
  return text
}
