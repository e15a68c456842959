import type { Static } from 'typebox'
import { createClaim } from '../../../core/operations/claims/create-claim.ts'
import { getClaim, type NamedClaim } from '../../../core/operations/claims/get-claim.ts'
import { releaseClaim } from '../../../core/operations/claims/release-claim.ts'
import { renewClaim } from '../../../core/operations/claims/renew-claim.ts'
import { printJson } from '../../../model/json.ts'
import type { Json, JsonObject } from '../../../model/model.ts'
import { readFields } from '../../body.ts'
import { readIdempotencyKey } from '../../idempotency-key.ts'
import { ageOf } from '../../message-documents.ts'
import { Type } from '../../typed-schema.ts'
import { FinishedMessage } from '../../v2/claims.ts'
import { CLAIM, MESSAGE, SECOND_MESSAGE } from '../../v2/example-ids.ts'
import { messageDocuments } from '../message-documents.ts'
import { type AnySocketDoor, type SocketRequest, socketDoor } from '../socket-door.ts'
import { upstreamAnswers } from './answer-docs.ts'
import { done, missing } from './answers.ts'
import { waits } from './messages.ts'
import { queueIn, toOne, toQueue } from './named.ts'
import { integerIn } from './queues.ts'

const Named = Type.Object({ queue_name: Type.String(), claim_id: Type.String() })
const Terms = { ttl: Type.Optional(Type.Integer()), grace: Type.Optional(Type.Integer()) }

const HELD = { id: MESSAGE, claim_id: CLAIM, ttl: 300, age: 2, body: { order: 1017 } }

const notFound = missing('claim.not_found', (body) => `Claim ${claimIn(body)} does not exist.`)

export const claimDoors: readonly AnySocketDoor[] = [
  socketDoor({
    action: 'claim_create',
    operation: createClaim,
    body: Type.Object({
      queue_name: Type.String(),
      limit: Type.Optional(Type.Integer()),
      ...Terms,
      wait: Type.Optional(Type.Integer()),
      delete: Type.Optional(Type.Array(Type.Object({}))),
      idempotency_key: Type.Optional(Type.String()),
    }),
    target: toQueue('POST', '/claims'),
    waits,
    decode: ({ body }) => ({
      queue: queueIn(body),
      limit: integerIn(body, 'limit'),
      ...termsIn(body),
      waitSeconds: integerIn(body, 'wait'),
      finished: (body['delete'] as Json[] | undefined)?.map((element) => {
        const { id, claim_id: claimId }: Static<typeof FinishedMessage> = readFields(element, FinishedMessage)
        return { id, claimId }
      }),
      idempotencyKey: readIdempotencyKey(body['idempotency_key'] as string | undefined),
    }),
    encode({ found, gone }) {
      const goneToo = gone === null ? '' : `, "gone": ${printJson([...gone])}`
      if (found === null) {
        return gone === null
          ? { status: 204, body: '{"claim_id": null}' }
          : { status: 200, body: `{"claim_id": null, "messages": []${goneToo}}` }
      }
      const { claim, now } = found
      const messages = messageDocuments(claim.messages, now)
      return { status: 201, body: `{"claim_id": "${claim.id}", "messages": ${messages}${goneToo}}` }
    },
    describe: {
      summary: 'Claim messages',
      details:
        '`ttl` and `grace` in seconds. Where there is nothing to claim, none is made, and the answer is 204 with null. With `wait` the answer ' +
        'comes once there is something, or after so many seconds. `delete` names messages that are finished, each with ' +
        'the claim that holds it: they go in the same move, and `gone` says which were not there any more. While a claim that the same ' +
        'client made with the same `idempotency_key` lives and holds messages, it is answered as it is.',
      answers: upstreamAnswers.claim_create,
      example: {
        body: { queue_name: 'jobs', limit: 1, ttl: 300, grace: 60, delete: [{ id: SECOND_MESSAGE, claim_id: CLAIM }] },
        status: 201,
        answer: { claim_id: CLAIM, messages: [HELD], gone: [] },
      },
    },
  }),
  socketDoor({
    action: 'claim_get',
    operation: getClaim,
    body: Named,
    target: toOne('GET', 'claims'),
    decode: named,
    encode({ claim, now }) {
      const { renewedAt, ttlSeconds, messages } = claim
      const documents = messageDocuments(messages, now)
      return { status: 200, body: `{"age": ${ageOf(renewedAt, now)}, "ttl": ${ttlSeconds}, "messages": ${documents}}` }
    },
    failure: notFound,
    describe: {
      summary: 'Get a claim and its messages',
      answers: upstreamAnswers.claim_get,
      example: {
        body: { queue_name: 'jobs', claim_id: CLAIM },
        status: 200,
        answer: { age: 2, ttl: 300, messages: [HELD] },
      },
    },
  }),
  socketDoor({
    action: 'claim_update',
    operation: renewClaim,
    body: Type.Object({ queue_name: Type.String(), claim_id: Type.String(), ...Terms }),
    target: toOne('PATCH', 'claims'),
    decode: (request) => ({ ...named(request), ...termsIn(request.body) }),
    encode: (_output, { body }) => done(204, `Claim ${claimIn(body)} updated.`),
    failure: notFound,
    describe: {
      summary: 'Renew a claim',
      details: 'It lives its `ttl` from now on. What is not given gets the default.',
      answers: upstreamAnswers.claim_update,
      example: {
        body: { queue_name: 'jobs', claim_id: CLAIM, ttl: 600 },
        status: 204,
        answer: `Claim ${CLAIM} updated.`,
      },
    },
  }),
  socketDoor({
    action: 'claim_delete',
    operation: releaseClaim,
    body: Named,
    target: toOne('DELETE', 'claims'),
    decode: named,
    encode: (_output, { body }) => done(204, `Claim ${claimIn(body)} deleted.`),
    describe: {
      summary: 'Release a claim',
      details: 'Its messages can be claimed again. One that does not exist is no error.',
      answers: upstreamAnswers.claim_delete,
      example: { body: { queue_name: 'jobs', claim_id: CLAIM }, status: 204, answer: `Claim ${CLAIM} deleted.` },
    },
  }),
]

function claimIn(body: JsonObject): string {
  return body['claim_id'] as string
}

function named({ body }: SocketRequest): NamedClaim {
  return { queue: queueIn(body), claimId: claimIn(body) }
}

function termsIn(body: JsonObject): { ttlSeconds: number | undefined; graceSeconds: number | undefined } {
  return { ttlSeconds: integerIn(body, 'ttl'), graceSeconds: integerIn(body, 'grace') }
}
