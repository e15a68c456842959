import { createQueue } from '../../../core/operations/queues/create-queue.ts'
import { deleteQueue } from '../../../core/operations/queues/delete-queue.ts'
import { getQueue } from '../../../core/operations/queues/get-queue.ts'
import { getQueueStats } from '../../../core/operations/queues/get-queue-stats.ts'
import { listQueues } from '../../../core/operations/queues/list-queues.ts'
import { PURGEABLE, purgeQueue } from '../../../core/operations/queues/purge-queue.ts'
import { integerOf } from '../../../core/rules/integers.ts'
import type { Instant, JsonObject, Message } from '../../../model/model.ts'
import { ageOf } from '../../message-documents.ts'
import { Type } from '../../typed-schema.ts'
import { CLAIM, MESSAGE } from '../../v2/example-ids.ts'
import { allCounts, detailsOf } from '../../v2/queues.ts'
import { type AnySocketDoor, type SocketRequest, socketDoor } from '../socket-door.ts'
import { upstreamAnswers } from './answer-docs.ts'
import { done, unavailable } from './answers.ts'
import { queueIn, toQueue } from './named.ts'

const Named = Type.Object({ queue_name: Type.String() })

/** A caller of the stats sees the bodies of two messages here, which HTTP does not show. (contract websocket.md 6.1) */
const getStatsWithBodies: typeof getQueueStats = {
  ...getQueueStats,
  needs: (_input, { path }) => [
    { permission: 'messages:get_all', resource: { method: 'GET', path: path.replace(/stats$/, 'messages') } },
  ],
}

export const queueDoors: readonly AnySocketDoor[] = [
  socketDoor({
    action: 'queue_list',
    operation: listQueues,
    body: Type.Object({
      marker: Type.Optional(Type.String()),
      limit: Type.Optional(Type.Integer()),
      detailed: Type.Optional(Type.Boolean()),
    }),
    bodyIsOptional: true,
    target: () => ({ resource: { method: 'GET', path: '/v2/queues' }, names: {} }),
    decode: ({ body }) => ({
      marker: body['marker'] as string | undefined,
      limit: integerIn(body, 'limit'),
      metadata: [],
      withMetadata: body['detailed'] === true,
      withCount: false,
      showDefaults: false,
    }),
    encode({ queues }) {
      const documents = queues.map(({ name, metadata }) =>
        metadata === null ? `{"name": "${name}"}` : `{"name": "${name}", "metadata": ${metadata}}`,
      )
      return { status: 200, body: `{"queues": [${documents.join(', ')}]}` }
    },
    failure: unavailable(() => 'Queues could not be listed.'),
    describe: {
      summary: 'List queues',
      details: 'A list goes on behind the name that `marker` says. Metadata is shown as it was set.',
      answers: upstreamAnswers.queue_list,
      example: { body: { limit: 2 }, status: 200, answer: { queues: [{ name: 'jobs' }, { name: 'jobs' }] } },
    },
  }),
  socketDoor({
    action: 'queue_create',
    operation: createQueue,
    body: Type.Object({ queue_name: Type.String(), metadata: Type.Optional(Type.Object({})) }),
    target: toQueue('PUT'),
    decode: ({ body }) => ({ queue: queueIn(body), metadata: (body['metadata'] ?? {}) as JsonObject }),
    encode: ({ created }, { body }) => done(created ? 201 : 204, `Queue ${queueIn(body)} created.`),
    failure: unavailable((body) => `Queue ${queueIn(body)} could not be created.`),
    describe: {
      summary: 'Create a queue',
      details: '201 where it is new; 204 where it was there, which leaves its metadata as it is.',
      answers: upstreamAnswers.queue_create,
      example: {
        body: { queue_name: 'jobs', metadata: { _default_message_ttl: 600 } },
        status: 201,
        answer: 'Queue jobs created.',
      },
    },
  }),
  socketDoor({
    action: 'queue_delete',
    operation: deleteQueue,
    body: Named,
    target: toQueue('DELETE'),
    decode: named,
    encode: (_output, { body }) => done(204, `Queue ${queueIn(body)} removed.`),
    failure: unavailable((body) => `Queue ${queueIn(body)} could not be deleted.`),
    describe: {
      summary: 'Delete a queue and all that is in it',
      answers: upstreamAnswers.queue_delete,
      example: { body: { queue_name: 'jobs' }, status: 204, answer: 'Queue jobs removed.' },
    },
  }),
  socketDoor({
    action: 'queue_get',
    operation: getQueue,
    body: Named,
    target: toQueue('GET'),
    decode: ({ body }) => ({ queue: queueIn(body), showDefaults: false }),
    encode: (metadata) => ({ status: 200, body: metadata }),
    failure: unavailable((body) => `Cannot retrieve queue ${queueIn(body)}.`),
    describe: {
      summary: 'Get the metadata of a queue',
      details: 'As it was set. A queue that does not exist has none.',
      answers: upstreamAnswers.queue_get,
      example: { body: { queue_name: 'jobs' }, status: 200, answer: { _default_message_ttl: 600 } },
    },
  }),
  socketDoor({
    action: 'queue_get_stats',
    operation: getStatsWithBodies,
    body: Type.Object({ queue_name: Type.String(), detailed: Type.Optional(Type.Boolean()) }),
    target: toQueue('GET', '/stats'),
    decode: (request) => ({ ...named(request), isDetailed: request.body['detailed'] === true }),
    encode(stats) {
      const { exists, oldest, newest, now } = stats
      const edge = (name: string, message: Message | null) =>
        message === null ? '' : `, "${name}": ${statsDocument(message, now)}`
      const document = `${allCounts(stats)}${edge('newest', newest)}${edge('oldest', oldest)}${detailsOf(stats)}`
      return { status: exists ? 200 : 404, body: `{"messages": {${document}}}` }
    },
    failure: unavailable((body) => `Cannot retrieve queue ${queueIn(body)} stats.`),
    describe: {
      summary: 'Count the messages of a queue',
      details:
        'With the newest and the oldest one, so it needs leave to list messages, too. Nothing but zeros, with 404, ' +
        'where the queue does not exist.',
      answers: upstreamAnswers.queue_get_stats,
      example: {
        body: { queue_name: 'jobs' },
        status: 200,
        answer: { messages: { claimed: 1, free: 0, total: 1, newest: exampleOfStats(), oldest: exampleOfStats() } },
      },
    },
  }),
  socketDoor({
    action: 'queue_purge',
    operation: purgeQueue,
    body: Type.Object({ queue_name: Type.String(), resource_types: Type.Optional(Type.Array(Type.Unknown())) }),
    target: toQueue('POST', '/purge'),
    decode({ body }) {
      const wanted = (body['resource_types'] ?? PURGEABLE) as readonly unknown[]
      return { queue: queueIn(body), resources: PURGEABLE.filter((resource) => wanted.includes(resource)) }
    },
    encode: () => ({ status: 204, body: '{}' }),
    describe: {
      summary: 'Remove all messages, or all subscriptions, of a queue',
      details: 'Both when `resource_types` does not say. Types that there are not are passed over.',
      answers: upstreamAnswers.queue_purge,
      example: { body: { queue_name: 'jobs', resource_types: ['messages'] }, status: 204, answer: {} },
    },
  }),
]

function named({ body }: SocketRequest): { queue: string } {
  return { queue: queueIn(body) }
}

/** The integer that stands there, as the schema made sure of. */
export function integerIn(body: JsonObject, key: string): number | undefined {
  return integerOf(body[key]) ?? undefined
}

function statsDocument(message: Message, now: Instant): string {
  const { id, createdAt, ttlSeconds, body, claimId, claimCount } = message
  const claim = claimId === null ? 'null' : `"${claimId}"`
  const created = `${new Date(createdAt).toISOString().slice(0, 19)}Z`
  return (
    `{"id": "${id}", "age": ${ageOf(createdAt, now)}, "ttl": ${ttlSeconds}, "body": ${body}, ` +
    `"claim_id": ${claim}, "claim_count": ${claimCount}, "created": "${created}"}`
  )
}

function exampleOfStats(): JsonObject {
  return {
    id: MESSAGE,
    age: 12,
    ttl: 300,
    body: { order: 1017 },
    claim_id: CLAIM,
    claim_count: 1,
    created: '2026-01-01T00:00:00Z',
  }
}
