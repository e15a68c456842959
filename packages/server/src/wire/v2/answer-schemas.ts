import { COUNTED, type Counted } from '../../core/message-rates.ts'
import { MOST_DELAYED } from '../../core/operations/queues/get-queue-stats.ts'
import { type JsonSchema, listOf, record, ref } from '../openapi/json-schema.ts'

const text = { type: 'string' }
const seconds = { type: 'integer', minimum: 0, description: 'Seconds.' }
const count = { type: 'integer', minimum: 0 }
const anything = { description: 'Any JSON value.' }
const time = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z?$', description: 'UTC.' }

const COUNTS: Readonly<Record<Counted, string>> = {
  posted: 'Messages that were posted in each step, the latest last.',
  claimed: 'Messages that were claimed.',
  deleted: 'Messages that were deleted or popped.',
  delivered: 'Messages of which a webhook or mail told a subscriber.',
}

/** What answers are made of, by name. Paths in them begin with `prefix`, such as `/v2`. */
export function v2Schemas(prefix: string) {
  const path = {
    type: 'string',
    pattern: `^${prefix.replaceAll('.', '\\.')}/`,
    description: 'Path from the root of this service.',
  }
  const message = record(
    {
      id: { ...text, description: 'Opaque.' },
      href: { ...path, description: 'Ends with `?claim_id=` and the claim while the message is claimed.' },
      ttl: seconds,
      age: { ...seconds, description: 'Seconds since it was posted.' },
      body: anything,
      checksum: { ...text, description: 'Of the body; only where the service is configured to show it.' },
      marker: { ...text, description: 'Of a list, with `with_markers`.' },
    },
    ['checksum', 'marker'],
  )
  const { href: _notWhenGone, marker: _onlyInLists, ...popped } = message.properties
  const messages = listOf(ref('Message'))
  const edge = record({ age: seconds, created: time, href: path })
  const collection = listOf(record({ name: text, metadata: ref('Metadata'), href: path }, ['metadata']))
  const attempt = {
    at: time,
    seconds: { type: 'number', minimum: 0, description: 'How long it took.' },
    status: { type: ['integer', 'null'], description: 'Of the answer; null when there was none.' },
    reason: { type: ['string', 'null'], description: 'Why it failed; null when it did not.' },
    answer: { type: ['string', 'null'], description: 'The beginning of the answer, where it failed.' },
  }
  const store = {
    storage_reachable: { type: 'boolean' },
    operation_status: {
      type: 'object',
      additionalProperties: record({
        succeeded: { type: 'boolean' },
        seconds: { type: 'number', minimum: 0 },
        ref: { type: ['string', 'null'], description: 'Of a failure: what to look for in the log.' },
      }),
    },
  }
  const service = {
    sockets: {
      ...record({ connections: count, subscriptions: count, requests: count, pushed: count, dropped: count }),
      description:
        'Addition of this service, of the process that answers: connections that are open and subscriptions that ' +
        'push to them; since it was started, requests over them, messages pushed, and connections closed as too slow.',
    },
    process: {
      ...record({ version: text, engine: text, host: text, pid: count, started: time }),
      description: 'Addition of this service: which process answers, and what it runs on.',
    },
    storage_weakness: {
      ...text,
      description: 'Addition of this service: how the storage keeps what it is given less well than it could.',
    },
  }
  const ended = ['cancelled', 'done', 'failed']
  const progress = {
    rate: { type: ['integer', 'null'], description: 'Records in a second, at most.' },
    asked: time,
    ended: { ...time, type: ['string', 'null'] },
    queues_left: {
      ...count,
      type: ['integer', 'null'],
      description: 'That are to go still, about; null: not counted yet.',
    },
    queues_moved: count,
    records_moved: { ...count, description: 'A message is one.' },
    trouble: { type: ['string', 'null'], description: 'What stands in the way last; null: nothing does.' },
  }
  const nextLinks = { type: 'array', maxItems: 1, items: record({ rel: { const: 'next' }, href: path }) }
  const flavor = { name: text, capabilities: listOf(text), pool_list: listOf(text), href: path }
  return {
    Links: {
      ...nextLinks,
      description: 'Where the next page is. Every page that is not empty has a link, the last one too.',
    },
    Metadata: { type: 'object', description: 'Reserved attributes, which begin with `_`, and those of clients.' },
    QueueList: record(
      {
        queues: collection,
        links: ref('Links'),
        count: { ...count, description: 'Of all queues; absent when there is none, or when not asked for.' },
      },
      ['count'],
    ),
    TopicList: record({ topics: collection, links: ref('Links') }),
    Stats: record({
      messages: record(
        {
          ...{ claimed: count, free: count, total: count, newest: edge, oldest: edge },
          delayed: { ...count, description: `Of the free ones; ${MOST_DELAYED} also when there are more.` },
          rates: ref('Rates'),
        },
        ['claimed', 'free', 'newest', 'oldest', 'delayed', 'rates'],
      ),
    }),
    Rates: record({
      until: { ...time, description: 'When the last step ended, UTC.' },
      step: { ...count, description: 'How long a step is, in seconds.' },
      ...Object.fromEntries(COUNTED.map((what) => [what, { ...listOf(count), description: COUNTS[what] }])),
    }),
    Message: message,
    Messages: record({ messages }),
    MessagePage: record({ messages, links: ref('Links') }),
    PoppedMessages: record({
      messages: listOf(record({ ...popped, claim_id: { type: 'null' }, claim_count: count }, ['checksum'])),
    }),
    PostedMessages: record({ resources: listOf(path) }),
    NewClaim: record(
      { messages, gone: listOf({ ...text, description: 'Of `delete`: the ids that named nothing any more.' }) },
      ['gone'],
    ),
    Claim: record({ age: seconds, ttl: seconds, messages, href: path }),
    ClaimPage: record({
      claims: listOf(
        record({
          id: text,
          href: path,
          ttl: seconds,
          age: { ...seconds, description: 'Seconds since it was made, or renewed.' },
          messages: { ...count, description: 'How many it holds.' },
          client_id: {
            ...text,
            type: ['string', 'null'],
            description:
              'The `Client-ID` of who made it; null: none was sent, or an older version of the service made it.',
          },
        }),
      ),
      links: {
        ...nextLinks,
        description: 'Where the next page is; none behind the last. A page may be empty and have one.',
      },
    }),
    Redriven: record({
      moved: listOf(record({ id: text, queue: text, href: path })),
      done: { type: 'boolean', description: 'False when more are left: ask again.' },
    }),
    Subscription: record(
      {
        id: text,
        source: { ...text, description: 'Name of the queue.' },
        subscriber: text,
        ttl: seconds,
        age: seconds,
        options: { type: 'object' },
        confirmed: { type: 'boolean' },
        delivery: {
          ...record({
            state: { enum: ['failing', 'paused'] },
            failures: { ...count, description: 'Attempts in a row.' },
            since: time,
            paused_until: { ...time, type: ['string', 'null'] },
          }),
          description: 'Addition of this service, only there while deliveries fail.',
        },
      },
      ['delivery'],
    ),
    SubscriptionPage: record({ subscriptions: listOf(ref('Subscription')), links: ref('Links') }),
    NewSubscriptionId: record({ subscription_id: text }),
    Attempt: record(attempt),
    FailurePage: record({
      failures: listOf(
        record({
          id: { ...text, description: 'Of the message, which may have gone.' },
          ttl: seconds,
          posted: time,
          failed: time,
          attempts: count,
          latest_attempts: listOf(ref('Attempt')),
          body: anything,
        }),
      ),
      links: ref('Links'),
    }),
    Replayed: record({
      replayed: { ...listOf(text), description: 'Ids of messages.' },
      done: { type: 'boolean', description: 'False when more are left: ask again.' },
    }),
    DeliveryList: record({ deliveries: listOf(record({ ...attempt, message_ids: listOf(text) })) }),
    NewSecret: record({
      secret: { ...text, description: '`whsec_` and 32 bytes in base64.' },
      previous_until: { ...time, type: ['string', 'null'], description: 'Until when the one before signs as well.' },
    }),
    Permissions: record({ permissions: listOf(text) }),
    SignedUrl: record({ paths: listOf(path), methods: listOf(text), project: text, expires: time, signature: text }),
    Pool: record(
      {
        name: text,
        flavor: { type: ['string', 'null'] },
        uri: text,
        weight: count,
        options: { type: 'object' },
        href: path,
      },
      ['options'],
    ),
    PoolPage: record({ links: ref('Links'), pools: listOf(ref('Pool')) }),
    Drain: record({ pool: text, status: { enum: ['draining', ...ended] }, ...progress }),
    Rebalance: record({ status: { enum: ['rebalancing', ...ended] }, ...progress }),
    Flavor: record(flavor),
    FlavorPage: record({ links: ref('Links'), flavors: listOf(record(flavor, ['capabilities', 'pool_list'])) }),
    StoreHealth: record(store),
    Health: {
      anyOf: [
        record({ ...store, ...service }, ['storage_weakness']),
        {
          ...record({ catalog_reachable: { type: 'boolean' }, ...service }, ['storage_weakness']),
          additionalProperties: ref('StoreHealth'),
          description: 'With pooling: further properties are pools.',
        },
      ],
    },
  } satisfies Record<string, JsonSchema>
}

/** By name: those of the newest version, which older ones may have in a form of their own. */
export type AnswerSchemas = Readonly<Record<keyof ReturnType<typeof v2Schemas>, JsonSchema>>
