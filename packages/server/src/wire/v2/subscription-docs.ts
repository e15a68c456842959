import { LEAST_SECONDS, type Limits } from '../../core/rules/limits.ts'
import { type JsonSchema, ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { pageParams } from './common-docs.ts'
import { SUBSCRIPTION } from './example-ids.ts'

const SUBSCRIBER = 'https://example.org/hook'
/** Of who is told in the name of the caller. */
const TRUST_ERRORS = [
  'subscription.trust_unavailable',
  'trust.needs_token',
  'trust.given',
  'trust.host_unknown',
  'trust.refused',
] as const
const OPTIONS =
  '`_retry_policy`; `post_data` and `post_headers` for HTTP; `from` and `subject` for mail. Additions of this service: `_filter`, ' +
  '`_ordered`, `_format`, `_batch`, `_end_on_gone`, `_with_ids`.'

function termsSchema({ subscriberTypes, defaultSubscriptionTtlSeconds, maxQueueMetadataBytes }: Limits): JsonSchema {
  return {
    properties: {
      subscriber: {
        description: `A URI whose scheme is one of: ${subscriberTypes.join(', ')}.`,
        examples: [SUBSCRIBER],
      },
      ttl: {
        description: 'Seconds. It must end before the year 10000.',
        minimum: LEAST_SECONDS,
        default: defaultSubscriptionTtlSeconds,
      },
      options: {
        description: `${OPTIONS} Others are kept. At most ${maxQueueMetadataBytes} bytes.`,
      },
    },
  }
}

const createSubscription: DescribeDoor = ({ limits, kind, home }) => ({
  summary: 'Subscribe',
  description: `A ${kind} that does not exist is created. Who is subscribed already, but has not confirmed, keeps that subscription. Where confirmation is required, either is asked for it, and is told of nothing before.`,
  body: { required: true, schema: termsSchema(limits) },
  answers: {
    201: {
      description: 'Subscribed. `Location` is the collection.',
      schema: ref('NewSubscriptionId'),
      headers: ['Location'],
    },
  },
  errors: [
    'subscriber.malformed',
    'subscriber.not_supported',
    'subscription.options_invalid',
    'subscription.options_too_large',
    'subscription.ttl_too_short',
    'subscription.ttl_too_long',
    'subscription.exists',
    ...TRUST_ERRORS,
    'quota.queues',
    'quota.bytes',
  ],
  examples: [
    {
      name: 'subscribe',
      request: {
        path: `${home}/subscriptions`,
        body: { subscriber: SUBSCRIBER, ttl: 3600, options: { post_headers: { 'X-Team': 'billing' } } },
      },
      answer: {
        status: 201,
        headers: { Location: `${home}/subscriptions` },
        body: { subscription_id: SUBSCRIPTION },
      },
    },
  ],
})

function subscription(home: string) {
  return {
    id: SUBSCRIPTION,
    source: home.slice(home.lastIndexOf('/') + 1),
    subscriber: SUBSCRIBER,
    ttl: 3600,
    age: 0,
    options: { post_headers: { 'X-Team': 'billing' } },
    confirmed: false,
  }
}

const listSubscriptions: DescribeDoor = ({ limits, home }) => ({
  summary: 'List subscriptions',
  query: pageParams(limits.maxSubscriptionsPerPage),
  answers: { 200: { description: 'A page; empty at the end.', schema: ref('SubscriptionPage') } },
  errors: ['limit.out_of_range'],
  examples: [
    {
      name: 'list',
      request: { path: `${home}/subscriptions?limit=5` },
      answer: {
        status: 200,
        body: {
          subscriptions: [subscription(home)],
          links: [{ rel: 'next', href: `${home}/subscriptions?limit=5&marker=${SUBSCRIPTION}` }],
        },
      },
    },
  ],
})

const getSubscription: DescribeDoor = ({ home }) => ({
  summary: 'Show a subscription',
  answers: { 200: { description: 'The subscription.', schema: ref('Subscription') } },
  errors: ['subscription.not_found'],
  examples: [
    {
      name: 'get',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}` },
      answer: { status: 200, body: subscription(home) },
    },
  ],
})

const updateSubscription: DescribeDoor = ({ limits, home }) => ({
  summary: 'Change a subscription',
  description: 'What is not given stays; at least one field must be. Another subscriber has to confirm.',
  body: { required: true, schema: { ...termsSchema(limits), minProperties: 1 } },
  answers: { 204: { description: 'Changed.', headers: ['Location'] } },
  errors: [
    'subscriber.malformed',
    'subscriber.not_supported',
    'subscription.options_invalid',
    'subscription.options_too_large',
    'subscription.ttl_too_short',
    'subscription.ttl_too_long',
    'subscription.exists',
    'subscription.not_found',
    ...TRUST_ERRORS,
    'trust.of_another',
    'quota.bytes',
  ],
  examples: [
    {
      name: 'update',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}`, body: { ttl: 7200 } },
      answer: { status: 204, headers: { Location: `${home}/subscriptions/${SUBSCRIPTION}` } },
    },
  ],
})

const confirmSubscription: DescribeDoor = ({ home }) => ({
  summary: 'Confirm a subscription, or take that back',
  description:
    'The subscriber needs no account for it, but the headers of the signed URL that it was sent. Where confirmation is required, ' +
    'who takes it back is sent another one.',
  body: { required: true, schema: { properties: { confirmed: { description: 'False takes a confirmation back.' } } } },
  answers: { 204: { description: 'Done.', headers: ['Location'] } },
  errors: ['subscription.not_found'],
  examples: [
    {
      name: 'confirm',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}/confirm`, body: { confirmed: true } },
      answer: { status: 204, headers: { Location: `${home}/subscriptions/${SUBSCRIPTION}/confirm` } },
    },
  ],
})

const deleteSubscription: DescribeDoor = ({ home }) => ({
  summary: 'Unsubscribe',
  description: 'A subscription that does not exist is no error.',
  answers: { 204: { description: 'Deleted.' } },
  examples: [{ name: 'delete', request: { path: `${home}/subscriptions/${SUBSCRIPTION}` }, answer: { status: 204 } }],
})

export const subscriptionDocs = {
  create: createSubscription,
  list: listSubscriptions,
  get: getSubscription,
  update: updateSubscription,
  confirm: confirmSubscription,
  delete: deleteSubscription,
}
