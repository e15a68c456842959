import { type Identity, NOBODY, type ShownCredentials, type Unauthenticated } from '../core/identity.ts'
import { formatIsoTime, parseIsoTime } from '../core/rules/iso-time.ts'
import { covers, type UrlSigner } from '../core/rules/signature.ts'
import type { Instant } from '../model/model.ts'
import { projectIn } from './trust-headers.ts'

const REFUSED: Unauthenticated = { rejected: 'signature' }

/** A request is signed as soon as the header is there, however little it holds: what is no signature is a bad one. */
export function isSigned({ headers }: ShownCredentials): boolean {
  return headers['url-signature'] !== undefined
}

/**
 * Whom a signed URL stands for: its project, without roles and in nobody's name.
 * `signer` is null where there is no key; no signature is good then. (contract signed-urls.md 4)
 */
export function verifySignedUrl(
  { headers, method, path }: ShownCredentials,
  signer: UrlSigner | null,
  now: Instant,
): Identity | Unauthenticated {
  const signature = textOf(headers['url-signature'])
  const scope = { methods: textOf(headers['url-methods']).split(','), paths: textOf(headers['url-paths']).split(',') }
  const project = projectIn(headers)
  const expiresAt = parseIsoTime(textOf(headers['url-expires']))
  if (signer === null || !project || expiresAt === null || expiresAt <= now) return REFUSED
  if (!covers(scope, method, path)) return REFUSED
  const terms = { ...scope, project, expires: formatIsoTime(expiresAt) }
  return signer.accepts(terms, signature) ? { ...NOBODY, project, signedScope: scope } : REFUSED
}

function textOf(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : ''
}
