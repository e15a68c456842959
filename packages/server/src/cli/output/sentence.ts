import type { ZaqarError } from 'zaqar-client/http'
import { printable } from './printable.ts'

/** What has failed, for people: with the reason of the network, which names the address. */
export function sentenceOf(error: ZaqarError): string {
  let cause: unknown = error
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause
  const reason = cause === error ? '' : ` (${cause instanceof Error ? cause.message || cause.name : cause})`
  const request = error.requestId === null || error.status < 500 ? '' : ` (request ${error.requestId})`
  return printable(`${error.message}${reason}${request}`)
}
