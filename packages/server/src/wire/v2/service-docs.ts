import { ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'

/** By default, without the routes of operators. */
const EVERYBODY_MAY = [
  ...['claims:create', 'claims:delete', 'claims:get', 'claims:get_all', 'claims:update'],
  ...['flavors:get', 'flavors:get_all'],
  ...['messages:create', 'messages:delete', 'messages:delete_all', 'messages:get', 'messages:get_all'],
  ...['messages:redrive', 'permissions:get', 'ping:get'],
  ...['queues:create', 'queues:delete', 'queues:get', 'queues:get_all', 'queues:purge', 'queues:share'],
  ...['queues:stats', 'queues:update'],
  ...['subscription:confirm', 'subscription:create', 'subscription:delete', 'subscription:get'],
  ...['subscription:get_all', 'subscription:update'],
  ...['topics:create', 'topics:delete', 'topics:get', 'topics:get_all', 'topics:purge', 'topics:stats'],
  'topics:update',
]

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

export const permissionsDoc: DescribeDoor = ({ prefix }) => ({
  summary: 'List what the caller may do',
  description:
    'Addition of this service: the rules of its policy that let the caller do something, of those that guard what is ' +
    'served here. What a signed URL is good for, it says itself.',
  answers: { 200: { description: 'Names of rules, in order.', schema: ref('Permissions') } },
  examples: [
    {
      name: 'permissions',
      request: { path: `${prefix}/permissions`, headers: { 'X-Roles': 'member' } },
      answer: { status: 200, body: { permissions: EVERYBODY_MAY } },
    },
  ],
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
          process: { version: '0.1.0', engine: 'sqlite', host: 'node1', pid: 7, started: '2026-03-01T10:00:00Z' },
        },
      },
    },
  ],
})
