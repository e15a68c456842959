import type { Static, TObject } from 'typebox'
import { type CreateClaimInput, createClaim } from '../../core/operations/claims/create-claim.ts'
import { getClaim } from '../../core/operations/claims/get-claim.ts'
import { listClaims } from '../../core/operations/claims/list-claims.ts'
import { releaseClaim } from '../../core/operations/claims/release-claim.ts'
import { renewClaim } from '../../core/operations/claims/renew-claim.ts'
import { printJson } from '../../model/json.ts'
import type { Instant, Json, ListedClaim } from '../../model/model.ts'
import { readFields, readObject, readOptionalObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { nextLink } from '../links.ts'
import { ageOf, messageDocuments } from '../message-documents.ts'
import { IntegerParam, readQuery, StringParam } from '../query.ts'
import { Type } from '../typed-schema.ts'
import { claimDocs } from './claim-docs.ts'

const termFields = { ttl: Type.Optional(Type.Integer()), grace: Type.Optional(Type.Integer()) }

/** Body of a PATCH, and of a POST in older versions; other fields are dropped, a `limit` too. */
export const ClaimTerms = Type.Object(termFields)
export const FinishedMessage = Type.Object({ id: Type.String(), claim_id: Type.String() })
/** Body of a POST. */
const NewClaim = Type.Object({
  ...termFields,
  /** An addition of ours: what is finished and goes in the same move. */
  delete: Type.Optional(Type.Array(FinishedMessage)),
})
const CREATE_QUERY = { limit: IntegerParam, wait: IntegerParam } as const
const LIST_QUERY = { marker: StringParam, limit: IntegerParam } as const

export const claimDoors: readonly AnyDoor[] = [
  door({
    method: 'POST',
    path: '/queues/:queue/claims',
    operation: createClaim,
    query: CREATE_QUERY,
    body: NewClaim,
    describe: claimDocs.create,
    decode: (request) => ({
      ...readNewClaim(request, NewClaim),
      idempotencyKey: readIdempotencyKey(request.headers['idempotency-key'] as string | undefined),
    }),
    encode({ found, gone }, request) {
      const goneToo = gone === null ? '' : `, "gone": ${printJson([...gone])}`
      if (found === null) return gone === null ? NO_CONTENT : ok(`{"messages": []${goneToo}}`)
      const { claim, now } = found
      const messages = messageDocuments(claim.messages, { request, now, inClaim: true })
      return {
        status: 201,
        headers: { Location: `${request.path}/${claim.id}` },
        body: `{"messages": ${messages}${goneToo}}`,
      }
    },
  }),
  // An addition of ours.
  door({
    method: 'GET',
    path: '/queues/:queue/claims',
    operation: listClaims,
    query: LIST_QUERY,
    describe: claimDocs.list,
    decode: ({ params, query }) => ({ queue: params['queue'] as string, ...readQuery(query, LIST_QUERY) }),
    encode({ claims, marker: next, now }, { path, query }) {
      const { marker, limit } = readQuery(query, LIST_QUERY)
      const documents = claims.map((claim) => listedDocument(claim, path, now))
      const links = nextLink(path, [['limit', limit]], { given: marker !== undefined, next })
      return ok(`{"claims": [${documents.join(', ')}], "links": ${links}}`)
    },
  }),
  door({
    method: 'GET',
    path: '/queues/:queue/claims/:claim',
    operation: getClaim,
    describe: claimDocs.get,
    decode: named,
    encode({ claim, now }, request) {
      const messages = messageDocuments(claim.messages, { request, now, inClaim: true })
      const age = ageOf(claim.renewedAt, now)
      return ok(
        `{"age": ${age}, "ttl": ${claim.ttlSeconds}, "messages": ${messages}, "href": ${JSON.stringify(request.path)}}`,
      )
    },
  }),
  door({
    method: 'PATCH',
    path: '/queues/:queue/claims/:claim',
    operation: renewClaim,
    body: ClaimTerms,
    describe: claimDocs.renew,
    decode: (request) => ({ ...named(request), ...readTerms(readObject(request.body)) }),
    encode: () => NO_CONTENT,
  }),
  door({
    method: 'DELETE',
    path: '/queues/:queue/claims/:claim',
    operation: releaseClaim,
    describe: claimDocs.release,
    decode: named,
    encode: () => NO_CONTENT,
  }),
]

/** What a POST asks for. `fields` are `NewClaim`, or those of an older version. */
export function readNewClaim({ params, query, body }: DoorRequest, fields: TObject): CreateClaimInput {
  const { limit, wait } = readQuery(query, CREATE_QUERY)
  const given = readFields(readOptionalObject(body), fields) as Static<typeof NewClaim>
  return {
    queue: params['queue'] as string,
    limit,
    waitSeconds: wait,
    ttlSeconds: given.ttl,
    graceSeconds: given.grace,
    finished: given.delete?.map((element) => {
      const { id, claim_id: claimId } = readFields(element, FinishedMessage)
      return { id, claimId }
    }),
  }
}

function listedDocument(claim: ListedClaim, path: string, now: Instant): string {
  const { id, ttlSeconds: ttl, renewedAt, messages, clientId } = claim
  const client_id = clientId && spelledOut(clientId)
  return printJson({ id, href: `${path}/${id}`, ttl, age: ageOf(renewedAt, now), messages, client_id })
}

/** UUIDs are kept without hyphens, see `readCaller`; nearly every client spells its own with them. */
function spelledOut(clientId: string): string {
  return clientId.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, '$1-$2-$3-$4-$5')
}

function readTerms(document: Json): { ttlSeconds?: number | undefined; graceSeconds?: number | undefined } {
  const { ttl, grace } = readFields(document, ClaimTerms)
  return { ttlSeconds: ttl, graceSeconds: grace }
}

function named({ params }: DoorRequest): { queue: string; claimId: string } {
  return { queue: params['queue'] as string, claimId: params['claim'] as string }
}
