import { type JsonSchema, record, ref } from '../openapi/json-schema.ts'
import { answered, CALLER, channel, messageOf, REFUSAL } from './actions.ts'
import { answerSchema, requestSchema } from './frames.ts'
import type { AsyncApiMessage, AsyncApiOperation } from './types.ts'

const text = { type: 'string' }
const NOT_READ = { action: null, body: {}, headers: {}, api: 'v2' }

/** Why a request was refused. (contract websocket.md 3) */
const refusal: JsonSchema = record(
  {
    error: { type: ['string', 'null'] },
    exception: { ...text, description: 'What was wrong, where the action itself was refused.' },
  },
  ['exception'],
)

function refused(name: string, request: object, status: number, body: object): AsyncApiMessage['examples'][number] {
  return { name, payload: { request, body, headers: { status } } }
}

const asked = (action: string, body: object) => ({ action, body, headers: CALLER, api: 'v2' })

/** What belongs to no action of the table. */
export const commonMessages: readonly AsyncApiMessage[] = [
  {
    name: 'authenticate',
    title: 'Say who calls',
    payload: {
      ...requestSchema('authenticate', { type: 'object' }, { bodyIsOptional: true }),
      properties: {
        action: { const: 'authenticate' },
        headers: {
          type: 'object',
          properties: { 'X-Auth-Token': text, 'X-Service-Token': text, 'X-Project-ID': text },
          required: ['X-Auth-Token', 'X-Project-ID'],
        },
        body: { type: 'object' },
        request_id: ref('RequestId'),
      },
    },
    examples: [
      {
        name: 'authenticate',
        payload: { action: 'authenticate', headers: { 'X-Auth-Token': 'gAAAAABo', 'X-Project-ID': 'p1' } },
      },
    ],
  },
  {
    name: 'authenticate.answer',
    title: 'Answer to authenticate',
    payload: answerSchema({ const: 200 }, record({ message: { const: 'Authentified.' } })),
    examples: [
      {
        name: 'authentified',
        payload: {
          request: { action: 'authenticate', body: {}, headers: {}, api: 'v2' },
          body: { message: 'Authentified.' },
          headers: { status: 200 },
        },
      },
    ],
  },
  {
    name: REFUSAL,
    title: 'Answer to a request that was refused',
    payload: answerSchema({ type: 'integer', minimum: 400, maximum: 599 }, refusal),
    examples: [
      refused('not-a-map', NOT_READ, 400, { error: 'Unexpected body type. Expected dict or dict like.' }),
      refused('unknown-action', asked('dance', {}), 400, { error: 'dance is not a valid action' }),
      refused('malformed', asked('queue_get', {}), 400, {
        error: 'Schema validation failed.',
        exception: 'body.queue_name is missing',
      }),
      refused('not-authenticated', asked('queue_get', { queue_name: 'jobs' }), 403, { error: 'Not authentified.' }),
      refused('of-another-project', asked('queue_get', { queue_name: 'jobs' }), 403, { error: 'Not authenticated.' }),
    ],
  },
  {
    name: 'notification',
    title: 'A message of a queue or topic',
    payload: ref('PushedMessage'),
    examples: [
      {
        name: 'notification',
        payload: { ttl: 3600, body: { event: 'started' }, Message_Type: 'Notification', queue_name: 'jobs' },
      },
    ],
  },
  {
    name: 'claim',
    title: 'Messages claimed for the connection',
    payload: ref('PushedClaim'),
    examples: [
      {
        name: 'claim',
        payload: {
          Message_Type: 'Claim',
          queue_name: 'jobs',
          claim_id: '4f1c9a7e2b6d48039e5fa0c3d7b81265',
          ttl: 60,
          messages: [
            {
              id: '0000000000000001a7d3c1f09b52e864',
              claim_id: '4f1c9a7e2b6d48039e5fa0c3d7b81265',
              ttl: 3600,
              age: 0,
              body: { event: 'started' },
            },
          ],
        },
      },
    ],
  },
]

export const commonOperations: Readonly<Record<string, AsyncApiOperation>> = {
  authenticate: {
    ...answered('authenticate'),
    summary: 'Say who calls, with a token of Keystone',
    description:
      'Again before the token ends, or the connection is closed with 4003. Where there is no Keystone there is nothing to show.',
    tags: [{ name: 'service' }],
  },
  notification: {
    action: 'send',
    channel,
    summary: 'Push a message to a subscription without a subscriber',
    tags: [{ name: 'subscriptions' }],
    messages: [messageOf('notification')],
  },
  claim: {
    action: 'send',
    channel,
    summary: 'Push messages that were claimed for a subscription with `mode: "claim"`',
    description:
      'They are held until they are deleted, as with `claim_create`; what is left when the connection goes is released.',
    tags: [{ name: 'subscriptions' }],
    messages: [messageOf('claim')],
  },
}
