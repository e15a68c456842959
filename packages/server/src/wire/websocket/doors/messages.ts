import { type ErrorCode, ZaqarError } from '../../../core/errors.ts'
import { deleteMessage } from '../../../core/operations/messages/delete-message.ts'
import { deleteMessages } from '../../../core/operations/messages/delete-messages.ts'
import { getMessage } from '../../../core/operations/messages/get-message.ts'
import { getMessages } from '../../../core/operations/messages/get-messages.ts'
import { listMessages } from '../../../core/operations/messages/list-messages.ts'
import { popMessages } from '../../../core/operations/messages/pop-messages.ts'
import { postMessages } from '../../../core/operations/messages/post-messages.ts'
import { printJson } from '../../../model/json.ts'
import type { Instant, Json, JsonObject, Message } from '../../../model/model.ts'
import { poppedFields } from '../../message-documents.ts'
import { Type } from '../../typed-schema.ts'
import { CLAIM, MARKER, MESSAGE, SECOND_MESSAGE } from '../../v2/example-ids.ts'
import { PostedMessageFields, readIdempotency, readMessage } from '../../v2/messages.ts'
import { invalidBody } from '../../wire-error.ts'
import { messageDocument, messageDocuments } from '../message-documents.ts'
import { type AnySocketDoor, socketDoor } from '../socket-door.ts'
import { upstreamAnswers } from './answer-docs.ts'
import { alsoForTopics, queueIn, toOne, toQueue } from './named.ts'
import { integerIn } from './queues.ts'

const Ids = Type.Array(Type.String())

const DeleteMany = Type.Object({
  queue_name: Type.String(),
  message_ids: Type.Optional(Ids),
  pop: Type.Optional(Type.Integer()),
  claim_ids: Type.Optional(Ids),
})

const SHOWN = { id: MESSAGE, claim_id: null, ttl: 300, age: 0, body: { order: 1017 } }

export const messageDoors: readonly AnySocketDoor[] = [
  socketDoor({
    action: 'message_post',
    operation: postMessages,
    body: Type.Object({
      queue_name: Type.String(),
      messages: Type.Array(Type.Unknown()),
      idempotency_key: Type.Optional(Type.String()),
    }),
    checksClientId: true,
    target: toQueue('POST', '/messages'),
    decode({ body, bytes, limits: { maxMessagesPostBytes: max } }) {
      if (bytes > max) throw new ZaqarError('messages.too_large', { max, ceiling: max })
      const messages = body['messages'] as Json[]
      return {
        queue: queueIn(body),
        messages: messages.map((element) => readMessage(element, PostedMessageFields, badRequest)),
        bytes,
        idempotency: readIdempotency(body['idempotency_key'] as string | undefined, () => printJson(messages)),
      }
    },
    encode: ({ ids }) => ({ status: 201, body: `{"message_ids": ${printJson([...ids])}}` }),
    describe: {
      summary: 'Post messages',
      details:
        'All are stored, or none; a queue that does not exist is created. Each message has a `body`, any JSON value, and may have a ' +
        '`ttl` and, where the queue delays, a `delay` in seconds. A request with the same `idempotency_key` and the same ' +
        'messages is answered as the first one was, and stores nothing.',
      answers: upstreamAnswers.message_post,
      example: {
        body: { queue_name: 'jobs', messages: [{ body: { order: 1017 }, ttl: 300 }, { body: 'call back' }] },
        status: 201,
        answer: { message_ids: [MESSAGE, SECOND_MESSAGE] },
      },
    },
  }),
  socketDoor({
    action: 'message_list',
    operation: listMessages,
    body: Type.Object({
      queue_name: Type.String(),
      marker: Type.Optional(Type.String()),
      limit: Type.Optional(Type.Integer()),
      echo: Type.Optional(Type.Boolean()),
      include_claimed: Type.Optional(Type.Boolean()),
      include_delayed: Type.Optional(Type.Boolean()),
      wait: Type.Optional(Type.Integer()),
      with_markers: Type.Optional(Type.Boolean()),
    }),
    checksClientId: true,
    target: toQueue('GET', '/messages'),
    waits,
    decode: ({ body }) => ({
      queue: queueIn(body),
      marker: body['marker'] as string | undefined,
      limit: integerIn(body, 'limit'),
      echo: body['echo'] === true,
      includeClaimed: body['include_claimed'] === true,
      includeDelayed: body['include_delayed'] === true ? ('always' as const) : ('never' as const),
      waitSeconds: integerIn(body, 'wait'),
      withMarkers: body['with_markers'] === true,
      whenMissing: 'fail' as const,
    }),
    encode: ({ messages, now }) => ({ status: 200, body: `{"messages": ${listedDocuments(messages, now)}}` }),
    describe: {
      summary: 'List messages',
      details:
        'What the same client posted is left out without `echo`. A list goes on behind the id of a message, or the marker that ' +
        '`with_markers` shows. With `wait` the answer comes once there is something to show, or after so many seconds.',
      answers: upstreamAnswers.message_list,
      example: {
        body: { queue_name: 'jobs', echo: true, with_markers: true },
        status: 200,
        answer: { messages: [{ ...SHOWN, marker: MARKER }] },
      },
    },
  }),
  socketDoor({
    action: 'message_get',
    operation: getMessage,
    body: Type.Object({ queue_name: Type.String(), message_id: Type.String() }),
    target: toOne('GET', 'messages'),
    decode: ({ body }) => ({ queue: queueIn(body), id: body['message_id'] as string }),
    encode: ({ message, now }) => ({ status: 200, body: `{"messages": ${messageDocument(message, now)}}` }),
    describe: {
      summary: 'Get a message',
      answers: upstreamAnswers.message_get,
      example: { body: { queue_name: 'jobs', message_id: MESSAGE }, status: 200, answer: { messages: SHOWN } },
    },
  }),
  socketDoor({
    action: 'message_get_many',
    operation: getMessages,
    body: Type.Object({ queue_name: Type.String(), message_ids: Ids }),
    target: toQueue('GET', '/messages'),
    decode: ({ body }) => ({
      queue: queueIn(body),
      ids: body['message_ids'] as string[],
      whenNoneExists: 'show-none' as const,
    }),
    encode: ({ messages, now }) => ({ status: 200, body: `{"messages": ${messageDocuments(messages, now)}}` }),
    describe: {
      summary: 'Get messages by their ids',
      details: 'Those that exist.',
      answers: upstreamAnswers.message_get_many,
      example: { body: { queue_name: 'jobs', message_ids: [MESSAGE] }, status: 200, answer: { messages: [SHOWN] } },
    },
  }),
  socketDoor({
    action: 'message_delete',
    operation: deleteMessage,
    body: Type.Object({
      queue_name: Type.String(),
      message_id: Type.String(),
      claim_id: Type.Optional(Type.String()),
    }),
    target: toOne('DELETE', 'messages'),
    decode: ({ body }) => ({
      queue: queueIn(body),
      id: body['message_id'] as string,
      // Blank is none, as over HTTP.
      claimId: (body['claim_id'] as string | undefined) || undefined,
    }),
    encode: () => ({ status: 204, body: '{}' }),
    failure: ({ code, message }) => (OF_CLAIMS.includes(code) ? message : null),
    describe: {
      summary: 'Delete a message',
      details: 'One that is claimed goes only with its claim. One that does not exist is no error.',
      answers: upstreamAnswers.message_delete,
      example: { body: { queue_name: 'jobs', message_id: MESSAGE, claim_id: CLAIM }, status: 204, answer: {} },
    },
  }),
  socketDoor({
    action: 'message_delete_many',
    operation: deleteMessages,
    body: DeleteMany,
    target: toQueue('DELETE', '/messages'),
    decode({ body }) {
      if (body['message_ids'] === undefined) throw new ZaqarError('delete.nothing_named')
      return {
        queue: queueIn(body),
        ids: body['message_ids'] as string[],
        claimIds: body['claim_ids'] as string[] | undefined,
      }
    },
    encode: () => ({ status: 204, body: '{}' }),
    describe: {
      summary: 'Delete messages by their ids, or take the oldest away',
      details: 'Either `message_ids` or `pop`, how many to take at the most. What is taken is answered, with 200.',
      answers: upstreamAnswers.message_delete_many,
      example: { body: { queue_name: 'jobs', message_ids: [MESSAGE, SECOND_MESSAGE] }, status: 204, answer: {} },
    },
    variants: [
      socketDoor({
        action: 'message_delete_many',
        when: (body) => Object.hasOwn(body, 'pop'),
        operation: popMessages,
        body: DeleteMany,
        target: toQueue('DELETE', '/messages'),
        decode({ body, limits }) {
          if (body['message_ids'] !== undefined) throw new ZaqarError('delete.ids_and_pop')
          if (body['claim_ids'] !== undefined && limits.deleteNeedsClaimIds) {
            throw new ZaqarError('delete.claim_ids_missing')
          }
          return { queue: queueIn(body), limit: integerIn(body, 'pop') as number }
        },
        encode: ({ messages, now }) => ({
          status: 200,
          body: `{"messages": [${messages.map((message) => `{${poppedFields(message, now)}}`).join(', ')}]}`,
        }),
        describe: {
          summary: 'Take messages away',
          answers: upstreamAnswers.message_delete_many_pop,
          example: {
            body: { queue_name: 'jobs', pop: 1 },
            status: 200,
            answer: {
              messages: [{ id: MESSAGE, age: 0, ttl: 300, body: { order: 1017 }, claim_id: null, claim_count: 0 }],
            },
          },
        },
      }),
    ],
  }),
].map(alsoForTopics)

/** Their texts are those that upstream says beside an exception. */
const OF_CLAIMS: readonly ErrorCode[] = ['message.not_claimed', 'message.claim_not_live', 'message.held']

export function waits(body: JsonObject): boolean {
  return (integerIn(body, 'wait') ?? 0) > 0
}

function badRequest(description: string) {
  return invalidBody(`Bad request. ${description}`)
}

function listedDocuments(messages: readonly Message[], now: Instant): string {
  const documents = messages.map((message) => {
    const document = messageDocument(message, now)
    return message.marker === undefined ? document : `${document.slice(0, -1)}, "marker": "${message.marker}"}`
  })
  return `[${documents.join(', ')}]`
}
