import { Type } from 'typebox'
import { createClaim } from '../../core/operations/claims/create-claim.ts'
import { getClaim } from '../../core/operations/claims/get-claim.ts'
import { releaseClaim } from '../../core/operations/claims/release-claim.ts'
import { renewClaim } from '../../core/operations/claims/renew-claim.ts'
import type { Json } from '../../model/model.ts'
import { readFields, readObject, readOptionalObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { ageOf, messageDocuments } from '../message-documents.ts'
import { IntegerParam, readQuery } from '../query.ts'
import { claimDocs } from './claim-docs.ts'

/** Body of a POST or PATCH; other fields are dropped, a `limit` too. */
const ClaimTerms = Type.Object({
  ttl: Type.Optional(Type.Integer()),
  grace: Type.Optional(Type.Integer()),
})
const CREATE_QUERY = { limit: IntegerParam, wait: IntegerParam } as const

export const claimDoors: readonly AnyDoor[] = [
  door({
    method: 'POST',
    path: '/queues/:queue/claims',
    operation: createClaim,
    query: CREATE_QUERY,
    body: ClaimTerms,
    describe: claimDocs.create,
    decode({ params, query, body }) {
      const { limit, wait } = readQuery(query, CREATE_QUERY)
      return { queue: params['queue'] as string, limit, waitSeconds: wait, ...readTerms(readOptionalObject(body)) }
    },
    encode(found, request) {
      if (found === null) return NO_CONTENT
      const { claim, now } = found
      return {
        status: 201,
        headers: { Location: `${request.path}/${claim.id}` },
        body: `{"messages": ${messageDocuments(claim.messages, { request, now, inClaim: true })}}`,
      }
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

function readTerms(document: Json): { ttlSeconds?: number | undefined; graceSeconds?: number | undefined } {
  const { ttl, grace } = readFields(document, ClaimTerms)
  return { ttlSeconds: ttl, graceSeconds: grace }
}

function named({ params }: DoorRequest): { queue: string; claimId: string } {
  return { queue: params['queue'] as string, claimId: params['claim'] as string }
}
