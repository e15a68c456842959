import { ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { pageParams } from './common-docs.ts'
import { MESSAGE, SECRET, SUBSCRIPTION } from './example-ids.ts'

const ADDITION = 'Addition of this service.'

const failures: DescribeDoor = ({ limits, home }) => ({
  summary: 'List what could not be delivered',
  description: `${ADDITION} Messages of which the receiver was told in vain, to the last retry; what failed first is first.`,
  query: pageParams(limits.maxMessagesPerPage),
  answers: { 200: { description: 'A page; empty at the end.', schema: ref('FailurePage') } },
  errors: ['limit.out_of_range', 'subscription.not_found'],
  examples: [
    {
      name: 'failures',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}/failures?limit=5` },
      answer: { status: 200, body: { failures: [], links: [] } },
    },
  ],
})

const replay: DescribeDoor = ({ limits, home }) => ({
  summary: 'Deliver again what failed',
  description: `${ADDITION} As if it had never been tried: all that failed, or only some.`,
  body: {
    required: false,
    schema: {
      properties: {
        ids: {
          description: 'Of messages. Only these, as far as they failed.',
          minItems: 1,
          maxItems: limits.maxMessagesPerPage,
          examples: [[MESSAGE]],
        },
        since: {
          description: 'An ISO 8601 time: only what failed then or later.',
          examples: ['2026-11-01T00:00:00Z'],
        },
      },
    },
  },
  answers: { 200: { description: 'What is delivered again.', schema: ref('Replayed') } },
  errors: ['ids.count_out_of_range', 'subscription.not_found', 'subscription.not_confirmed'],
  examples: [
    {
      name: 'replay',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}/replay`, body: { since: '2026-11-01T00:00:00Z' } },
      answer: { status: 200, body: { replayed: [], done: true } },
    },
  ],
})

const deliveries: DescribeDoor = ({ home }) => ({
  summary: 'List recent deliveries',
  description: `${ADDITION} What was tried lately, the latest first.`,
  answers: { 200: { description: 'As many as are kept.', schema: ref('DeliveryList') } },
  errors: ['subscription.not_found'],
  examples: [
    {
      name: 'deliveries',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}/deliveries` },
      answer: { status: 200, body: { deliveries: [] } },
    },
  ],
})

const makeSecret: DescribeDoor = ({ home }) => ({
  summary: 'Make a secret to sign notifications with',
  description: `${ADDITION} Webhooks are signed with it from now on, as Standard Webhooks has it. It is shown this once. One that was there before signs as well for a day.`,
  answers: { 201: { description: 'The secret.', schema: ref('NewSecret') } },
  errors: ['subscription.not_found'],
  examples: [
    {
      name: 'make-secret',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}/secret` },
      answer: {
        status: 201,
        body: { secret: `whsec_${SECRET}`, previous_until: null },
      },
    },
  ],
})

const deleteSecret: DescribeDoor = ({ home }) => ({
  summary: 'Delete the secrets',
  description: `${ADDITION} Notifications are not signed any more. Where there is none it is no error.`,
  answers: { 204: { description: 'Deleted.' } },
  examples: [
    {
      name: 'delete-secret',
      request: { path: `${home}/subscriptions/${SUBSCRIPTION}/secret` },
      answer: { status: 204 },
    },
  ],
})

export const deliveryDocs = { failures, replay, deliveries, makeSecret, deleteSecret }
