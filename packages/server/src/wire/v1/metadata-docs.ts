import type { JsonObject } from '../../model/model.ts'
import { ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'

export const existenceDoc: DescribeDoor = ({ home }) => ({
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

export const RESERVED = 'Reserved attributes, whose names begin with "_", cannot be set in API v1.'

export const metadataDoc: DescribeDoor = ({ home }) => ({
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

export const replaceMetadataDoc: DescribeDoor = ({ limits, home }) => ({
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
