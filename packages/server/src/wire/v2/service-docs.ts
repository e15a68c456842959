import { ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'

export const pingDoc: DescribeDoor = ({ prefix }) => ({
  tag: 'service',
  summary: 'Ask whether the service works, its storage included',
  answers: { 204: { description: 'It does.' }, 503: { description: 'Its storage does not answer. Without a body.' } },
  examples: [{ name: 'ping', request: { path: `${prefix}/ping` }, answer: { status: 204 } }],
})

export const pingHeadDoc: DescribeDoor = ({ prefix }) => ({
  tag: 'service',
  summary: 'Ask whether the service answers',
  answers: { 204: { description: 'It does.' } },
  examples: [{ name: 'ping', request: { path: `${prefix}/ping` }, answer: { status: 204 } }],
})

export const healthDoc: DescribeDoor = ({ prefix }) => ({
  summary: 'Try the storage',
  description: 'Makes a queue, posts, claims, lists and deletes, and says what of that succeeded.',
  answers: { 200: { description: 'What succeeded.', schema: ref('Health') } },
  examples: [
    {
      name: 'health',
      request: { path: `${prefix}/health`, headers: { 'X-Roles': 'admin' } },
      answer: {
        status: 200,
        body: {
          storage_reachable: true,
          operation_status: Object.fromEntries(
            [
              'create_queue',
              'post_messages',
              'claim_messages',
              'list_messages',
              'delete_messages',
              'delete_claim',
              'bulk_delete_messages',
              'delete_queue',
            ].map((name) => [name, { succeeded: true, seconds: 0, ref: null }]),
          ),
          sockets: { connections: 0, subscriptions: 0, requests: 0, pushed: 0, dropped: 0 },
        },
      },
    },
  ],
})
