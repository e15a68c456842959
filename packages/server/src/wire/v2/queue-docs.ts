import { COUNTED, STEP_SECONDS } from '../../core/message-rates.ts'
import { PURGEABLE } from '../../core/operations/queues/purge-queue.ts'
import { LEAST_SECONDS, type Limits } from '../../core/rules/limits.ts'
import { QUEUE_NAME } from '../../core/rules/names.ts'
import { reservedDefaults } from '../../core/rules/reserved-attributes.ts'
import type { JsonObject } from '../../model/model.ts'
import { between, type JsonSchema, ref } from '../openapi/json-schema.ts'
import type { DescribeDoor, DocContext, ExampleDoc } from '../openapi/types.ts'
import { pageParams } from './common-docs.ts'
import { MESSAGE, SECOND_MESSAGE } from './example-ids.ts'

function orUnset(schema: JsonSchema): JsonSchema {
  return { ...schema, type: [schema['type'], 'null'] }
}

/** The reserved attributes that are checked; anything else is the client's own. */
function metadataSchema(limits: Limits): JsonSchema {
  const { maxMessagesPostBytes, maxMessageTtlSeconds, maxMessageDelaySeconds, maxQueueMetadataBytes } = limits
  const integer = (description: string, range: JsonSchema = {}) => orUnset({ type: 'integer', ...range, description })
  return {
    type: 'object',
    description: `At most ${maxQueueMetadataBytes} bytes. \`null\` unsets a reserved attribute.`,
    properties: {
      _max_messages_post_size: integer('Bytes of the document of one POST.', between(1, maxMessagesPostBytes)),
      _default_message_ttl: integer('Seconds.', between(LEAST_SECONDS, maxMessageTtlSeconds)),
      _default_message_delay: integer(
        'Seconds before a message can be seen. Without it, or with 0, a queue heeds no delays of messages either.',
        between(0, maxMessageDelaySeconds),
      ),
      _dead_letter_queue: orUnset({
        type: 'string',
        pattern: QUEUE_NAME.source,
        description:
          'Name of the queue that gets what was claimed too often. It comes into being with its first message.',
      }),
      _dead_letter_queue_messages_ttl: integer('Seconds.', between(LEAST_SECONDS, maxMessageTtlSeconds)),
      _max_claim_count: integer('A message claimed so often goes to the dead letter queue instead of a further claim.'),
      _enable_encrypt_messages: orUnset({
        type: 'boolean',
        description: 'Keeps bodies encrypted in the storage. Only where the service has a key for that.',
      }),
      _retry_policy: orUnset({ type: 'object', description: 'How failed notifications are sent again.' }),
    },
  }
}

/** The metadata of the queue in the examples. */
export const METADATA: JsonObject = { _dead_letter_queue: 'failed', _max_claim_count: 1, team: 'billing' }

function shownMetadata(metadata: JsonObject, { kind, limits }: DocContext): JsonObject {
  return { ...metadata, ...without(reservedDefaults(kind, limits), Object.keys(metadata)) }
}

function without(defaults: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !names.includes(name)))
}

const noContent = { description: 'Done.' }

const listQueues: DescribeDoor = ({ limits, kind, home, prefix }) => {
  const path = `${prefix}/${kind}s`
  return {
    summary: `List ${kind}s`,
    description:
      `Ordered by name. A parameter that is not listed, with one value, asks for ${kind}s whose metadata has that value: ` +
      '`?team=billing`.',
    query: {
      ...pageParams(limits.maxQueuesPerPage),
      detailed: { description: 'With metadata.', default: false },
      name: { description: 'Only names that hold this text.' },
      with_count: { description: 'With the number of all of them.', default: false },
    },
    answers: {
      200: { description: 'A page; empty at the end.', schema: ref(kind === 'queue' ? 'QueueList' : 'TopicList') },
    },
    errors: ['limit.out_of_range'],
    examples: [
      {
        name: 'list',
        request: { path: `${path}?marker=failed&limit=1&team=billing` },
        answer: {
          status: 200,
          body: {
            [`${kind}s`]: [{ name: nameOf(home), href: home }],
            links: [{ rel: 'next', href: `${path}?marker=${nameOf(home)}&limit=1&team=billing` }],
          },
        },
      },
    ],
  }
}

function nameOf(home: string): string {
  return home.slice(home.lastIndexOf('/') + 1)
}

function deadLetters(path: string): ExampleDoc {
  return {
    name: 'create-for-dead-letters',
    request: { path },
    answer: { status: 201, headers: { Location: path } },
  }
}

const createQueue: DescribeDoor = ({ limits, kind, home, prefix }) => ({
  summary: `Create a ${kind}`,
  description: `One that exists stays as it is. Messages create their ${kind} too.`,
  body: { required: false, schema: metadataSchema(limits) },
  answers: {
    201: { description: 'Created.', headers: ['Location'] },
    204: { description: 'It exists already; the metadata was checked, and is not used.', headers: ['Location'] },
  },
  errors: ['metadata.invalid', 'quota.queues', 'quota.bytes'],
  examples: [
    ...(kind === 'queue' ? [deadLetters(`${prefix}/queues/failed`)] : []),
    { name: 'create', request: { path: home, body: METADATA }, answer: { status: 201, headers: { Location: home } } },
    { name: 'create-again', request: { path: home }, answer: { status: 204, headers: { Location: home } } },
  ],
})

const getQueue: DescribeDoor = (context) => ({
  summary: `Show the metadata of a ${context.kind}`,
  description: `With the defaults of reserved attributes; those alone when there is no such ${context.kind}.`,
  answers: { 200: { description: 'The metadata.', schema: ref('Metadata') } },
  examples: [
    {
      name: 'show',
      request: { path: context.home },
      answer: { status: 200, body: shownMetadata(METADATA, context) },
    },
  ],
})

const PATCH_TYPE = 'application/openstack-messaging-v2.0-json-patch'

function changeSchema(ops: readonly string[], more: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const path = {
    type: 'string',
    description: 'A JSON pointer.',
    pattern: '^/metadata/[^/]+$',
    examples: ['/metadata/team'],
  }
  return {
    type: 'object',
    required: ['op', 'path', ...Object.keys(more)],
    properties: { op: { enum: ops }, path, ...more },
  }
}

const updateQueue: DescribeDoor = (context) => ({
  summary: `Change the metadata of a ${context.kind}`,
  description: 'All changes are made, or none.',
  body: {
    required: true,
    type: PATCH_TYPE,
    schema: {
      type: 'array',
      items: {
        anyOf: [
          changeSchema(['add', 'replace'], { value: { description: 'The new value.' } }),
          changeSchema(['remove'], {}),
        ],
      },
    },
  },
  answers: { 200: { description: 'The metadata after the change.', schema: ref('Metadata') } },
  errors: [
    'patch.target_missing',
    'patch.result_invalid',
    'patch.too_large',
    `${context.kind}.not_found`,
    'quota.bytes',
  ],
  refusals: [
    {
      status: 415,
      title: '415 Unsupported Media Type',
      description: `Accepted media type for PATCH: ${PATCH_TYPE}; see the header Accept-Patch.`,
    },
  ],
  examples: [
    {
      name: 'update',
      request: {
        path: context.home,
        headers: { 'Content-Type': PATCH_TYPE },
        body: [{ op: 'replace', path: '/metadata/team', value: 'payments' }],
      },
      answer: { status: 200, body: shownMetadata({ ...METADATA, team: 'payments' }, context) },
    },
  ],
})

const deleteQueue: DescribeDoor = ({ kind, home }) => ({
  summary: `Delete a ${kind}`,
  description: `With all that is in it. A ${kind} that does not exist is no error.`,
  answers: { 204: noContent },
  examples: [{ name: 'delete', request: { path: home }, answer: { status: 204 } }],
})

const getQueueStats: DescribeDoor = ({ kind, home }) => {
  const edge = (id: string) => ({ age: 0, created: '2026-03-01T10:00:00Z', href: `${home}/messages/${id}` })
  const counts: JsonObject = kind === 'queue' ? { claimed: 0, free: 2, total: 2 } : { total: 2 }
  return {
    summary: `Count the messages of a ${kind}`,
    description: `All is 0 when there is no such ${kind}.`,
    query: {
      detailed: {
        description:
          'Also how many messages are delayed, and how many came and went in each of the last steps of time: an addition of this ' +
          'service. The node that answers tells what it has counted itself, since its start and for ten minutes, of queues that ' +
          'were used lately.',
        default: false,
      },
    },
    answers: {
      200: { description: 'Counts, and the newest and oldest message where there is one.', schema: ref('Stats') },
    },
    examples: [
      {
        name: 'stats',
        request: { path: `${home}/stats` },
        answer: {
          status: 200,
          body: { messages: { ...counts, newest: edge(SECOND_MESSAGE), oldest: edge(MESSAGE) } },
        },
      },
      {
        name: 'detailed',
        request: { path: `${home}/stats?detailed=true` },
        answer: {
          status: 200,
          body: {
            messages: {
              ...counts,
              newest: edge(SECOND_MESSAGE),
              oldest: edge(MESSAGE),
              delayed: 0,
              rates: {
                until: '2026-03-01T10:00:00Z',
                step: STEP_SECONDS,
                ...Object.fromEntries(COUNTED.map((what) => [what, []])),
              },
            },
          },
        },
      },
    ],
  }
}

const purgeQueue: DescribeDoor = ({ kind, home }) => ({
  summary: `Empty a ${kind}`,
  description: `The ${kind} itself and its metadata stay. Without a body, everything in it goes.`,
  body: {
    required: false,
    schema: {
      type: 'object',
      required: ['resource_types'],
      properties: { resource_types: { type: 'array', items: { enum: PURGEABLE } } },
    },
  },
  answers: { 204: noContent },
  examples: [
    {
      name: 'purge',
      request: { path: `${home}/purge`, body: { resource_types: ['messages'] } },
      answer: { status: 204 },
    },
  ],
})

export const queueDocs = {
  list: listQueues,
  create: createQueue,
  get: getQueue,
  update: updateQueue,
  delete: deleteQueue,
  stats: getQueueStats,
  purge: purgeQueue,
}
