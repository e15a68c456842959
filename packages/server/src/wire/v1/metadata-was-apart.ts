import { createQueue } from '../../core/operations/queues/create-queue.ts'
import { getQueue } from '../../core/operations/queues/get-queue.ts'
import { queueExists } from '../../core/operations/queues/queue-exists.ts'
import { replaceQueueMetadata } from '../../core/operations/queues/replace-queue-metadata.ts'
import type { JsonObject } from '../../model/model.ts'
import { readObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, ok } from '../door.ts'
import { added, all, altered, described, removed } from '../older.ts'
import { invalidRequest } from '../wire-error.ts'
import { place } from './get-answers-named-their-place.ts'
import { existenceDoc, metadataDoc, RESERVED, replaceMetadataDoc } from './metadata-docs.ts'

const METADATA = '/queues/:queue/metadata'

const metadataDoors: readonly AnyDoor[] = [
  door({
    method: 'GET',
    path: METADATA,
    operation: getQueue,
    describe: metadataDoc,
    decode: (request) => ({ ...named(request), showDefaults: false, whenMissing: 'fail' as const }),
    encode: (metadata, request) => ({ ...ok(metadata), headers: place(request) }),
  }),
  door({
    method: 'PUT',
    path: METADATA,
    operation: replaceQueueMetadata,
    describe: replaceMetadataDoc,
    decode: (request) => ({ ...named(request), metadata: readMetadata(request) }),
    encode: (_output, request) => ({ status: 204, headers: { Location: request.path } }),
  }),
]

/**
 * The metadata of a queue was a resource of its own; the queue itself only was there or was not. Reserved attributes
 * could not be set. (contract http.md 3.1.1, 3.1.2, 3.2)
 */
export const metadataWasApart = all(
  altered(createQueue, () => ({ decode: (request) => ({ ...named(request), metadata: {} }) })),
  described(createQueue, ({ body: _ignored, errors = [], ...newer }, { home }) => ({
    ...newer,
    errors: errors.filter((code) => code !== 'metadata.invalid'),
    description: 'One that exists stays as it is.',
    answers: {
      201: { description: 'Created, without metadata.', headers: ['Location'] },
      204: { description: 'It exists already.', headers: ['Location'] },
    },
    examples: [
      { name: 'create', request: { path: home }, answer: { status: 201, headers: { Location: home } } },
      { name: 'create-again', request: { path: home }, answer: { status: 204, headers: { Location: home } } },
    ],
  })),
  removed(({ operation }) => operation === getQueue),
  added(existenceDoor('GET'), existenceDoor('HEAD'), ...metadataDoors),
)

function existenceDoor(method: 'GET' | 'HEAD'): AnyDoor {
  return door({
    method,
    path: '/queues/:queue',
    operation: queueExists,
    describe: existenceDoc,
    decode: named,
    encode: (exists, request) => ({ status: exists ? 204 : 404, headers: place(request) }),
  })
}

function named({ params }: DoorRequest): { queue: string } {
  return { queue: params['queue'] as string }
}

function readMetadata({ body, limits }: DoorRequest): JsonObject {
  const { maxQueueMetadataBytes: maxBytes } = limits
  if ((body.bytes ?? 0) > maxBytes) throw invalidRequest(`Queue metadata is too large. Max size: ${maxBytes}`)
  const metadata = readObject(body)
  if (Object.keys(metadata).some((key) => key.startsWith('_'))) throw invalidRequest(RESERVED)
  return metadata
}
