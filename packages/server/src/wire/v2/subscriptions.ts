import { ZaqarError } from '../../core/errors.ts'
import { confirmSubscription } from '../../core/operations/subscriptions/confirm-subscription.ts'
import { createSubscription } from '../../core/operations/subscriptions/create-subscription.ts'
import { deleteSubscription } from '../../core/operations/subscriptions/delete-subscription.ts'
import { getSubscription } from '../../core/operations/subscriptions/get-subscription.ts'
import { listSubscriptions } from '../../core/operations/subscriptions/list-subscriptions.ts'
import { updateSubscription } from '../../core/operations/subscriptions/update-subscription.ts'
import { integerOf } from '../../core/rules/integers.ts'
import { formatIsoTime } from '../../core/rules/iso-time.ts'
import { isObject, printJson } from '../../model/json.ts'
import type { Health, Instant, JsonObject, Subscription } from '../../model/model.ts'
import { readDocument, readOptionalObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { nextLink } from '../links.ts'
import { ageOf } from '../message-documents.ts'
import { IntegerParam, readQuery, StringParam } from '../query.ts'
import { Type } from '../typed-schema.ts'
import { invalidRequest, WireError } from '../wire-error.ts'
import { subscriptionDocs } from './subscription-docs.ts'

const Subscriber = Type.String()
const Ttl = Type.Integer()
/** Heat and python-zaqarclient send null for none. */
const Options = Type.Unsafe<JsonObject | null>({ type: ['object', 'null'] })

/** Body of a POST; other fields are dropped, `confirmed` too. */
const NewSubscription = Type.Object({
  subscriber: Subscriber,
  ttl: Type.Optional(Ttl),
  options: Type.Optional(Options),
})
/** Body of a PATCH. */
const SubscriptionChanges = Type.Partial(NewSubscription)
const Confirmation = Type.Object({ confirmed: Type.Boolean() })

const SUBSCRIPTION_LIST_QUERY = { marker: StringParam, limit: IntegerParam } as const

const COLLECTION = '/queues/:queue/subscriptions'
const ITEM = `${COLLECTION}/:subscription`

export const subscriptionDoors: readonly AnyDoor[] = [
  door({
    method: 'POST',
    path: COLLECTION,
    operation: createSubscription,
    body: NewSubscription,
    describe: subscriptionDocs.create,
    decode({ params, body }) {
      const { subscriber, ttlSeconds, options = {} } = readTerms(readOptionalObject(body))
      if (subscriber === undefined) throw invalidRequest('Missing parameter subscriber in body.')
      return { queue: params['queue'] as string, subscriber, ttlSeconds, options }
    },
    encode: ({ id }, { path }) => ({
      status: 201,
      headers: { Location: path },
      body: printJson({ subscription_id: id }),
    }),
    errorHeaders: (error, { path }): Record<string, string> =>
      error instanceof ZaqarError && error.code === 'subscription.exists' ? { Location: path } : {},
  }),
  door({
    method: 'GET',
    path: COLLECTION,
    operation: listSubscriptions,
    query: SUBSCRIPTION_LIST_QUERY,
    describe: subscriptionDocs.list,
    decode: ({ params, query }) => ({
      queue: params['queue'] as string,
      ...readQuery(query, SUBSCRIPTION_LIST_QUERY),
    }),
    encode({ subscriptions, now }, { path, query }) {
      const { marker, limit } = readQuery(query, SUBSCRIPTION_LIST_QUERY)
      const documents = subscriptions.map((subscription) => subscriptionDocument(subscription, now))
      const next = subscriptions.at(-1)?.id ?? null
      const links = nextLink(path, [['limit', limit]], { given: marker !== undefined, next })
      return ok(`{"subscriptions": [${documents.join(', ')}], "links": ${links}}`)
    },
  }),
  door({
    method: 'GET',
    path: ITEM,
    operation: getSubscription,
    describe: subscriptionDocs.get,
    decode: named,
    encode: ({ subscription, now }) => ok(subscriptionDocument(subscription, now)),
  }),
  door({
    method: 'PATCH',
    path: ITEM,
    operation: updateSubscription,
    body: SubscriptionChanges,
    describe: subscriptionDocs.update,
    decode: (request) => ({ ...named(request), ...readChanges(request) }),
    encode: (_output, { path }) => ({ status: 204, headers: { Location: path } }),
  }),
  door({
    method: 'PUT',
    path: `${ITEM}/confirm`,
    operation: confirmSubscription,
    body: Confirmation,
    describe: subscriptionDocs.confirm,
    decode: (request) => ({ ...named(request), confirmed: readConfirmation(request) }),
    encode: (_output, { path }) => ({ status: 204, headers: { Location: path } }),
  }),
  door({
    method: 'DELETE',
    path: ITEM,
    operation: deleteSubscription,
    describe: subscriptionDocs.delete,
    decode: named,
    encode: () => NO_CONTENT,
  }),
]

export function named({ params }: DoorRequest): { queue: string; id: string } {
  return { queue: params['queue'] as string, id: params['subscription'] as string }
}

export function subscriptionDocument(subscription: Subscription, now: Instant): string {
  const { id, source, subscriber, ttlSeconds: ttl, renewedAt, options, confirmed, health } = subscription
  const common = printJson({ id, source, subscriber, ttl, age: ageOf(renewedAt, now) }).slice(0, -1)
  const delivery = health === null ? '' : `, "delivery": ${printJson(healthDocument(health, now))}`
  return `${common}, "options": ${options}, "confirmed": ${confirmed}${delivery}}`
}

/** An addition of ours. */
function healthDocument({ failures, failingSince, pausedUntil }: Health, now: Instant): JsonObject {
  const isPaused = pausedUntil !== null && pausedUntil > now
  return {
    state: isPaused ? 'paused' : 'failing',
    failures,
    since: timeOf(failingSince),
    paused_until: isPaused ? timeOf(pausedUntil) : null,
  }
}

export function timeOf(instant: Instant): string {
  return `${formatIsoTime(instant)}Z`
}

interface Terms {
  readonly subscriber: string | undefined
  readonly ttlSeconds: number | undefined
  readonly options: JsonObject | undefined
}

/** Refuses in upstream's words, which its own tests look for. (contract notifications.md 2) */
function readTerms({ subscriber, ttl, options }: JsonObject): Terms {
  if (subscriber !== undefined && typeof subscriber !== 'string') throw invalidRequest('Subscriber must be a string.')
  const ttlSeconds = ttl === undefined ? undefined : integerOf(ttl)
  if (ttlSeconds === null) throw invalidRequest('TTL must be an integer.')
  if (options === null) return { subscriber, ttlSeconds, options: {} }
  if (options !== undefined && !isObject(options)) throw invalidRequest('Options must be a dict.')
  return { subscriber, ttlSeconds, options }
}

/** Names that upstream takes for arguments of its own. (contract http.md 3.9.5) */
const NEVER_CHANGED = ['queue', 'project', 'subscription_id', 'self']

/** The changes of a PATCH, of which there must be one. A null subscriber or ttl is no change. */
function readChanges({ params, body }: DoorRequest) {
  const document = body.bytes ? readDocument(body) : {}
  if (Array.isArray(document)) throw invalidRequest('Subscriptions must be a dict.')
  if (Object.keys(document).length === 0) throw invalidRequest('No subscription to create.')
  const given = Object.entries(document).filter(([name, value]) => value !== null || name === 'options')
  const changes = readTerms(Object.fromEntries(given))
  const isEmpty = Object.values(changes).every((change) => change === undefined)
  if (isEmpty || NEVER_CHANGED.some((name) => Object.hasOwn(document, name))) {
    throw new WireError(
      400,
      'Unable to update subscription',
      `Subscription ${params['subscription']} could not be updated.`,
    )
  }
  return changes
}

function readConfirmation({ params, body }: DoorRequest): boolean {
  const document = body.bytes ? readDocument(body) : {}
  if (Array.isArray(document)) {
    throw new WireError(
      400,
      'Unable to confirm subscription',
      `Subscription ${params['subscription']} could not be confirmed.`,
    )
  }
  const { confirmed } = document
  if (typeof confirmed !== 'boolean') throw invalidRequest("The 'confirmed' should be boolean.")
  return confirmed
}
