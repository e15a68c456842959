import { LEAST_SECONDS, type Limits } from '../../core/rules/limits.ts'
import { between, type JsonSchema, ref } from '../openapi/json-schema.ts'
import { EXAMPLE_CLIENT } from '../openapi/parameters.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { idempotencyKey, pageParams, WAIT } from './common-docs.ts'
import { CLAIM, MESSAGE, SECOND_MESSAGE } from './example-ids.ts'

export function claimTerms(limits: Limits, leastGrace: number): { ttl: JsonSchema; grace: JsonSchema } {
  return {
    ttl: { description: 'Seconds that the claim lives.', ...between(LEAST_SECONDS, limits.maxClaimTtlSeconds) },
    grace: {
      description: 'Seconds that its messages live on at least, after it has ended.',
      ...between(leastGrace, limits.maxClaimGraceSeconds),
    },
  }
}

function optionalTerms(limits: Limits, leastGrace: number): Record<'ttl' | 'grace', JsonSchema> {
  const { ttl, grace } = claimTerms(limits, leastGrace)
  return {
    ttl: { ...ttl, default: limits.defaultClaimTtlSeconds },
    grace: { ...grace, default: limits.defaultClaimGraceSeconds },
  }
}

function claimed(home: string): {
  messages: { id: string; href: string; ttl: number; age: number; body: string | { order: number } }[]
} {
  const href = (id: string) => `${home}/messages/${id}?claim_id=${CLAIM}`
  return {
    messages: [
      { id: MESSAGE, href: href(MESSAGE), ttl: 300, age: 0, body: { order: 1017 } },
      { id: SECOND_MESSAGE, href: href(SECOND_MESSAGE), ttl: 3600, age: 0, body: 'call back' },
    ],
  }
}

/** Claiming alone, as older versions have it. */
const takeMessages: DescribeDoor = ({ limits, home }) => {
  const { limit } = pageParams(limits.maxMessagesPerClaimOrPop)
  return {
    summary: 'Claim messages',
    description:
      'Takes the oldest messages that nobody has claimed; others do not see them until the claim ends. Delete what is done, ' +
      'by its `href`.',
    query: { limit: { ...limit, description: 'How many at most.' }, wait: WAIT },
    body: { required: false, schema: { properties: optionalTerms(limits, LEAST_SECONDS) } },
    answers: {
      201: { description: 'The claimed messages.', schema: ref('Messages'), headers: ['Location'] },
      204: { description: 'There was nothing to claim.' },
    },
    errors: ['limit.out_of_range', 'claim.ttl_out_of_range', 'claim.grace_out_of_range', 'wait.out_of_range'],
    examples: [
      {
        name: 'claim',
        request: { path: `${home}/claims?limit=2`, body: { ttl: 300, grace: 60 } },
        answer: { status: 201, headers: { Location: `${home}/claims/${CLAIM}` }, body: claimed(home) },
      },
      { name: 'nothing-to-claim', request: { path: `${home}/claims?wait=0` }, answer: { status: 204 } },
    ],
  }
}

const createClaim: DescribeDoor = (context) => {
  const { errors = [], examples, ...take } = takeMessages(context)
  const { limits, home } = context
  return {
    ...take,
    description:
      `${take.description} With \`delete\`, an addition of this service, it first deletes what is finished, in the same ` +
      'move: both happen, or nothing. The caller must be allowed to delete messages, too. Only the claim waits.',
    headers: {
      'Idempotency-Key': idempotencyKey(
        'Addition of this service. While a claim of this queue that the same client made with the same key lives and holds ' +
          'messages, it is answered as it is, whatever else the request says, and nothing is claimed. What is in `delete` ' +
          'goes all the same, and in a repetition is `gone`.',
      ),
    },
    body: {
      required: false,
      schema: {
        properties: {
          ...optionalTerms(limits, LEAST_SECONDS),
          delete: {
            description: 'Messages that are finished, each with the claim that holds it.',
            maxItems: limits.maxMessagesPerPage,
          },
        },
      },
    },
    answers: {
      201: { description: 'The claimed messages.', schema: ref('NewClaim'), headers: ['Location'] },
      200: { description: 'With `delete`: deleted, and there was nothing to claim.', schema: ref('NewClaim') },
      204: { description: 'There was nothing to claim.' },
    },
    errors: [...errors, 'claim.too_many_finished', 'messages.kept'],
    examples: [
      ...examples,
      {
        name: 'finish-and-take',
        request: {
          path: `${home}/claims?limit=2`,
          headers: { 'Idempotency-Key': 'take-2' },
          body: { delete: [{ id: SECOND_MESSAGE, claim_id: CLAIM }] },
        },
        answer: { status: 200, body: { messages: [], gone: [] } },
      },
    ],
  }
}

const listClaims: DescribeDoor = ({ limits, home }) => ({
  summary: 'List claims',
  description:
    'Addition of this service. The claims that live and hold messages, in the order in which they were made, each with who ' +
    'made it. Whoever knows the id of a claim can show, renew and release it, as far as he is allowed to.',
  query: pageParams(limits.maxMessagesPerPage),
  answers: { 200: { description: 'A page.', schema: ref('ClaimPage') } },
  errors: ['limit.out_of_range'],
  examples: [
    {
      name: 'list',
      request: { path: `${home}/claims?limit=5` },
      answer: {
        status: 200,
        body: {
          claims: [
            { id: CLAIM, href: `${home}/claims/${CLAIM}`, ttl: 300, age: 0, messages: 2, client_id: EXAMPLE_CLIENT },
          ],
          links: [],
        },
      },
    },
  ],
})

const getClaim: DescribeDoor = ({ home }) => ({
  summary: 'Show a claim',
  answers: { 200: { description: 'The claim and what it still holds.', schema: ref('Claim') } },
  errors: ['claim.not_found'],
  examples: [
    {
      name: 'get',
      request: { path: `${home}/claims/${CLAIM}` },
      answer: { status: 200, body: { age: 0, ttl: 300, ...claimed(home), href: `${home}/claims/${CLAIM}` } },
    },
  ],
})

const renewClaim: DescribeDoor = ({ limits, home }) => ({
  summary: 'Renew a claim',
  description: 'It lives its ttl from now.',
  body: { required: true, schema: { properties: optionalTerms(limits, 0) } },
  answers: { 204: { description: 'Renewed.' } },
  errors: ['claim.ttl_out_of_range', 'claim.grace_out_of_range', 'claim.not_found'],
  examples: [
    {
      name: 'renew',
      request: { path: `${home}/claims/${CLAIM}`, body: { ttl: 600, grace: 60 } },
      answer: { status: 204 },
    },
  ],
})

const releaseClaim: DescribeDoor = ({ home }) => ({
  summary: 'Release a claim',
  description: 'What it still holds can be claimed again. A claim that does not exist is no error.',
  answers: { 204: { description: 'Released.' } },
  examples: [{ name: 'release', request: { path: `${home}/claims/${CLAIM}` }, answer: { status: 204 } }],
})

export const claimDocs = {
  take: takeMessages,
  create: createClaim,
  list: listClaims,
  get: getClaim,
  renew: renewClaim,
  release: releaseClaim,
}
