import { type Authenticate, NOBODY } from '../core/identity.ts'
import type { UrlSigner } from '../core/rules/signature.ts'
import type { Clock } from '../platform/clock.ts'
import { isSigned, verifySignedUrl } from './verify-signed-url.ts'

export interface AuthenticationParts {
  /** How those are told who do not come with a signed URL. */
  readonly unsigned: Authenticate
  readonly signer: UrlSigner | null
  readonly clock: Clock
}

/**
 * The one way to find out who calls. A signature decides alone, whatever else is shown; it never falls back to anything. The
 * documents about the API are for everybody.
 */
export function createAuthentication({ unsigned, signer, clock }: AuthenticationParts): Authenticate {
  return (shown, asker) => {
    if (isSigned(shown)) return verifySignedUrl(shown, signer, clock.now())
    return FOR_EVERYBODY.has(shown.path) ? NOBODY : unsigned(shown, asker)
  }
}

/** Paths that need no credentials. */
export const FOR_EVERYBODY: ReadonlySet<string> = new Set(['/', '/openapi.json', '/docs'])
