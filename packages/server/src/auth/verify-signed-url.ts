import {
  type Identity,
  NOBODY,
  SIGNATURE_NOT_ACCEPTED,
  type SignedUrl,
  type Unauthenticated,
} from '../core/identity.ts'
import { formatIsoTime, parseIsoTime } from '../core/rules/iso-time.ts'
import type { UrlSigner } from '../core/rules/signature.ts'
import type { Instant } from '../model/model.ts'

/**
 * Whom a signed URL stands for: its project, without roles and in nobody's name, within its scope and until its end.
 * `signer` is null where there is no key; no signature is good then. (contract signed-urls.md 4)
 */
export function verifySignedUrl(
  { methods, paths, project, expires, signature }: SignedUrl,
  signer: UrlSigner | null,
  now: Instant,
): Identity | Unauthenticated {
  const expiresAt = parseIsoTime(expires)
  if (signer === null || !project || expiresAt === null || expiresAt <= now) return SIGNATURE_NOT_ACCEPTED
  const terms = { methods, paths, project, expires: formatIsoTime(expiresAt) }
  if (!signer.accepts(terms, signature)) return SIGNATURE_NOT_ACCEPTED
  return { ...NOBODY, project, scope: { signed: { methods, paths }, accessRules: null }, expiresAt }
}
