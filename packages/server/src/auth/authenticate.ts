import type { Authenticate } from '../core/identity.ts'
import type { UrlSigner } from '../core/rules/signature.ts'
import type { Clock } from '../platform/clock.ts'
import { verifySignedUrl } from './verify-signed-url.ts'

export interface AuthenticationParts {
  /** How those are told who do not come with a signed URL. */
  readonly unsigned: Authenticate
  readonly signer: UrlSigner | null
  readonly clock: Clock
}

/**
 * The one way to find out who calls. A signature decides alone, whatever else is shown; it never falls back to
 * anything.
 */
export function createAuthentication({ unsigned, signer, clock }: AuthenticationParts): Authenticate {
  return (shown, asker) => {
    const { signed } = shown
    return signed === undefined ? unsigned(shown, asker) : verifySignedUrl(signed, signer, clock.now())
  }
}
