import { createQueue } from '../../core/operations/queues/create-queue.ts'
import { getQueue } from '../../core/operations/queues/get-queue.ts'
import { queueExists } from '../../core/operations/queues/queue-exists.ts'
import { replaceQueueMetadata } from '../../core/operations/queues/replace-queue-metadata.ts'
import type { JsonObject } from '../../model/model.ts'
import { readObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, ok, type RequestBody } from '../door.ts'
import { added, all, altered, type Change, described, removed } from '../older.ts'
import type { DescribeDoor } from '../openapi/door-doc.ts'
import { ref } from '../openapi/json-schema.ts'
import type { QueueDoorLimits } from '../v2/queues.ts'
import { invalidRequest } from '../wire-error.ts'
import { place } from './get-answers-named-their-place.ts'

/**
 * The metadata of a queue was a resource of its own; the queue itself only was there or was not. Reserved attributes could not
 * be set. (contract http.md 3.1.1, 3.1.2, 3.2)
 */
export function metadataWasApart(limits: QueueDoorLimits): Change {
  return all(
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
    added(existenceDoor('GET'), existenceDoor('HEAD'), ...metadataDoors(limits)),
  )
}

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

function metadataDoors({ maxQueueMetadataBytes }: QueueDoorLimits): AnyDoor[] {
  const path = '/queues/:queue/metadata'
  return [
    door({
      method: 'GET',
      path,
      operation: getQueue,
      describe: metadataDoc,
      decode: (request) => ({ ...named(request), showDefaults: false, whenMissing: 'fail' as const }),
      encode: (metadata, request) => ({ ...ok(metadata), headers: place(request) }),
    }),
    door({
      method: 'PUT',
      path,
      operation: replaceQueueMetadata,
      describe: replaceMetadataDoc,
      decode: (request) => ({ ...named(request), metadata: readMetadata(request.body, maxQueueMetadataBytes) }),
      encode: (_output, request) => ({ status: 204, headers: { Location: request.path } }),
    }),
  ]
}

function named({ params }: DoorRequest): { queue: string } {
  return { queue: params['queue'] as string }
}

const RESERVED = 'Reserved attributes, whose names begin with "_", cannot be set in API v1.'

function readMetadata(body: RequestBody, maxBytes: number): JsonObject {
  if ((body.bytes ?? 0) > maxBytes) throw invalidRequest(`Queue metadata is too large. Max size: ${maxBytes}`)
  const metadata = readObject(body)
  if (Object.keys(metadata).some((key) => key.startsWith('_'))) {
    throw invalidRequest(RESERVED)
  }
  return metadata
}

const existenceDoc: DescribeDoor = ({ home }) => ({
  summary: 'Ask whether there is a queue',
  answers: {
    204: { description: 'There is.', headers: ['Content-Location'] },
    404: { description: 'There is none. Without a body.', headers: ['Content-Location'] },
  },
  examples: [
    {
      name: 'exists',
      request: { path: home },
      answer: { status: 204, headers: { 'Content-Location': home } },
    },
  ],
})

const METADATA: JsonObject = { team: 'billing' }

const metadataDoc: DescribeDoor = ({ home }) => ({
  summary: 'Show the metadata of a queue',
  answers: { 200: { description: 'As it is stored.', schema: ref('Metadata'), headers: ['Content-Location'] } },
  errors: ['queue.not_found'],
  examples: [
    {
      name: 'show',
      request: { path: `${home}/metadata` },
      answer: { status: 200, headers: { 'Content-Location': `${home}/metadata` }, body: METADATA },
    },
  ],
})

const replaceMetadataDoc: DescribeDoor = ({ limits, home }) => ({
  summary: 'Replace the metadata of a queue',
  description: 'Nothing of what it was is kept, reserved attributes included, which can be set in newer versions only.',
  body: {
    required: true,
    schema: {
      type: 'object',
      description: `At most ${limits.maxQueueMetadataBytes} bytes.`,
      propertyNames: { pattern: '^(?!_)' },
    },
  },
  answers: { 204: { description: 'Replaced.', headers: ['Location'] } },
  errors: ['queue.not_found', 'quota.bytes'],
  refusals: [{ status: 400, title: 'Invalid API request', description: RESERVED }],
  examples: [
    {
      name: 'replace',
      request: { path: `${home}/metadata`, body: METADATA },
      answer: { status: 204, headers: { Location: `${home}/metadata` } },
    },
  ],
})
