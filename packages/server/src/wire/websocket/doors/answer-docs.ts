import { type JsonSchema, listOf, record, ref } from '../../openapi/json-schema.ts'
import type { DoorDoc } from '../../openapi/types.ts'

type Answers = NonNullable<DoorDoc['answers']>

const text = { type: 'string' }
const seconds = { type: 'integer', minimum: 0, description: 'Seconds.' }
const count = { type: 'integer', minimum: 0 }
const id = { ...text, description: 'Opaque.' }
const anything = { description: 'Any JSON value.' }
const claimId = { type: ['string', 'null'], description: 'Of the claim that holds it; null: none.' }

/** The schemas of answers in upstream's form, by name: HTTP has others for the same things. */
export const upstreamSchemas = {
  SocketMessage: record(
    {
      id,
      claim_id: claimId,
      ttl: seconds,
      age: { ...seconds, description: 'Seconds since it was posted.' },
      body: anything,
      marker: { ...text, description: 'With `with_markers`: a list from there goes on behind this message.' },
    },
    ['marker'],
  ),
  StoredMessage: record(
    { id, age: seconds, ttl: seconds, body: anything, claim_id: claimId, claim_count: count, created: text },
    ['created'],
  ),
} satisfies Record<string, JsonSchema>

const messages = record({ messages: listOf(ref('SocketMessage')) })
const stats = record(
  {
    claimed: count,
    free: count,
    total: count,
    newest: ref('StoredMessage'),
    oldest: ref('StoredMessage'),
  },
  ['claimed', 'free', 'newest', 'oldest'],
)
const subscriptions = record({ subscriptions: listOf(ref('Subscription')) })

function answered(status: number, description: string, schema: JsonSchema): Answers {
  return { [status]: { description, schema } }
}

function sentence(status: number, description: string): Answers {
  return answered(status, description, text)
}

const DONE: Answers = { 204: { description: 'Done.' } }

/** What actions answer that upstream has, by action. (contract websocket.md 6) */
export const upstreamAnswers = {
  queue_list: answered(
    200,
    'A page; empty at the end.',
    record({ queues: listOf(record({ name: text, metadata: ref('Metadata') }, ['metadata'])) }),
  ),
  queue_create: { ...sentence(201, 'Created.'), ...sentence(204, 'It was there.') },
  queue_delete: sentence(204, 'Done.'),
  queue_get: answered(200, 'The metadata.', ref('Metadata')),
  queue_get_stats: {
    ...answered(200, 'Counts, and the newest and the oldest message where there is one.', record({ messages: stats })),
    ...answered(404, 'There is no such queue.', record({ messages: stats })),
  },
  queue_purge: DONE,
  message_post: answered(201, 'Ids, in the order of the messages.', record({ message_ids: listOf(id) })),
  message_list: answered(200, 'A page; empty at the end.', messages),
  message_get: answered(200, 'The message.', record({ messages: ref('SocketMessage') })),
  message_get_many: answered(200, 'Those that there are.', messages),
  message_delete: DONE,
  message_delete_many: DONE,
  message_delete_many_pop: answered(200, 'What was taken.', record({ messages: listOf(ref('StoredMessage')) })),
  claim_create: {
    ...answered(
      201,
      'Claimed.',
      record({ claim_id: id, messages: listOf(ref('SocketMessage')), gone: listOf(id) }, ['gone']),
    ),
    ...answered(
      200,
      'Finished, and nothing to claim.',
      record({ claim_id: { type: 'null' }, messages: listOf(ref('SocketMessage')), gone: listOf(id) }),
    ),
    ...answered(204, 'Nothing to claim.', record({ claim_id: { type: 'null' } })),
  },
  claim_get: answered(
    200,
    'The claim.',
    record({ age: seconds, ttl: seconds, messages: listOf(ref('SocketMessage')) }),
  ),
  claim_update: sentence(204, 'Renewed.'),
  claim_delete: sentence(204, 'Done.'),
  subscription_create: {
    ...answered(201, 'Subscribed.', record({ subscription_id: id, message: text, marker: text }, ['marker'])),
    ...sentence(409, 'There is one already.'),
  },
  subscription_list: answered(200, 'A page; empty at the end.', subscriptions),
  subscription_get: answered(200, 'The subscription.', ref('Subscription')),
  subscription_delete: sentence(204, 'Done.'),
} satisfies Record<string, Answers>
