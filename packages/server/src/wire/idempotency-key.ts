import { isStorable } from '../model/text.ts'
import { invalidRequest } from './wire-error.ts'

/** In UTF-16 units. */
export const LONGEST_IDEMPOTENCY_KEY = 255

/**
 * Of a request that may be repeated, an addition of ours: the header `Idempotency-Key`, over a socket `idempotency_key`.
 * @throws WireError
 */
export function readIdempotencyKey(key: string | undefined): string | undefined {
  if (key !== undefined && (key === '' || key.length > LONGEST_IDEMPOTENCY_KEY || !isStorable(key))) {
    throw invalidRequest(
      `Idempotency-Key must have at least 1 and at most ${LONGEST_IDEMPOTENCY_KEY} characters, all of which can be stored.`,
    )
  }
  return key
}
