import type { Operation } from '../../core/execute.ts'
import { createClaim } from '../../core/operations/claims/create-claim.ts'
import { getClaim } from '../../core/operations/claims/get-claim.ts'
import { getMessage } from '../../core/operations/messages/get-message.ts'
import { getMessages } from '../../core/operations/messages/get-messages.ts'
import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { postMessages } from '../../core/operations/messages/post-messages.ts'
import type { Json, JsonObject } from '../../model/model.ts'
import { readArray } from '../body.ts'
import { ok } from '../door.ts'
import { messageDocuments } from '../message-documents.ts'
import { all, altered, type Change, described, shaped } from '../older.ts'
import { listOf, ref, withoutProperties, withProperties } from '../openapi/json-schema.ts'
import { overlay } from '../openapi/overlay.ts'
import { reshaped, withBody } from '../openapi/restate.ts'
import { Type } from '../typed-schema.ts'
import { postedFields } from '../v1_1/posts-did-not-heed-the-queue.ts'
import { readMessage, readPost } from '../v2/messages.ts'

/** `ttl` is required. */
const PostedMessageFields = Type.Object({ ttl: Type.Integer(), body: Type.Unknown() })

const theyWereDescribedSo = all(
  shaped('Message', (newer) =>
    overlay(withoutProperties(newer, ['id', 'checksum']), {
      properties: { href: { description: 'Ends with `?claim_id=` and the claim where a claim is shown.' } },
    }),
  ),
  shaped('Messages', () => listOf(ref('Message'))),
  shaped('PostedMessages', (newer) => withProperties(newer, { partial: { const: false } })),
  described(postMessages, (newer, { limits }) => ({
    ...withBody(newer, ({ description }) => ({
      description,
      minItems: 1,
      items: { properties: postedFields(limits) },
    })),
    examples: newer.examples.map(({ request, answer, ...example }) => ({
      ...example,
      request: {
        ...request,
        body: messagesOf(request.body).map((one) => ({ ttl: limits.defaultMessageTtlSeconds, ...one })),
      },
      answer: { ...answer, body: { ...(answer.body as JsonObject), partial: false } },
    })),
  })),
  shown(listMessages, (body) => ({ ...body, messages: messagesOf(body).map(bare) })),
  shown(getMessages, (body) => messagesOf(body).map(bare)),
  shown(getMessage, bare),
  shown(createClaim, (body) => messagesOf(body).map(bare)),
  shown(getClaim, (body) => ({ ...body, messages: messagesOf(body).map(bare) })),
)

/**
 * Messages were posted, claimed and got by id as a mere array, and shown without their ids. The answer to a POST said
 * that it was not partial. (contract http.md 3.7, 3.8.1)
 */
export const messagesCameBare = all(
  (newer) => ({ ...newer, messageForm: 'bare' }),
  altered(postMessages, ({ encode }) => ({
    body: Type.Array(PostedMessageFields),
    decode: (request) => ({
      ...readPost(request, (document) =>
        readArray(document).map((element) => readMessage(element, PostedMessageFields)),
      ),
      heedsQueueSettings: false,
    }),
    encode(output, request) {
      const { body = '', ...answer } = encode(output, request)
      return { ...answer, body: `${body.slice(0, -1)}, "partial": false}` }
    },
  })),
  altered(getMessages, () => ({
    encode: ({ messages, now }, request) => ok(messageDocuments(messages, { request, now })),
  })),
  altered(createClaim, ({ encode }) => ({
    encode(created, request) {
      const answer = encode(created, request)
      if (created.found === null) return answer
      const { claim, now } = created.found
      return { ...answer, body: messageDocuments(claim.messages, { request, now, inClaim: true }) }
    },
  })),
  theyWereDescribedSo,
)

function shown<Input, Output>(operation: Operation<Input, Output>, form: (newer: JsonObject) => Json): Change {
  return described(operation, (newer) => ({
    ...newer,
    examples: reshaped(newer.examples, (body) => form(body as JsonObject)),
  }))
}

function messagesOf(body: Json | undefined): JsonObject[] {
  return (body as { messages: JsonObject[] }).messages
}

function bare({ id: _notShown, ...message }: JsonObject): JsonObject {
  return message
}
