import { type JsonSchema, listOf, record, ref } from '../openapi/json-schema.ts'

const text = { type: 'string' }
const seconds = { type: 'integer', minimum: 0, description: 'Seconds.' }
const anything = { description: 'Any JSON value.' }

const known = {
  'X-Auth-Token': { ...text, description: 'Of `authenticate`, where Keystone is used.' },
  'X-Service-Token': { ...text, description: 'Of `authenticate`: of the service that asks for the user.' },
  'User-Agent': text,
  Date: text,
  Accept: text,
  'URL-Signature': {
    description: 'With the other `URL-` headers, in place of `authenticate`: as `queue_share` answers.',
  },
  'URL-Expires': { description: 'Of a signed request: a UTC time.' },
  'URL-Methods': { description: 'Of a signed request: a list.' },
  'URL-Paths': { description: 'Of a signed request: a list.' },
}
const caller = {
  'Client-ID': { ...text, description: 'A UUID, which identifies one instance of a client.' },
  'X-Project-ID': { ...text, description: 'Where Keystone is used, the project of the token.' },
}

/** What frames are made of, by name. (contract websocket.md 3, 7.2) */
export const frameSchemas = {
  Headers: {
    type: 'object',
    description: 'Their names are case-sensitive. Others are echoed.',
    properties: { ...caller, ...known },
    required: Object.keys(caller),
  },
  HeadersOfAnybody: { type: 'object', properties: { ...caller, ...known } },
  RequestId: { type: ['string', 'number'], description: 'Addition of this service: the answer has the same.' },
  Echo: record({
    action: { type: ['string', 'null'], description: 'Null when the request could not be read.' },
    body: anything,
    headers: anything,
    api: { const: 'v2' },
  }),
  PushedMessage: record(
    {
      ttl: seconds,
      body: anything,
      Message_Type: { const: 'Notification' },
      queue_name: { ...text, description: 'Of a topic, where the subscription is to one.' },
      id: { ...text, description: 'Where the subscription has the option `_with_ids`.' },
      marker: { ...text, description: 'As `id`: a subscription that begins at this marker gets what comes behind it.' },
      topic_name: { ...text, description: 'As `id`, where the subscription is to a topic.' },
    },
    ['id', 'marker', 'topic_name'],
  ),
  PushedClaim: record({
    Message_Type: { const: 'Claim' },
    queue_name: text,
    claim_id: text,
    ttl: seconds,
    messages: listOf(record({ id: text, claim_id: text, ttl: seconds, age: seconds, body: anything })),
  }),
} satisfies Record<string, JsonSchema>

/** The frame of a request. */
export function requestSchema(
  action: string,
  body: JsonSchema,
  {
    needsNoCaller = false,
    bodyIsOptional = false,
  }: { readonly needsNoCaller?: boolean; readonly bodyIsOptional?: boolean },
): JsonSchema {
  return {
    type: 'object',
    properties: {
      action: { const: action },
      headers: ref(needsNoCaller ? 'HeadersOfAnybody' : 'Headers'),
      body,
      request_id: ref('RequestId'),
    },
    required: ['action', 'headers', ...(bodyIsOptional ? [] : ['body'])],
  }
}

/** The frame of an answer. */
export function answerSchema(status: JsonSchema, body: JsonSchema): JsonSchema {
  return record({ request: ref('Echo'), body, headers: record({ status }), request_id: ref('RequestId') }, [
    'request_id',
  ])
}
