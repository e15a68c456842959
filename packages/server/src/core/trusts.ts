import type { Instant } from '../model/model.ts'

/** Trusts of Keystone: in each a user lets the service act in his name. (contract notifications.md 8) */
export interface Trusts {
  /**
   * A trust of whoever has the token, in its project and with all its roles. Answers its id.
   * `url`: where tokens of it will go; must be a service of the cloud.
   * @throws ZaqarError `trust.refused`, `trust.host_unknown`, `token.unverified`
   */
  create(p: { token: string; url: string; expiresAt: Instant }): Promise<string>

  /** Ends the trust soon. A failure is the operator's to know, and is tried once more. */
  discard(trustId: string): void
}

/** Tokens with which the service acts in the name of those who made trusts. */
export interface TrustTokens {
  /**
   * One that is good for a while yet.
   * @throws TrustGone; any other error, also that of the signal, says that trying again may help
   */
  token(trustId: string, signal: AbortSignal): Promise<string>

  /** A receiver has not accepted that one: the next call gets a new one. */
  refresh(trustId: string): void
}

/** No token will ever be had of that trust: it has ended, or its maker has lost what he lent. */
export class TrustGone extends Error {
  override readonly name = 'TrustGone'
}
