import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { ZaqarError } from '../../core/errors.ts'
import { NestedTooDeep, printJson } from '../../core/model/json.ts'
import type { Json } from '../../core/model/model.ts'
import { deleteMessage } from '../../core/operations/messages/delete-message.ts'
import { deleteMessages } from '../../core/operations/messages/delete-messages.ts'
import { getMessage } from '../../core/operations/messages/get-message.ts'
import { getMessages } from '../../core/operations/messages/get-messages.ts'
import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { popMessages } from '../../core/operations/messages/pop-messages.ts'
import { type PostedMessage, postMessages } from '../../core/operations/messages/post-messages.ts'
import { readArray, readDocument, readFields } from '../body.ts'
import { type AnyDoor, door, NO_CONTENT, ok, type RequestBody } from '../door.ts'
import { nextLink } from '../links.ts'
import { messageDocument, messageDocuments, messagePath, poppedDocuments, queuePath } from '../message-documents.ts'
import { BooleanParam, IntegerParam, ListParam, readQuery, StringParam } from '../query.ts'
import { invalidBody, invalidRequest } from '../refusal.ts'

/** An element of `messages` in a POST. */
export const PostedMessageFields = Type.Object({
  ttl: Type.Optional(Type.Integer()),
  body: Type.Unknown(),
  /** An integer, but looked at only when the queue delays. */
  delay: Type.Optional(Type.Unknown()),
})

export const LIST_QUERY = {
  marker: StringParam,
  limit: IntegerParam,
  echo: BooleanParam,
  include_claimed: BooleanParam,
  include_delayed: BooleanParam,
  /** Seconds; ours, and so not carried over into links. */
  wait: IntegerParam,
} as const
const IDS_QUERY = { ids: ListParam } as const
const DELETE_QUERY = { ids: ListParam, pop: IntegerParam, claim_ids: ListParam } as const

export interface MessageDoorLimits {
  /** Bytes of the document of a POST, for any queue. */
  readonly maxMessagesPostBytes: number
  readonly deleteNeedsClaimIds: boolean
  /** Whether message documents carry a checksum. */
  readonly checksum: boolean
}

export function messageDoors(limits: MessageDoorLimits): AnyDoor[] {
  const { maxMessagesPostBytes, deleteNeedsClaimIds, checksum } = limits
  return [
    door({
      method: 'POST',
      path: '/queues/:queue/messages',
      operation: postMessages,
      decode({ params, body, headers }) {
        const bytes = body.bytes ?? 0
        if (bytes > maxMessagesPostBytes) {
          throw new ZaqarError('messages.too_large', { max: maxMessagesPostBytes, ceiling: maxMessagesPostBytes })
        }
        const document = readDocument(body)
        if (Array.isArray(document) || document['messages'] === undefined) {
          throw invalidRequest('No messages were found in the request body.')
        }
        return {
          queue: params['queue'] as string,
          messages: readArray(document['messages']).map(readMessage),
          bytes,
          idempotency: readIdempotency(headers['idempotency-key'] as string | undefined, body),
        }
      },
      encode({ ids }, request) {
        const { path } = request
        const resources = ids.map((id) => `"${messagePath(queuePath(request), id)}"`)
        return {
          status: 201,
          headers: { Location: `${path}?ids=${ids.join(',')}` },
          body: `{"resources": [${resources.join(', ')}]}`,
        }
      },
    }),
    door({
      method: 'GET',
      path: '/queues/:queue/messages',
      operation: getMessages,
      when: (query) => readQuery(query, IDS_QUERY).ids !== undefined,
      decode: ({ params, query }) => ({
        queue: params['queue'] as string,
        ids: readQuery(query, IDS_QUERY).ids as string[],
      }),
      encode: ({ messages, now }, request) =>
        ok(`{"messages": ${messageDocuments(messages, { request, now, checksum })}}`),
    }),
    door({
      method: 'GET',
      path: '/queues/:queue/messages',
      operation: listMessages,
      decode({ params, query }) {
        const given = readQuery(query, LIST_QUERY)
        const { marker, limit, echo = false, include_claimed = false, include_delayed, wait } = given
        const queue = params['queue'] as string
        return {
          queue,
          marker,
          limit,
          echo,
          includeClaimed: include_claimed,
          includeDelayed: include_delayed,
          waitSeconds: wait,
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
        const documents = messageDocuments(messages, { request, now, checksum })
        return ok(`{"messages": ${documents}, "links": ${links}}`)
      },
    }),
    door({
      method: 'DELETE',
      path: '/queues/:queue/messages',
      operation: popMessages,
      when: (query) => query.get('pop')?.some((value) => value !== '') === true,
      decode({ params, query }) {
        const { ids, pop, claim_ids } = readQuery(query, DELETE_QUERY)
        if (ids !== undefined) throw new ZaqarError('delete.ids_and_pop')
        if (claim_ids !== undefined && deleteNeedsClaimIds) throw new ZaqarError('delete.claim_ids_missing')
        return { queue: params['queue'] as string, limit: pop as number }
      },
      encode: ({ messages, now }, request) =>
        ok(`{"messages": ${poppedDocuments(messages, { request, now, checksum })}}`),
    }),
    door({
      method: 'DELETE',
      path: '/queues/:queue/messages',
      operation: deleteMessages,
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
      decode: ({ params }) => ({ queue: params['queue'] as string, id: params['message'] as string }),
      encode: ({ message, now }, request) => ok(messageDocument(message, { request, now, checksum })),
    }),
    door({
      method: 'DELETE',
      path: '/queues/:queue/messages/:message',
      operation: deleteMessage,
      decode({ params, query }) {
        const { claim_id: claimId } = readQuery(query, { claim_id: StringParam })
        return { queue: params['queue'] as string, id: params['message'] as string, claimId }
      },
      encode: () => NO_CONTENT,
    }),
  ]
}

const LONGEST_IDEMPOTENCY_KEY = 255

/** An addition of ours: a POST with an `Idempotency-Key` may be repeated. */
function readIdempotency(key: string | undefined, { text }: RequestBody): { key: string; digest: string } | undefined {
  if (key === undefined) return undefined
  if (key === '' || key.length > LONGEST_IDEMPOTENCY_KEY) {
    throw invalidRequest(`Idempotency-Key must have at least 1 and at most ${LONGEST_IDEMPOTENCY_KEY} characters.`)
  }
  return {
    key,
    digest: createHash('sha256')
      .update(text as string)
      .digest('base64'),
  }
}

function readMessage(element: Json): PostedMessage {
  const { ttl, body, delay } = readFields(element, PostedMessageFields)
  try {
    return { body: printJson(body as Json), ttlSeconds: ttl, delay: delay as Json | undefined }
  } catch (error) {
    if (error instanceof NestedTooDeep) throw invalidBody('The body of a message is nested too deep.')
    throw error
  }
}
