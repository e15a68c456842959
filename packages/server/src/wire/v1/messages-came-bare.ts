import { Type } from 'typebox'
import { createClaim } from '../../core/operations/claims/create-claim.ts'
import { getMessages } from '../../core/operations/messages/get-messages.ts'
import { postMessages } from '../../core/operations/messages/post-messages.ts'
import { readArray } from '../body.ts'
import { ok } from '../door.ts'
import { messageDocuments } from '../message-documents.ts'
import { all, altered, type Change } from '../older.ts'
import { postsDidNotHeedTheQueue } from '../v1_1/posts-did-not-heed-the-queue.ts'
import { type MessageDoorLimits, readMessage, readPost } from '../v2/messages.ts'

/** `ttl` is required. */
const PostedMessageFields = Type.Object({ ttl: Type.Integer(), body: Type.Unknown() })

/**
 * Messages were posted, claimed and got by id as a mere array, and shown without their ids. The answer to a POST said that it
 * was not partial. (contract http.md 3.7, 3.8.1)
 */
export function messagesCameBare({ maxMessagesPostBytes }: Pick<MessageDoorLimits, 'maxMessagesPostBytes'>): Change {
  return all(
    (newer) => ({ ...newer, messageForm: 'bare' }),
    altered(postMessages, ({ encode }) => ({
      decode: (request) =>
        readPost(request, maxMessagesPostBytes, (document) =>
          readArray(document).map((element) => readMessage(element, PostedMessageFields)),
        ),
      encode(output, request) {
        const { body = '', ...answer } = encode(output, request)
        return { ...answer, body: `${body.slice(0, -1)}, "partial": false}` }
      },
    })),
    // Posts are read anew, so this has to be said anew.
    postsDidNotHeedTheQueue,
    altered(getMessages, () => ({
      encode: ({ messages, now }, request) => ok(messageDocuments(messages, { request, now, checksum: false })),
    })),
    altered(createClaim, ({ encode }) => ({
      encode(found, request) {
        const answer = encode(found, request)
        if (found === null) return answer
        const { claim, now } = found
        return { ...answer, body: messageDocuments(claim.messages, { request, now, checksum: false, inClaim: true }) }
      },
    })),
  )
}
