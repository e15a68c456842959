import { listDeliveries } from '../../core/operations/deliveries/list-deliveries.ts'
import { listFailures } from '../../core/operations/deliveries/list-failures.ts'
import { replayFailures } from '../../core/operations/deliveries/replay-failures.ts'
import { deleteSecret } from '../../core/operations/subscriptions/delete-secret.ts'
import { makeSecret } from '../../core/operations/subscriptions/make-secret.ts'
import { type Attempt, readAttempts } from '../../core/rules/attempts.ts'
import { parseIsoTime } from '../../core/rules/iso-time.ts'
import { printJson } from '../../model/json.ts'
import type { Failure, Instant, JsonObject } from '../../model/model.ts'
import { readFields, readOptionalObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { nextLink } from '../links.ts'
import { IntegerParam, readQuery, StringParam } from '../query.ts'
import { Type } from '../typed-schema.ts'
import { invalidBody } from '../wire-error.ts'
import { deliveryDocs } from './delivery-docs.ts'
import { named, timeOf } from './subscriptions.ts'

const FAILURE_LIST_QUERY = { marker: StringParam, limit: IntegerParam } as const

/** All that failed, unless one of them says less. */
const ReplayTerms = Type.Object({
  ids: Type.Optional(Type.Array(Type.String())),
  /** An ISO 8601 time. */
  since: Type.Optional(Type.String()),
})

const ITEM = '/queues/:queue/subscriptions/:subscription'

/** What becomes of notifications, and with what they are signed: additions of ours. */
export const deliveryDoors: readonly AnyDoor[] = [
  door({
    method: 'GET',
    path: `${ITEM}/failures`,
    operation: listFailures,
    query: FAILURE_LIST_QUERY,
    describe: deliveryDocs.failures,
    decode: (request) => ({ ...named(request), ...readQuery(request.query, FAILURE_LIST_QUERY) }),
    encode({ failures, marker: next }, { path, query }) {
      const { marker, limit } = readQuery(query, FAILURE_LIST_QUERY)
      const links = nextLink(path, [['limit', limit]], { given: marker !== undefined, next })
      return ok(`{"failures": [${failures.map(failureDocument).join(', ')}], "links": ${links}}`)
    },
  }),
  door({
    method: 'POST',
    path: `${ITEM}/replay`,
    operation: replayFailures,
    body: ReplayTerms,
    describe: deliveryDocs.replay,
    decode: (request) => ({ ...named(request), ...readReplayTerms(request) }),
    encode: ({ ids, done }) => ok(printJson({ replayed: [...ids], done })),
  }),
  door({
    method: 'GET',
    path: `${ITEM}/deliveries`,
    operation: listDeliveries,
    describe: deliveryDocs.deliveries,
    decode: named,
    encode: (deliveries) =>
      ok(
        printJson({
          deliveries: deliveries.map((delivery) => ({
            ...attemptDocument(delivery),
            message_ids: [...delivery.messageIds],
          })),
        }),
      ),
  }),
  door({
    method: 'POST',
    path: `${ITEM}/secret`,
    operation: makeSecret,
    describe: deliveryDocs.makeSecret,
    decode: named,
    encode: ({ key, previousUntil }) => ({
      status: 201,
      body: printJson({ secret: `whsec_${key}`, previous_until: previousUntil && timeOf(previousUntil) }),
    }),
  }),
  door({
    method: 'DELETE',
    path: `${ITEM}/secret`,
    operation: deleteSecret,
    describe: deliveryDocs.deleteSecret,
    decode: named,
    encode: () => NO_CONTENT,
  }),
]

function readReplayTerms({ body }: DoorRequest): { ids?: readonly string[] | undefined; since?: Instant | undefined } {
  const { ids, since } = readFields(readOptionalObject(body), ReplayTerms)
  if (ids?.some((id) => typeof id !== 'string')) throw invalidBody('The "ids" must be strings.')
  if (since === undefined) return { ids }
  const instant = parseIsoTime(since)
  if (instant === null) throw invalidBody('"since" must be an ISO 8601 time.')
  return { ids, since: instant }
}

function failureDocument({ message, attempts: text, failedAt }: Failure): string {
  const { id, ttlSeconds: ttl, createdAt, body } = message
  const { count, latest } = readAttempts(text)
  const before = printJson({ id, ttl, posted: timeOf(createdAt), failed: timeOf(failedAt), attempts: count })
  const attempts = printJson(latest.map(attemptDocument))
  // One that cannot be decrypted is empty.
  return `${before.slice(0, -1)}, "latest_attempts": ${attempts}, "body": ${body || 'null'}}`
}

function attemptDocument({ at, seconds, status, reason, answer }: Attempt): JsonObject {
  return { at: timeOf(at), seconds, status, reason, answer }
}
