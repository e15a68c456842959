import { type ErrorCode, type ErrorKind, ZaqarError } from '../core/errors.ts'
import { WireError } from './wire-error.ts'

const statusOf = {
  invalid: 400,
  unauthenticated: 401,
  hidden: 404,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  // Not 429, which python-zaqarclient takes for success.
  too_fast: 503,
  not_offered: 503,
  unavailable: 503,
} as const satisfies Record<ErrorKind, number>

const INVALID_REQUEST = 'Invalid API request'
const INVALID_BODY = 'Invalid request body'
const UNABLE_TO_DELETE = 'Unable to delete'
const NOT_FOUND = 'Not found'
const CONFLICT = 'Resource conflict'
const NOT_AUTHORIZED = 'Not authorized'
const UNAVAILABLE = 'Service temporarily unavailable'

/** Titles are what clients look at. (contract http.md 1.9) */
const titleOf = {
  'token.not_accepted': 'Unauthorized',
  'token.unverified': 'Service Unavailable',
  'signature.not_accepted': '404 Not Found',
  'policy.denied': NOT_AUTHORIZED,
  'limit.out_of_range': INVALID_REQUEST,
  'ids.count_out_of_range': INVALID_REQUEST,
  'pop.out_of_range': INVALID_REQUEST,
  'delete.nothing_named': INVALID_REQUEST,
  'delete.ids_and_pop': INVALID_REQUEST,
  'delete.claim_ids_missing': INVALID_REQUEST,
  'metadata.too_large': INVALID_REQUEST,
  'metadata.invalid': INVALID_REQUEST,
  'queue.unknown_flavor': INVALID_REQUEST,
  'patch.too_large': INVALID_BODY,
  'patch.result_invalid': INVALID_BODY,
  'patch.target_missing': CONFLICT,
  'messages.too_large': INVALID_REQUEST,
  'messages.none': INVALID_REQUEST,
  'message.ttl_out_of_range': INVALID_REQUEST,
  'message.delay_no_integer': INVALID_BODY,
  'message.delay_out_of_range': INVALID_REQUEST,
  'message.never_visible': INVALID_REQUEST,
  'claim.ttl_out_of_range': INVALID_REQUEST,
  'claim.grace_out_of_range': INVALID_REQUEST,
  'queue.malformed_name': 'Invalid queue identification',
  'topic.malformed_name': 'Invalid topic identification',
  'queue.not_found': NOT_FOUND,
  'message.not_found': NOT_FOUND,
  'messages.not_found': NOT_FOUND,
  'claim.not_found': NOT_FOUND,
  'message.not_claimed': UNABLE_TO_DELETE,
  'message.claim_not_live': UNABLE_TO_DELETE,
  'message.held': UNABLE_TO_DELETE,
  'messages.held_otherwise': UNABLE_TO_DELETE,
  'messages.kept': UNABLE_TO_DELETE,
  'claim.too_many_finished': INVALID_REQUEST,
  'wait.out_of_range': INVALID_REQUEST,
  'idempotency.other_messages': CONFLICT,
  'redrive.limit_out_of_range': INVALID_REQUEST,
  'redrive.rate_out_of_range': INVALID_REQUEST,
  'subscriber.malformed': INVALID_REQUEST,
  'subscriber.not_supported': INVALID_REQUEST,
  'subscription.options_invalid': INVALID_REQUEST,
  'subscription.options_too_large': INVALID_REQUEST,
  'subscription.ttl_too_short': INVALID_REQUEST,
  'subscription.ttl_too_long': INVALID_REQUEST,
  'subscription.trust_unavailable': UNAVAILABLE,
  'trust.needs_token': INVALID_REQUEST,
  'trust.given': INVALID_REQUEST,
  'trust.of_another': NOT_AUTHORIZED,
  'trust.refused': NOT_AUTHORIZED,
  'trust.host_unknown': INVALID_REQUEST,
  'subscription.exists': CONFLICT,
  'subscription.too_many': 'Too many subscriptions',
  'subscription.claim_invalid': INVALID_REQUEST,
  'subscription.not_confirmed': CONFLICT,
  'subscription.not_found': NOT_FOUND,
  'topic.not_found': NOT_FOUND,
  'pool.unreachable': INVALID_BODY,
  'pool.uri_in_use': CONFLICT,
  'pool.draining': CONFLICT,
  'pool.not_found': NOT_FOUND,
  'relocation.rate_out_of_range': INVALID_REQUEST,
  'relocation.no_pooling': CONFLICT,
  'drain.not_found': NOT_FOUND,
  'rebalance.not_found': NOT_FOUND,
  'pool.last_of_flavors': UNABLE_TO_DELETE,
  'pool.in_use': UNABLE_TO_DELETE,
  'flavor.not_found': NOT_FOUND,
  'flavor.created_with_unknown_pool': 'Unable to create',
  'flavor.updated_with_unknown_pool': 'updatefail',
  'share.no_method': INVALID_REQUEST,
  'share.expired': INVALID_REQUEST,
  'share.no_key': INVALID_REQUEST,
  'share.ambiguous_project': INVALID_REQUEST,
  'quota.queues': 'Too many queues',
  'quota.messages': 'Too many stored messages',
  'quota.bytes': 'Too many stored bytes',
  'rate.requests': 'Too many requests',
  'rate.messages': 'Too many messages',
  'storage.unavailable': UNAVAILABLE,
} as const satisfies Record<ErrorCode, string>

export function toWireError(error: ZaqarError): WireError {
  const { kind, code, message, retryAfterSeconds } = error
  const headers = retryAfterSeconds === null ? {} : { 'Retry-After': String(retryAfterSeconds) }
  return new WireError(statusOf[kind], titleOf[code], kind === 'hidden' ? undefined : message, headers)
}

/**
 * Whether the operator has to hear of an error that was answered with that status: not of one that only says that this
 * is not offered, or not now.
 */
export function isTrouble(error: unknown, status: number): boolean {
  return status >= 500 && !(error instanceof ZaqarError && (error.kind === 'too_fast' || error.kind === 'not_offered'))
}

/** What whoever met this error is told. An error that nobody foresaw gives nothing away. */
export function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error
  if (error instanceof ZaqarError) return toWireError(error)
  return new WireError(
    500,
    'Internal server error',
    'The request could not be served because of an error of this server.',
  )
}
