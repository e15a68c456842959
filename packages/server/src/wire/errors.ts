import type { ErrorCode, ErrorKind, ZaqarError } from '../core/errors.ts'
import { Refusal } from './refusal.ts'

const statusOf = {
  invalid: 400,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
} as const satisfies Record<ErrorKind, number>

const INVALID_REQUEST = 'Invalid API request'
const INVALID_BODY = 'Invalid request body'
const UNABLE_TO_DELETE = 'Unable to delete'
const NOT_FOUND = 'Not found'

/** Titles are what clients look at. (contract http.md 1.9) */
const titleOf = {
  'limit.out_of_range': INVALID_REQUEST,
  'ids.count_out_of_range': INVALID_REQUEST,
  'pop.out_of_range': INVALID_REQUEST,
  'delete.nothing_named': INVALID_REQUEST,
  'delete.ids_and_pop': INVALID_REQUEST,
  'delete.claim_ids_missing': INVALID_REQUEST,
  'metadata.too_large': INVALID_REQUEST,
  'metadata.invalid': INVALID_REQUEST,
  'patch.too_large': INVALID_BODY,
  'patch.result_invalid': INVALID_BODY,
  'patch.target_missing': 'Resource conflict',
  'messages.too_large': INVALID_REQUEST,
  'messages.none': INVALID_REQUEST,
  'message.ttl_out_of_range': INVALID_REQUEST,
  'message.delay_no_integer': INVALID_BODY,
  'message.delay_out_of_range': INVALID_REQUEST,
  'claim.ttl_out_of_range': INVALID_REQUEST,
  'claim.grace_out_of_range': INVALID_REQUEST,
  'queue.not_found': NOT_FOUND,
  'message.not_found': NOT_FOUND,
  'messages.not_found': NOT_FOUND,
  'claim.not_found': NOT_FOUND,
  'message.not_claimed': UNABLE_TO_DELETE,
  'message.claim_not_live': UNABLE_TO_DELETE,
  'message.held': UNABLE_TO_DELETE,
  'messages.held_otherwise': UNABLE_TO_DELETE,
  'storage.unavailable': 'Service temporarily unavailable',
} as const satisfies Record<ErrorCode, string>

export function toRefusal(error: ZaqarError): Refusal {
  return new Refusal(statusOf[error.kind], titleOf[error.code], error.message)
}
