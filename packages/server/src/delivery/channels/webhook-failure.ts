import { RefusedAddress } from '../guard/lookup.ts'

/** Ends a try; its text is the reason that owners read. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly'
}

/** By the code of the error. Texts of errors name addresses, so none of them is used. */
const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name of the receiver is not known',
  ENODATA: 'the name of the receiver has no address',
  EAI_AGAIN: 'the name of the receiver could not be looked up',
  ETIMEOUT: 'the name of the receiver could not be looked up',
  ESERVFAIL: 'the name of the receiver could not be looked up',
  UND_ERR_CONNECT_TIMEOUT: 'the receiver cannot be reached in time',
  ETIMEDOUT: 'the receiver cannot be reached in time',
  ECONNREFUSED: 'the connection is refused',
  EHOSTUNREACH: 'there is no way to the receiver',
  ENETUNREACH: 'there is no way to the receiver',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_HEADERS_TIMEOUT: 'the receiver does not answer in time',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too long',
  UND_ERR_DESTROYED: 'the service is stopping',
  UND_ERR_CLOSED: 'the service is stopping',
  UND_ERR_ABORTED: 'the proxy refuses the way to the receiver',
  UND_ERR_PRX_CONN: 'the proxy cannot be used',
  UND_ERR_PRX_TLS: 'the proxy cannot be used',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the receiver is for another name',
  CERT_HAS_EXPIRED: 'the certificate of the receiver has expired',
  CERT_NOT_YET_VALID: 'the certificate of the receiver is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the receiver is from an unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate of the receiver is from an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate of the receiver is from an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate of the receiver is from an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate of the receiver is from an unknown authority',
}

/** Why a try without an answer failed, without addresses. */
export function failureReason(error: unknown): string {
  if (error instanceof EndedEarly) return error.message
  if (error instanceof RefusedAddress) return refusal(error.reason)
  if (error instanceof Error && error.name === 'HTTPParserError') return 'the answer is not HTTP'
  const code = codeOf(error)
  if (code.startsWith('ERR_SSL_')) return 'the receiver and the service do not agree on TLS'
  return REASONS[code] ?? `the request failed (${code})`
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : typeof error
}

/** @param reason of a Judge */
export function refusal(reason: string): string {
  return `nothing is sent to the address of the receiver (${reason})`
}
