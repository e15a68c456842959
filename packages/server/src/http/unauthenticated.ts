import { errorTable } from '../core/errors.ts'
import type { Unauthenticated } from '../core/identity.ts'
import { printJson } from '../model/json.ts'
import { WireError } from '../wire/wire-error.ts'
import { errorResponse } from './error-response.ts'
import type { HttpRequest, HttpResponse } from './messages.ts'

/**
 * The answer to a request whose credentials are not accepted. About tokens it is what Keystone's own middleware says:
 * JSON, whatever the client takes. `keystoneUrl`: where callers get tokens. (contract auth-policy.md 2.2)
 */
export function unauthenticatedResponse(
  error: Unauthenticated['unauthenticated'],
  { headers }: HttpRequest,
  keystoneUrl: string | null,
): HttpResponse {
  switch (error) {
    case 'token.not_accepted':
      return {
        status: 401,
        headers: {
          ...(keystoneUrl !== null && { 'WWW-Authenticate': `Keystone uri="${keystoneUrl}"` }),
          'Content-Type': 'application/json',
        },
        body: UNAUTHORIZED,
      }
    case 'token.unverified':
      return {
        status: 503,
        headers: { 'Content-Type': 'application/json', 'Retry-After': RETRY_AFTER_SECONDS },
        body: UNAVAILABLE,
      }
    case 'signature.not_accepted':
      // As if there were nothing, so that nothing is given away.
      return errorResponse(new WireError(404, '404 Not Found'), headers.accept)
  }
}

/** Long enough for a line of look-ups to get shorter. */
const RETRY_AFTER_SECONDS = '5'

const UNAUTHORIZED = printJson({
  error: {
    code: 401,
    title: 'Unauthorized',
    message: errorTable['token.not_accepted'].message,
  },
})

const UNAVAILABLE = printJson({
  message: errorTable['token.unverified'].message,
  code: '503 Service Unavailable',
  title: 'Service Unavailable',
})
