import type { Unauthenticated } from '../core/identity.ts'
import { printJson } from '../model/json.ts'
import { WireError } from '../wire/wire-error.ts'
import type { HttpResponse } from './messages.ts'

/** The answers of Keystone's own middleware, which are JSON whatever the client takes. (contract auth-policy.md 2.2) */
export function unauthenticatedResponse(rejection: Unauthenticated): HttpResponse {
  switch (rejection.rejected) {
    case 'token':
      return {
        status: 401,
        headers: { 'WWW-Authenticate': `Keystone uri="${rejection.askAt}"`, 'Content-Type': 'application/json' },
        body: UNAUTHORIZED,
      }
    case 'unknown':
      return {
        status: 503,
        headers: { 'Content-Type': 'application/json', 'Retry-After': RETRY_AFTER_SECONDS },
        body: UNAVAILABLE,
      }
    case 'signature':
      // As if there were nothing, so that nothing is given away.
      throw new WireError(404, '404 Not Found')
  }
}

/** Long enough for a line of look-ups to get shorter. */
const RETRY_AFTER_SECONDS = '5'

const UNAUTHORIZED = printJson({
  error: {
    code: 401,
    title: 'Unauthorized',
    message: 'The request you have made requires authentication.',
  },
})

const UNAVAILABLE = printJson({
  message: 'The Keystone service is temporarily unavailable.',
  code: '503 Service Unavailable',
  title: 'Service Unavailable',
})
