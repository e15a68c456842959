import { WireError } from '../wire/wire-error.ts'

/** For a request that there is no memory for at the moment. */
export function overloaded(): WireError {
  return new WireError(
    503,
    'Service temporarily unavailable',
    'The server has more requests and answers in hand than it has memory for. Please try again in a few seconds.',
    { 'Retry-After': '1' },
  )
}
