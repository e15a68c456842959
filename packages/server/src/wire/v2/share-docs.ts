import { ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { SIGNATURE } from './example-ids.ts'

export const shareQueueDoc: DescribeDoor = ({ home }) => ({
  summary: 'Sign a URL for callers without an account',
  description:
    'Whoever sends the answer along as headers (`URL-Signature`, `URL-Paths`, `URL-Methods`, `URL-Expires`, `X-Project-ID`) ' +
    'may do what it lists until it expires.',
  body: {
    required: true,
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        methods: { type: 'array', items: { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] }, default: ['GET'] },
        paths: { type: 'array', items: { enum: ['messages', 'subscriptions', 'claims'] }, default: ['messages'] },
        expires: {
          type: 'string',
          description: 'UTC, in the future. A day from now when absent.',
          examples: ['2099-01-01T00:00:00'],
        },
        project_id: { description: 'Ignored: the project is that of the caller.' },
      },
    },
  },
  answers: { 200: { description: 'What was signed.', schema: ref('SignedUrl') } },
  errors: ['share.no_method', 'share.expired', 'share.no_key', 'share.ambiguous_project'],
  examples: [
    {
      name: 'share',
      request: { path: `${home}/share`, body: { methods: ['GET', 'POST'], expires: '2099-01-01T00:00:00' } },
      answer: {
        status: 200,
        body: {
          paths: [`${home}/messages`],
          methods: ['GET', 'POST'],
          project: 'p1',
          expires: '2099-01-01T00:00:00',
          signature: SIGNATURE,
        },
      },
    },
  ],
})
