import { DEFAULT_RATE, MAX_RATE } from '../../core/operations/messages/redrive-messages.ts'
import { between, ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { MESSAGE, SECOND_MESSAGE } from './example-ids.ts'

export const redriveDoc: DescribeDoor = ({ limits, prefix, home }) => ({
  summary: 'Move dead letters back to where they came from',
  description:
    'Addition of this service. Each batch moves as a whole. A message keeps its id; its claims are counted anew.',
  body: {
    required: false,
    schema: {
      properties: {
        ids: {
          description: 'Only these messages. Without it, all that came from another queue.',
          minItems: 1,
          maxItems: limits.maxMessagesPerPage,
          examples: [[MESSAGE]],
        },
        rate: { description: 'Messages a second.', ...between(1, MAX_RATE), default: DEFAULT_RATE },
        limit: { description: 'No more than these are moved by this request.', minimum: 1 },
      },
    },
  },
  answers: { 200: { description: 'What was moved.', schema: ref('Redriven') } },
  errors: ['redrive.rate_out_of_range', 'redrive.limit_out_of_range', 'ids.count_out_of_range'],
  examples: [
    {
      name: 'redrive',
      request: { path: `${prefix}/queues/failed/redrive`, body: { rate: 100 } },
      answer: {
        status: 200,
        body: {
          moved: [{ id: SECOND_MESSAGE, queue: 'jobs', href: `${home}/messages/${SECOND_MESSAGE}` }],
          done: true,
        },
      },
    },
  ],
})
