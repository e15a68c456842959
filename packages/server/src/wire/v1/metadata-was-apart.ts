import { printJson } from '../../core/model/json.ts'
import type { JsonObject } from '../../core/model/model.ts'
import { createQueue } from '../../core/operations/queues/create-queue.ts'
import { getQueue } from '../../core/operations/queues/get-queue.ts'
import { queueExists } from '../../core/operations/queues/queue-exists.ts'
import { replaceQueueMetadata } from '../../core/operations/queues/replace-queue-metadata.ts'
import { readObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, ok, type RequestBody } from '../door.ts'
import { added, all, altered, type Change, removed } from '../older.ts'
import { invalidRequest } from '../refusal.ts'
import type { QueueDoorLimits } from '../v2/queues.ts'
import { place } from './get-answers-named-their-place.ts'

/**
 * The metadata of a queue was a resource of its own; the queue itself only was there or was not. Reserved attributes could not
 * be set. (contract http.md 3.1.1, 3.1.2, 3.2)
 */
export function metadataWasApart(limits: QueueDoorLimits): Change {
  return all(
    altered(createQueue, () => ({ decode: (request) => ({ ...named(request), metadata: {} }) })),
    removed(({ operation }) => operation === getQueue),
    added(existenceDoor('GET'), existenceDoor('HEAD'), ...metadataDoors(limits)),
  )
}

function existenceDoor(method: 'GET' | 'HEAD'): AnyDoor {
  return door({
    method,
    path: '/queues/:queue',
    operation: queueExists,
    decode: named,
    encode: (exists, request) => ({ status: exists ? 204 : 404, headers: place(request) }),
  })
}

function metadataDoors({ maxQueueMetadataBytes }: QueueDoorLimits): AnyDoor[] {
  const path = '/queues/:queue/metadata'
  return [
    door({
      method: 'GET',
      path,
      operation: getQueue,
      decode: (request) => ({ ...named(request), showDefaults: false, whenMissing: 'fail' as const }),
      encode: (metadata, request) => ({ ...ok(printJson(metadata)), headers: place(request) }),
    }),
    door({
      method: 'PUT',
      path,
      operation: replaceQueueMetadata,
      decode: (request) => ({ ...named(request), metadata: readMetadata(request.body, maxQueueMetadataBytes) }),
      encode: (_output, request) => ({ status: 204, headers: { Location: request.path } }),
    }),
  ]
}

function named({ params }: DoorRequest): { queue: string } {
  return { queue: params['queue'] as string }
}

function readMetadata(body: RequestBody, maxBytes: number): JsonObject {
  if ((body.bytes ?? 0) > maxBytes) throw invalidRequest(`Queue metadata is too large. Max size: ${maxBytes}`)
  const metadata = readObject(body)
  if (Object.keys(metadata).some((key) => key.startsWith('_'))) {
    throw invalidRequest('Reserved attributes, whose names begin with "_", cannot be set in API v1.')
  }
  return metadata
}
