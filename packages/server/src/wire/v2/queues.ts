import { STEP_SECONDS } from '../../core/message-rates.ts'
import { createQueue } from '../../core/operations/queues/create-queue.ts'
import { deleteQueue } from '../../core/operations/queues/delete-queue.ts'
import { getQueue } from '../../core/operations/queues/get-queue.ts'
import { type FoundQueueStats, getQueueStats } from '../../core/operations/queues/get-queue-stats.ts'
import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { PURGEABLE, purgeQueue } from '../../core/operations/queues/purge-queue.ts'
import { updateQueue } from '../../core/operations/queues/update-queue.ts'
import type { Instant, Message, MetadataFilter } from '../../model/model.ts'
import { readObject, readOptionalObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { nextLink } from '../links.ts'
import { ageOf, messagePath, queuePath } from '../message-documents.ts'
import { readPatch } from '../metadata-patch.ts'
import { BooleanParam, IntegerParam, readOthers, readQuery, StringParam } from '../query.ts'
import { invalidBody, invalidRequest } from '../wire-error.ts'
import { queueDocs } from './queue-docs.ts'

export const LIST_QUERY = {
  marker: StringParam,
  limit: IntegerParam,
  detailed: BooleanParam,
  name: StringParam,
  with_count: BooleanParam,
} as const

const STATS_QUERY = { detailed: BooleanParam } as const

/** What differs between queues and topics. */
export interface Collection {
  /** The key of a list. */
  readonly name: 'queues' | 'topics'
  /** Parameters of a list; others are metadata filters. */
  readonly listQuery: Partial<typeof LIST_QUERY>
  /** The counts of stats, which stand before the newest and the oldest message. */
  counts(stats: FoundQueueStats): string
}

const queues: Collection = { name: 'queues', listQuery: LIST_QUERY, counts: allCounts }

export const queueDoors: readonly AnyDoor[] = doorsTo(queues)

export function doorsTo(collection: Collection): AnyDoor[] {
  const listQuery = collection.listQuery as typeof LIST_QUERY
  return [
    door({
      method: 'GET',
      path: '/queues',
      operation: listQueues,
      query: listQuery,
      describe: queueDocs.list,
      decode({ query, rawQuery }) {
        const { marker, limit, name, detailed = false, with_count = false } = readQuery(query, listQuery)
        const metadata = readOthers(query, rawQuery, listQuery).map(asFilter)
        return { marker, limit, nameContains: name, metadata, withMetadata: detailed, withCount: with_count }
      },
      encode({ limit, queues, count }, { path, query, rawQuery }) {
        const given = readQuery(query, listQuery)
        const { marker, detailed, name, with_count } = given
        const documents = queues.map((queue) => {
          const metadata = queue.metadata === null ? '' : `"metadata": ${queue.metadata}, `
          return `{"name": "${queue.name}", ${metadata}"href": "${path}/${queue.name}"}`
        })
        const shownLimit = given.limit === undefined ? undefined : limit
        const filters = readOthers(query, rawQuery, listQuery)
        const links = nextLink(
          path,
          [['limit', shownLimit], ['detailed', detailed], ['name', name], ['with_count', with_count], ...filters],
          { given: marker !== undefined, next: queues.at(-1)?.name ?? null },
        )
        const counted = count ? `, "count": ${count}` : ''
        return ok(`{"${collection.name}": [${documents.join(', ')}], "links": ${links}${counted}}`)
      },
    }),
    door({
      method: 'PUT',
      path: '/queues/:queue',
      operation: createQueue,
      describe: queueDocs.create,
      decode({ params, body, limits }) {
        const { maxQueueMetadataBytes: maxBytes } = limits
        if ((body.bytes ?? 0) > maxBytes) throw invalidRequest(`Queue metadata is too large. Max size: ${maxBytes}`)
        return { queue: params['queue'] as string, metadata: readOptionalObject(body) }
      },
      encode: ({ created }, { path }) => ({ status: created ? 201 : 204, headers: { Location: path } }),
    }),
    door({
      method: 'GET',
      path: '/queues/:queue',
      operation: getQueue,
      describe: queueDocs.get,
      decode: named,
      encode: ok,
    }),
    door({
      method: 'PATCH',
      path: '/queues/:queue',
      operation: updateQueue,
      describe: queueDocs.update,
      decode({ params, body, headers, limits }) {
        const { maxQueueMetadataBytes: maxBytes } = limits
        if ((body.bytes ?? 0) > maxBytes) throw invalidBody(`Queue metadata is too large. Max size: ${maxBytes}`)
        return {
          queue: params['queue'] as string,
          changes: readPatch(body, headers['content-type'] as string | undefined),
        }
      },
      encode: ok,
    }),
    door({
      method: 'DELETE',
      path: '/queues/:queue',
      operation: deleteQueue,
      describe: queueDocs.delete,
      decode: named,
      encode: () => NO_CONTENT,
    }),
    door({
      method: 'GET',
      path: '/queues/:queue/stats',
      operation: getQueueStats,
      query: STATS_QUERY,
      describe: queueDocs.stats,
      decode: (request) => ({ ...named(request), isDetailed: readQuery(request.query, STATS_QUERY).detailed }),
      encode(stats, request) {
        const { oldest, newest, now } = stats
        const edge = (name: string, message: Message | null) =>
          message === null ? '' : `, "${name}": ${statsDocument(message, queuePath(request), now)}`
        const edges = `${edge('newest', newest)}${edge('oldest', oldest)}`
        return ok(`{"messages": {${collection.counts(stats)}${edges}${detailsOf(stats)}}}`)
      },
    }),
    door({
      method: 'POST',
      path: '/queues/:queue/purge',
      operation: purgeQueue,
      describe: queueDocs.purge,
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

export function allCounts({ free, claimed }: FoundQueueStats): string {
  return `"claimed": ${claimed}, "free": ${free}, "total": ${free + claimed}`
}

/** What follows the edges where details were asked for. */
export function detailsOf({ delayed, rates }: FoundQueueStats): string {
  if (rates === null) return ''
  const { until, ...counts } = rates
  const document = { until: printSeconds(until), step: STEP_SECONDS, ...counts }
  return `, "delayed": ${delayed}, "rates": ${JSON.stringify(document)}`
}

function named({ params }: DoorRequest): { queue: string } {
  return { queue: params['queue'] as string }
}

/** Unknown parameters ask for metadata. A value that reads as an integer means the number or the text. */
function asFilter([key, value]: readonly [key: string, value: string]): MetadataFilter {
  return { key, anyOf: /^-?\d{1,15}$/.test(value) ? [value, Number(value)] : [value] }
}

/** It shows no body and no claim, since not everybody who may see stats may read. (contract http.md 3.4) */
function statsDocument(message: Message, queue: string, now: Instant): string {
  const created = printSeconds(message.createdAt)
  const href = messagePath(queue, message.id)
  return `{"age": ${ageOf(message.createdAt, now)}, "created": "${created}", "href": "${href}"}`
}

function printSeconds(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
