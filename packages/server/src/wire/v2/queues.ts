import { printJson } from '../../core/model/json.ts'
import type { Instant, JsonObject, Message } from '../../core/model/model.ts'
import { createQueue } from '../../core/operations/queues/create-queue.ts'
import { deleteQueue } from '../../core/operations/queues/delete-queue.ts'
import { getQueue } from '../../core/operations/queues/get-queue.ts'
import { getQueueStats } from '../../core/operations/queues/get-queue-stats.ts'
import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { PURGEABLE, purgeQueue } from '../../core/operations/queues/purge-queue.ts'
import { updateQueue } from '../../core/operations/queues/update-queue.ts'
import type { MetadataFilter } from '../../storage/contract.ts'
import { readObject, readOptionalObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { nextLink } from '../links.ts'
import { ageOf, messagePath } from '../message-documents.ts'
import { readPatch } from '../metadata-patch.ts'
import { BooleanParam, IntegerParam, lastOf, type Query, readQuery, StringParam } from '../query.ts'
import { invalidBody, invalidRequest } from '../refusal.ts'

export const LIST_QUERY = {
  marker: StringParam,
  limit: IntegerParam,
  detailed: BooleanParam,
  name: StringParam,
  with_count: BooleanParam,
} as const

export interface QueueDoorLimits {
  /** Bytes of a metadata document. */
  readonly maxQueueMetadataBytes: number
}

export function queueDoors({ maxQueueMetadataBytes }: QueueDoorLimits): AnyDoor[] {
  return [
    door({
      method: 'GET',
      path: '/queues',
      operation: listQueues,
      decode({ query }) {
        const { marker, limit, name, with_count = false } = readQuery(query, LIST_QUERY)
        return { marker, limit, nameContains: name, metadata: metadataFilters(query), withCount: with_count }
      },
      encode({ limit, queues, count }, { path, prefix, query }) {
        const given = readQuery(query, LIST_QUERY)
        const { marker, detailed, name, with_count } = given
        const documents = queues.map((queue) => {
          const metadata = detailed === true ? `"metadata": ${printJson(queue.metadata)}, ` : ''
          return `{"name": "${queue.name}", ${metadata}"href": "${prefix}/queues/${queue.name}"}`
        })
        const shownLimit = given.limit === undefined ? undefined : limit
        const filters = metadataFilters(query).flatMap(({ key }) => [[key, lastOf(query.get(key) ?? [])] as const])
        const links = nextLink(
          path,
          [['limit', shownLimit], ['detailed', detailed], ['name', name], ['with_count', with_count], ...filters],
          { given: marker !== undefined, next: queues.at(-1)?.name ?? null },
        )
        const counted = count ? `, "count": ${count}` : ''
        return ok(`{"queues": [${documents.join(', ')}], "links": ${links}${counted}}`)
      },
    }),
    door({
      method: 'PUT',
      path: '/queues/:queue',
      operation: createQueue,
      decode({ params, body }) {
        if ((body.bytes ?? 0) > maxQueueMetadataBytes) {
          throw invalidRequest(`Queue metadata is too large. Max size: ${maxQueueMetadataBytes}`)
        }
        return { queue: params['queue'] as string, metadata: readOptionalObject(body) }
      },
      encode: ({ created }, { path }) => ({ status: created ? 201 : 204, headers: { Location: path } }),
    }),
    door({
      method: 'GET',
      path: '/queues/:queue',
      operation: getQueue,
      decode: named,
      encode: (metadata: JsonObject) => ok(printJson(metadata)),
    }),
    door({
      method: 'PATCH',
      path: '/queues/:queue',
      operation: updateQueue,
      decode({ params, body, headers }) {
        if ((body.bytes ?? 0) > maxQueueMetadataBytes) {
          throw invalidBody(`Queue metadata is too large. Max size: ${maxQueueMetadataBytes}`)
        }
        return {
          queue: params['queue'] as string,
          changes: readPatch(body, headers['content-type'] as string | undefined),
        }
      },
      encode: (metadata: JsonObject) => ok(printJson(metadata)),
    }),
    door({
      method: 'DELETE',
      path: '/queues/:queue',
      operation: deleteQueue,
      decode: named,
      encode: () => NO_CONTENT,
    }),
    door({
      method: 'GET',
      path: '/queues/:queue/stats',
      operation: getQueueStats,
      decode: named,
      encode({ free, claimed, oldest, newest, now }, { prefix, params }) {
        const edge = (name: string, message: Message | null) =>
          message === null ? '' : `, "${name}": ${statsDocument(message, prefix, params['queue'] as string, now)}`
        const counts = `"claimed": ${claimed}, "free": ${free}, "total": ${free + claimed}`
        return ok(`{"messages": {${counts}${edge('newest', newest)}${edge('oldest', oldest)}}}`)
      },
    }),
    door({
      method: 'POST',
      path: '/queues/:queue/purge',
      operation: purgeQueue,
      decode({ params, body }) {
        const queue = params['queue'] as string
        if (!body.bytes) return { queue, resources: PURGEABLE }
        const { resource_types: resources } = readObject(body)
        if (!Array.isArray(resources)) throw invalidRequest('"resource_types" is missing or no list.')
        if (!resources.every((resource) => PURGEABLE.includes(resource as never))) {
          throw invalidRequest(`Only these can be purged: ${PURGEABLE.join(', ')}.`)
        }
        return { queue, resources: resources as (typeof PURGEABLE)[number][] }
      },
      encode: () => NO_CONTENT,
    }),
  ]
}

function named({ params }: DoorRequest): { queue: string } {
  return { queue: params['queue'] as string }
}

/** Unknown parameters ask for metadata. A value that reads as an integer means the number or the text. */
function metadataFilters(query: Query): MetadataFilter[] {
  const filters: MetadataFilter[] = []
  for (const [key, given] of query) {
    const value = lastOf(given)
    if (Object.hasOwn(LIST_QUERY, key) || value === '') continue
    filters.push({ key, anyOf: /^-?\d{1,15}$/.test(value) ? [value, Number(value)] : [value] })
  }
  return filters
}

/** No body and no claim: who may see stats need not be one who may read. (contract http.md 3.4) */
function statsDocument(message: Message, prefix: string, queue: string, now: Instant): string {
  const created = `${new Date(message.createdAt).toISOString().slice(0, 19)}Z`
  const href = messagePath(prefix, queue, message.id)
  return `{"age": ${ageOf(message.createdAt, now)}, "created": "${created}", "href": "${href}"}`
}
