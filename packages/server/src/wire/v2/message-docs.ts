import { LEAST_SECONDS, type Limits } from '../../core/rules/limits.ts'
import { printJson } from '../../model/json.ts'
import type { JsonObject } from '../../model/model.ts'
import { between, type JsonSchema, ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { idempotencyKey, pageParams, WAIT } from './common-docs.ts'
import { CLAIM, EVENT, MARKER, MESSAGE, SECOND_EVENT, SECOND_MESSAGE } from './example-ids.ts'

const ORDER = { order: 1017 }
const FIRST = { id: MESSAGE, ttl: 300, body: ORDER }
const SECOND = { id: SECOND_MESSAGE, ttl: 3600, body: 'call back' }

function document(home: string, { id, ttl, body }: typeof FIRST | typeof SECOND): JsonObject {
  return { id, href: `${home}/messages/${id}`, ttl, age: 0, body }
}

function idList(description: string, limits: Limits): JsonSchema {
  return { description, minItems: 1, maxItems: limits.maxMessagesPerPage, examples: [[MESSAGE]] }
}

const postMessages: DescribeDoor = ({ limits, kind, home }) => ({
  summary: 'Post messages',
  description: `All are stored, or none. A ${kind} that does not exist is created.`,
  headers: {
    'Idempotency-Key': idempotencyKey(
      'Addition of this service. A POST with the same key and the same body is answered as the first one was for ' +
        `${limits.idempotencySeconds} seconds, and stores nothing.`,
    ),
  },
  body: {
    required: true,
    schema: {
      description: `At most ${limits.maxMessagesPostBytes} bytes, or what the ${kind} says.`,
      properties: {
        messages: {
          minItems: 1,
          items: {
            properties: {
              ttl: {
                description: `Seconds. When absent, what the ${kind} says, or ${limits.defaultMessageTtlSeconds}.`,
                ...between(LEAST_SECONDS, limits.maxMessageTtlSeconds),
              },
              body: { description: 'Any JSON value.' },
              delay: {
                description:
                  `Seconds before it can be seen, an integer of 0 to ${limits.maxMessageDelaySeconds}, and less than its ttl. Looked at only where ` +
                  `the ${kind} has a \`_default_message_delay\`.`,
                examples: [5],
              },
            },
          },
        },
      },
    },
  },
  answers: {
    201: { description: 'Stored, in this order.', schema: ref('PostedMessages'), headers: ['Location'] },
  },
  errors: [
    'messages.none',
    'messages.too_large',
    'message.ttl_out_of_range',
    'message.delay_no_integer',
    'message.delay_out_of_range',
    'message.never_visible',
    'idempotency.other_messages',
    'rate.messages',
    'quota.messages',
    'quota.queues',
    'quota.bytes',
  ],
  examples: [
    {
      name: 'post',
      request: {
        path: `${home}/messages`,
        headers: { 'Idempotency-Key': 'order-1017' },
        body: { messages: [{ ttl: FIRST.ttl, body: FIRST.body }, { body: SECOND.body }] },
      },
      answer: {
        status: 201,
        headers: { Location: `${home}/messages?ids=${MESSAGE},${SECOND_MESSAGE}` },
        body: { resources: [`${home}/messages/${MESSAGE}`, `${home}/messages/${SECOND_MESSAGE}`] },
      },
    },
  ],
})

const listMessages: DescribeDoor = ({ limits, kind, home }) => ({
  summary: 'List messages, or get some by their ids',
  description: `In the order in which they were posted. A ${kind} that does not exist is listed as empty.`,
  query: {
    ...pageParams(limits.maxMessagesPerPage),
    echo: { description: 'Those too that the client posted itself.', default: false },
    include_claimed: { description: 'Those too that are claimed.', default: false },
    include_delayed: { description: 'Those too whose delay is not over.', default: false },
    wait: WAIT,
    with_markers: {
      description:
        'Addition of this service. Each message has its `marker`: a page that begins there goes on behind it.',
      default: false,
    },
  },
  answers: { 200: { description: 'A page; empty at the end.', schema: ref('MessagePage') } },
  errors: ['limit.out_of_range', 'wait.out_of_range'],
  examples: [
    {
      name: 'list',
      request: { path: `${home}/messages?echo=true&limit=5` },
      answer: {
        status: 200,
        body: {
          messages: [document(home, FIRST), document(home, SECOND)],
          links: [
            {
              rel: 'next',
              href: `${home}/messages?limit=5&echo=true&include_delayed=true&marker=${MARKER}`,
            },
          ],
        },
      },
    },
  ],
})

function event(home: string, id: string, message: typeof FIRST | typeof SECOND): string {
  return `id: ${id}\ndata: ${printJson(document(home, message))}\n\n`
}

const followMessages: DescribeDoor = ({ home }) => ({
  summary: 'Get messages as they come',
  headers: {
    'Last-Event-ID': {
      description:
        'Of an event stream: what to go on behind, in place of `marker`. An `EventSource` that connects again sends it.',
      type: 'string',
    },
  },
  query: {
    marker: { description: 'Where the page before ended; from its `next` link, or from the `id` of an event.' },
  },
  answers: {
    200: {
      description:
        'Addition of this service, for who asks for `text/event-stream`: server-sent events that begin with what is ' +
        'behind the marker, or with what comes from now on, and do not end. The data of each is a message, its id the ' +
        'marker of that. Such a stream has no `limit`, `wait` or `ids`, and shows a delayed message when its delay is ' +
        'over, unless it includes them. What `X-Project-Id` and `Client-ID` say can be said in its query too, as ' +
        '`project_id` and `client_id`.',
      type: 'text/event-stream',
      schema: { type: 'string' },
    },
  },
  refusals: [
    {
      status: 400,
      title: 'Invalid parameter',
      description: 'An event stream has no end, and so no parameter "limit".',
    },
  ],
  examples: [
    {
      name: 'follow',
      request: { path: `${home}/messages?echo=true&marker=0`, headers: { Accept: 'text/event-stream' } },
      answer: {
        status: 200,
        headers: { 'Content-Type': 'text/event-stream' },
        body: `retry: 2000\n\n${event(home, EVENT, FIRST)}${event(home, SECOND_EVENT, SECOND)}`,
      },
    },
  ],
})

const getMessages: DescribeDoor = ({ limits, home }) => ({
  summary: 'Get messages by their ids',
  query: { ids: idList('Only these messages, whatever their state; no other parameter counts then.', limits) },
  answers: { 200: { description: 'Those that exist.', schema: ref('Messages') } },
  errors: ['ids.count_out_of_range', 'messages.not_found'],
  examples: [
    {
      name: 'by-ids',
      request: { path: `${home}/messages?ids=${MESSAGE},${SECOND_MESSAGE}` },
      answer: { status: 200, body: { messages: [document(home, FIRST), document(home, SECOND)] } },
    },
  ],
})

const popMessages: DescribeDoor = ({ limits, home }) => ({
  summary: 'Delete messages by their ids, or pop the oldest',
  description: 'Either `ids` or `pop` must be given, not both.',
  query: {
    pop: {
      description: 'How many of the oldest unclaimed messages to delete and answer.',
      ...between(1, limits.maxMessagesPerClaimOrPop),
    },
  },
  answers: { 200: { description: 'What was popped; may be empty.', schema: ref('PoppedMessages') } },
  errors: ['delete.ids_and_pop', 'pop.out_of_range'],
  examples: [
    {
      name: 'pop',
      request: { path: `${home}/messages?pop=1` },
      answer: {
        status: 200,
        body: { messages: [{ ...FIRST, age: 0, claim_id: null, claim_count: 0 }] },
      },
    },
  ],
})

const deleteMessages: DescribeDoor = ({ limits, home }) => ({
  summary: 'Delete messages by their ids',
  query: {
    ids: idList('Messages to delete, claimed ones too. One that does not exist is no error.', limits),
    claim_ids: {
      description: 'Claims that hold the messages. Only where the service insists on it; then it must be given.',
      examples: [[CLAIM]],
    },
  },
  answers: { 204: { description: 'Deleted.' } },
  errors: ['delete.nothing_named', 'delete.claim_ids_missing', 'ids.count_out_of_range', 'messages.held_otherwise'],
  examples: [{ name: 'by-ids', request: { path: `${home}/messages?ids=${MESSAGE}` }, answer: { status: 204 } }],
})

const getMessage: DescribeDoor = ({ home }) => ({
  summary: 'Get a message',
  answers: { 200: { description: 'The message.', schema: ref('Message') } },
  errors: ['message.not_found'],
  examples: [
    {
      name: 'get',
      request: { path: `${home}/messages/${MESSAGE}` },
      answer: { status: 200, body: document(home, FIRST) },
    },
  ],
})

const deleteMessage: DescribeDoor = ({ kind, home }) => ({
  summary: 'Delete a message',
  description: 'A claimed one needs its claim. One that does not exist is no error.',
  query: { claim_id: { description: 'The claim that holds it.', examples: [CLAIM] } },
  answers: { 204: { description: 'Deleted.' } },
  errors: ['message.held', 'message.not_claimed', 'message.claim_not_live'],
  examples: [
    {
      name: 'delete',
      // Nothing of a topic can be claimed.
      request: { path: `${home}/messages/${MESSAGE}${kind === 'queue' ? `?claim_id=${CLAIM}` : ''}` },
      answer: { status: 204 },
    },
  ],
})

export const messageDocs = {
  post: postMessages,
  list: listMessages,
  follow: followMessages,
  getMany: getMessages,
  get: getMessage,
  pop: popMessages,
  deleteMany: deleteMessages,
  delete: deleteMessage,
}
