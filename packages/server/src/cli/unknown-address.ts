import { NotFound } from 'zaqar-client/http'

/**
 * Whether the service has nothing at an address. That is also how it answers to signed values that it does not accept.
 * (contract signed-urls.md 4)
 */
export function isUnknownAddress(error: unknown): error is NotFound {
  return error instanceof NotFound && error.title === '404 Not Found'
}
