import type { ZaqarError } from '../../../core/errors.ts'
import { createSubscription } from '../../../core/operations/subscriptions/create-subscription.ts'
import { deleteSubscription } from '../../../core/operations/subscriptions/delete-subscription.ts'
import { getSubscription, type NamedSubscription } from '../../../core/operations/subscriptions/get-subscription.ts'
import { listSubscriptions } from '../../../core/operations/subscriptions/list-subscriptions.ts'
import { subscribeReceiver } from '../../../core/operations/subscriptions/subscribe-receiver.ts'
import { printJson } from '../../../model/json.ts'
import type { JsonObject } from '../../../model/model.ts'
import { Type } from '../../typed-schema.ts'
import { MARKER, SUBSCRIPTION } from '../../v2/example-ids.ts'
import { subscriptionDocument } from '../../v2/subscriptions.ts'
import { invalidRequest } from '../../wire-error.ts'
import { type AnySocketDoor, type SocketAnswer, type SocketRequest, socketDoor } from '../socket-door.ts'
import { upstreamAnswers } from './answer-docs.ts'
import { done, missing, unavailable } from './answers.ts'
import { alsoForTopics, queueIn, toOne, toQueue } from './named.ts'
import { integerIn } from './queues.ts'

const Named = Type.Object({ queue_name: Type.String(), subscription_id: Type.String() })

const NewSubscription = Type.Object({
  queue_name: Type.String(),
  subscriber: Type.Optional(Type.String()),
  ttl: Type.Optional(Type.Integer()),
  options: Type.Optional(Type.Object({})),
  marker: Type.Optional(Type.String()),
  mode: Type.Optional(Type.String()),
  claim_ttl: Type.Optional(Type.Integer()),
  claim_grace: Type.Optional(Type.Integer()),
  limit: Type.Optional(Type.Integer()),
})
/** What says how messages are pushed to a connection. */
const ONLY_FOR_CONNECTIONS = ['marker', 'mode', 'claim_ttl', 'claim_grace']
const ONLY_FOR_CLAIMS = ['claim_ttl', 'claim_grace']

const SHOWN = {
  id: SUBSCRIPTION,
  source: 'jobs',
  subscriber: 'https://example.org/hook',
  ttl: 3600,
  age: 12,
  options: {},
  confirmed: false,
}

export const subscriptionDoors: readonly AnySocketDoor[] = [
  socketDoor({
    action: 'subscription_create',
    operation: subscribeReceiver,
    body: NewSubscription,
    target: toQueue('POST', '/subscriptions'),
    decode: ({ body, receiver }) => ({
      queue: queueIn(body),
      receiver,
      options: optionsIn(body),
      ttlSeconds: integerIn(body, 'ttl'),
      marker: body['marker'] as string | undefined,
      claim: claimIn(body),
    }),
    encode({ id, marker, begin }, { body }) {
      const place = optionsIn(body)['_with_ids'] === true && marker !== null ? { marker } : {}
      return { ...created(id, body, place), afterwards: begin }
    },
    failure: notCreated,
    describe: {
      summary: 'Subscribe to a queue',
      details:
        'Without `subscriber`, messages are pushed to this connection, in frames of the encoding of this request, until it closes: from now on, or ' +
        'from behind `marker`. Each frame shows the id and the marker of its message where the options have `_with_ids`. ' +
        'With the mode `claim` they are claimed for it, for `claim_ttl` and `claim_grace` seconds, and it holds `limit` of them at the most.',
      answers: upstreamAnswers.subscription_create,
      example: {
        body: { queue_name: 'jobs', ttl: 3600, options: { _with_ids: true } },
        status: 201,
        answer: { subscription_id: SUBSCRIPTION, message: 'Subscription jobs created.', marker: MARKER },
      },
    },
    variants: [
      socketDoor({
        action: 'subscription_create',
        when: ({ subscriber }) => typeof subscriber === 'string' && subscriber !== '',
        operation: createSubscription,
        body: NewSubscription,
        target: toQueue('POST', '/subscriptions'),
        decode({ body }) {
          const stray = ONLY_FOR_CONNECTIONS.find((key) => body[key] !== undefined)
          if (stray !== undefined) throw invalidRequest(`"${stray}" is for subscriptions without a subscriber.`)
          return {
            queue: queueIn(body),
            subscriber: body['subscriber'] as string,
            options: optionsIn(body),
            ttlSeconds: integerIn(body, 'ttl'),
            whenUnconfirmed: 'fail' as const,
          }
        },
        encode: ({ id }, { body }) => created(id, body),
        failure: notCreated,
        describe: {
          summary: 'Subscribe somebody to a queue',
          answers: upstreamAnswers.subscription_create,
          example: {
            body: { queue_name: 'jobs', subscriber: 'https://example.org/hook' },
            status: 201,
            answer: { subscription_id: SUBSCRIPTION, message: 'Subscription jobs created.' },
          },
        },
      }),
    ],
  }),
  socketDoor({
    action: 'subscription_list',
    operation: listSubscriptions,
    body: Type.Object({
      queue_name: Type.String(),
      marker: Type.Optional(Type.String()),
      limit: Type.Optional(Type.Integer()),
    }),
    target: toQueue('GET', '/subscriptions'),
    decode: ({ body }) => ({
      queue: queueIn(body),
      marker: body['marker'] as string | undefined,
      limit: integerIn(body, 'limit'),
    }),
    encode({ subscriptions, now }) {
      const documents = subscriptions.map((subscription) => subscriptionDocument(subscription, now))
      return { status: 200, body: `{"subscriptions": [${documents.join(', ')}]}` }
    },
    failure: unavailable(() => 'Subscriptions could not be listed.'),
    describe: {
      summary: 'List the subscriptions of a queue',
      details: 'A list goes on behind the id that `marker` says.',
      answers: upstreamAnswers.subscription_list,
      example: { body: { queue_name: 'jobs' }, status: 200, answer: { subscriptions: [SHOWN] } },
    },
  }),
  socketDoor({
    action: 'subscription_get',
    operation: getSubscription,
    body: Named,
    target: toOne('GET', 'subscriptions'),
    decode: named,
    encode: ({ subscription, now }) => ({ status: 200, body: subscriptionDocument(subscription, now) }),
    failure: missing(
      'subscription.not_found',
      (body) => `Subscription ${idIn(body)} for queue ${queueIn(body)} does not exist.`,
      (body) => `Cannot retrieve subscription ${idIn(body)}.`,
    ),
    describe: {
      summary: 'Get a subscription',
      answers: upstreamAnswers.subscription_get,
      example: { body: { queue_name: 'jobs', subscription_id: SUBSCRIPTION }, status: 200, answer: SHOWN },
    },
  }),
  socketDoor({
    action: 'subscription_delete',
    operation: deleteSubscription,
    body: Named,
    target: toOne('DELETE', 'subscriptions'),
    decode: named,
    encode: (_output, { body }) => done(204, `Subscription ${idIn(body)} removed.`),
    failure: unavailable((body) => `Subscription ${idIn(body)} for queue ${queueIn(body)} could not be deleted.`),
    describe: {
      summary: 'Delete a subscription',
      details: 'One that does not exist is no error.',
      answers: upstreamAnswers.subscription_delete,
      example: {
        body: { queue_name: 'jobs', subscription_id: SUBSCRIPTION },
        status: 204,
        answer: `Subscription ${SUBSCRIPTION} removed.`,
      },
    },
  }),
].map(alsoForTopics)

function idIn(body: JsonObject): string {
  return body['subscription_id'] as string
}

function named({ body }: SocketRequest): NamedSubscription {
  return { queue: queueIn(body), id: idIn(body) }
}

function optionsIn(body: JsonObject): JsonObject {
  return (body['options'] ?? {}) as JsonObject
}

function claimIn(body: JsonObject) {
  const { mode } = body
  if (mode !== undefined && mode !== 'claim') throw invalidRequest('"mode" must be "claim", where it is given.')
  if (mode === 'claim') {
    return {
      limit: integerIn(body, 'limit'),
      ttlSeconds: integerIn(body, 'claim_ttl'),
      graceSeconds: integerIn(body, 'claim_grace'),
    }
  }
  const stray = ONLY_FOR_CLAIMS.find((key) => body[key] !== undefined)
  if (stray !== undefined) throw invalidRequest(`"${stray}" is for the mode "claim".`)
  return undefined
}

function created(id: string, body: JsonObject, place: { marker?: string } = {}) {
  return {
    status: 201,
    body: printJson({ subscription_id: id, message: `Subscription ${queueIn(body)} created.`, ...place }),
  }
}

function notCreated({ code }: ZaqarError, body: JsonObject): string | SocketAnswer | null {
  if (code === 'subscription.exists') return done(409, `Subscription ${queueIn(body)} not created.`)
  return code === 'storage.unavailable' ? `Subscription ${queueIn(body)} could not be created.` : null
}
