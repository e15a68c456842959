import { DEFAULT_PAGE, LONGEST_WAIT_SECONDS } from '../../core/rules/limits.ts'
import { LONGEST_IDEMPOTENCY_KEY } from '../idempotency-key.ts'
import { between, type JsonSchema } from '../openapi/json-schema.ts'

const MARKER = { description: 'Where the page before ended; from its `next` link.' }

/** The parameters of any list. */
export function pageParams(max: number): Record<string, JsonSchema> {
  const limit = { description: 'Size of the page.', ...between(1, max), default: Math.min(DEFAULT_PAGE, max) }
  return { marker: MARKER, limit }
}

export const detailed = { description: 'With more of each.', default: false }

export const WAIT: JsonSchema = {
  description:
    'Addition of this service. Seconds to wait for something to answer; a waiting request is answered as soon as there is.',
  ...between(0, LONGEST_WAIT_SECONDS),
  default: 0,
}

/** The header of a request that may be repeated. */
export function idempotencyKey(description: string): JsonSchema {
  return { description, type: 'string', minLength: 1, maxLength: LONGEST_IDEMPOTENCY_KEY }
}

/** Headers of an operator where no Keystone says what roles a caller has. */
export const ADMIN = { 'X-Roles': 'admin' }
