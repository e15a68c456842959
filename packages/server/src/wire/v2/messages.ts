import { createHash } from 'node:crypto'
import type { Static, TObject } from 'typebox'
import { ZaqarError } from '../../core/errors.ts'
import { deleteMessage } from '../../core/operations/messages/delete-message.ts'
import { deleteMessages } from '../../core/operations/messages/delete-messages.ts'
import { followMessages } from '../../core/operations/messages/follow-messages.ts'
import { getMessage } from '../../core/operations/messages/get-message.ts'
import { getMessages } from '../../core/operations/messages/get-messages.ts'
import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { popMessages } from '../../core/operations/messages/pop-messages.ts'
import {
  type PostedMessage,
  type PostMessagesInput,
  postMessages,
} from '../../core/operations/messages/post-messages.ts'
import { NestedTooDeep, printJson } from '../../model/json.ts'
import type { Json, JsonObject, Message } from '../../model/model.ts'
import { readArray, readDocument, readFields } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { eventStream } from '../event-stream.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { nextLink } from '../links.ts'
import {
  type MessageView,
  messageDocument,
  messageDocuments,
  messagePath,
  poppedDocuments,
  queuePath,
} from '../message-documents.ts'
import { BooleanParam, IntegerParam, ListParam, lastOf, readQuery, StringParam } from '../query.ts'
import { Type } from '../typed-schema.ts'
import { invalidBody, invalidRequest, WireError } from '../wire-error.ts'
import { messageDocs } from './message-docs.ts'

/** An element of `messages` in a POST. */
export const PostedMessageFields = Type.Object({
  ttl: Type.Optional(Type.Integer()),
  body: Type.Unknown(),
  /** An integer, but looked at only when the queue delays. */
  delay: Type.Optional(Type.Unknown()),
})

const PostedMessages = Type.Object({ messages: Type.Array(PostedMessageFields) })

const LIST_QUERY = {
  marker: StringParam,
  limit: IntegerParam,
  echo: BooleanParam,
  include_claimed: BooleanParam,
  include_delayed: BooleanParam,
  /** Seconds; ours, and so not carried over into links. */
  wait: IntegerParam,
  /** Ours as well. */
  with_markers: BooleanParam,
} as const
const FOLLOW_QUERY = {
  marker: StringParam,
  echo: BooleanParam,
  include_claimed: BooleanParam,
  include_delayed: BooleanParam,
} as const
/** What listings have and a stream cannot heed. */
const NOT_FOLLOWED = ['limit', 'wait', 'ids']
const IDS_QUERY = { ids: ListParam } as const
const DELETE_QUERY = { ids: ListParam, pop: IntegerParam, claim_ids: ListParam } as const
const DELETE_ONE_QUERY = { claim_id: StringParam } as const

/** The most ids that a `Location` names, since clients read no longer header. Beyond, it names the collection. */
const MOST_LOCATED = 200

export const messageDoors: readonly AnyDoor[] = [
  door({
    method: 'POST',
    path: '/queues/:queue/messages',
    operation: postMessages,
    body: PostedMessages,
    describe: messageDocs.post,
    decode: (request) =>
      readPost(request, (document) => {
        if (Array.isArray(document) || document['messages'] === undefined) {
          throw invalidRequest('No messages were found in the request body.')
        }
        return readArray(document['messages']).map((element) => readMessage(element, PostedMessageFields))
      }),
    encode({ ids }, request) {
      const { path } = request
      const resources = ids.map((id) => `"${messagePath(queuePath(request), id)}"`)
      return {
        status: 201,
        headers: { Location: ids.length > MOST_LOCATED ? path : `${path}?ids=${ids.join(',')}` },
        body: `{"resources": [${resources.join(', ')}]}`,
      }
    },
  }),
  door({
    method: 'GET',
    path: '/queues/:queue/messages',
    operation: getMessages,
    query: IDS_QUERY,
    describe: messageDocs.getMany,
    when: (query) => readQuery(query, IDS_QUERY).ids !== undefined,
    decode: ({ params, query }) => ({
      queue: params['queue'] as string,
      ids: readQuery(query, IDS_QUERY).ids as string[],
    }),
    encode: ({ messages, now }, request) => ok(`{"messages": ${messageDocuments(messages, { request, now })}}`),
  }),
  door({
    method: 'GET',
    path: '/queues/:queue/messages',
    operation: listMessages,
    query: LIST_QUERY,
    describe: messageDocs.list,
    decode({ params, query }) {
      const given = readQuery(query, LIST_QUERY)
      const { marker, limit, echo = false, include_claimed = false, include_delayed, wait, with_markers } = given
      const queue = params['queue'] as string
      return {
        queue,
        marker,
        limit,
        echo,
        includeClaimed: include_claimed,
        includeDelayed: include_delayed ? ('always' as const) : ('when-queue-delays-none' as const),
        waitSeconds: wait,
        withMarkers: with_markers === true,
      }
    },
    encode({ messages, marker, limit, includeDelayed, now }, request) {
      const { path, query } = request
      const given = readQuery(query, LIST_QUERY)
      const links = nextLink(
        path,
        [
          ['limit', given.limit === undefined ? undefined : limit],
          ['echo', given.echo],
          ['include_claimed', given.include_claimed],
          ['include_delayed', includeDelayed || given.include_delayed],
        ],
        { given: given.marker !== undefined, next: marker },
      )
      const view = { request, now }
      const documents = given.with_markers ? withMarkers(messages, view) : messageDocuments(messages, view)
      return ok(`{"messages": ${documents}, "links": ${links}}`)
    },
  }),
  door({
    method: 'GET',
    path: '/queues/:queue/messages',
    operation: followMessages,
    answersEvents: true,
    query: FOLLOW_QUERY,
    describe: messageDocs.follow,
    decode({ params, query, headers }) {
      const given = readQuery(query, FOLLOW_QUERY)
      const strange = NOT_FOLLOWED.find((name) => query.has(name))
      if (strange !== undefined) {
        throw new WireError(400, 'Invalid parameter', `An event stream has no end, and so no parameter "${strange}".`)
      }
      const { echo = false, include_claimed = false, include_delayed = false } = given
      const lastId = headers['last-event-id'] as string | undefined
      return {
        queue: params['queue'] as string,
        marker: lastId || given.marker,
        echo,
        includeClaimed: include_claimed,
        includeDelayed: include_delayed,
      }
    },
    encode: (followed, request) => ({ status: 200, events: eventStream(followed, request) }),
  }),
  door({
    method: 'DELETE',
    path: '/queues/:queue/messages',
    operation: popMessages,
    query: DELETE_QUERY,
    describe: messageDocs.pop,
    when: (query) => lastOf(query.get('pop') ?? []) !== '',
    decode({ params, query, limits }) {
      const { ids, pop, claim_ids } = readQuery(query, DELETE_QUERY)
      if (ids !== undefined) throw new ZaqarError('delete.ids_and_pop')
      if (claim_ids !== undefined && limits.deleteNeedsClaimIds) throw new ZaqarError('delete.claim_ids_missing')
      return { queue: params['queue'] as string, limit: pop as number }
    },
    encode: ({ messages, now }, request) => ok(`{"messages": ${poppedDocuments(messages, { request, now })}}`),
  }),
  door({
    method: 'DELETE',
    path: '/queues/:queue/messages',
    operation: deleteMessages,
    query: DELETE_QUERY,
    describe: messageDocs.deleteMany,
    decode({ params, query }) {
      const { ids, claim_ids } = readQuery(query, DELETE_QUERY)
      if (ids === undefined) throw new ZaqarError('delete.nothing_named')
      return { queue: params['queue'] as string, ids, claimIds: claim_ids }
    },
    encode: () => NO_CONTENT,
  }),
  door({
    method: 'GET',
    path: '/queues/:queue/messages/:message',
    operation: getMessage,
    describe: messageDocs.get,
    decode: ({ params }) => ({ queue: params['queue'] as string, id: params['message'] as string }),
    encode: ({ message, now }, request) => ok(messageDocument(message, { request, now })),
  }),
  door({
    method: 'DELETE',
    path: '/queues/:queue/messages/:message',
    operation: deleteMessage,
    query: DELETE_ONE_QUERY,
    describe: messageDocs.delete,
    decode({ params, query }) {
      const { claim_id: claimId } = readQuery(query, DELETE_ONE_QUERY)
      return { queue: params['queue'] as string, id: params['message'] as string, claimId }
    },
    encode: () => NO_CONTENT,
  }),
]

function withMarkers(messages: readonly Message[], view: MessageView): string {
  const documents = messages.map(
    (message) => `${messageDocument(message, view).slice(0, -1)}, "marker": "${message.marker}"}`,
  )
  return `[${documents.join(', ')}]`
}

/** The input of a POST. `readMessages` finds the messages in its document. */
export function readPost(
  { params, body, headers, limits }: DoorRequest,
  readMessages: (document: JsonObject | Json[]) => PostedMessage[],
): PostMessagesInput {
  const bytes = body.bytes ?? 0
  const { maxMessagesPostBytes: maxBytes } = limits
  if (bytes > maxBytes) throw new ZaqarError('messages.too_large', { max: maxBytes, ceiling: maxBytes })
  return {
    queue: params['queue'] as string,
    messages: readMessages(readDocument(body)),
    bytes,
    idempotency: readIdempotency(headers['idempotency-key'] as string | undefined, () => body.text as string),
  }
}

/** `text`: of what is posted. */
export function readIdempotency(
  given: string | undefined,
  text: () => string,
): { key: string; digest: string } | undefined {
  const key = readIdempotencyKey(given)
  return key === undefined ? undefined : { key, digest: createHash('sha256').update(text()).digest('base64') }
}

/** A message as it was posted. `fields` are `PostedMessageFields`, or those of an older version. */
export function readMessage(element: Json, fields: TObject, refuse = invalidBody): PostedMessage {
  const { ttl, body, delay } = readFields(element, fields, refuse) as Static<typeof PostedMessageFields>
  try {
    return { body: printJson(body as Json), ttlSeconds: ttl, delay: delay as Json | undefined }
  } catch (error) {
    if (error instanceof NestedTooDeep) throw refuse('The body of a message is nested too deep.')
    throw error
  }
}
