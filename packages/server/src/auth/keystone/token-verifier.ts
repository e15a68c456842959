import { hash } from 'node:crypto'
import type { Asker } from '../../core/identity.ts'
import type { Clock } from '../../platform/clock.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { KeystoneApi } from './keystone-api.ts'
import { KeystoneUnavailable } from './keystone-connection.ts'
import { LookUps } from './look-ups.ts'
import { OwnToken } from './own-token.ts'
import type { Token } from './token-document.ts'

/** A few kilobytes each, but a token may carry many roles and rules. */
const KNOWN_TOKENS = { entries: 10_000, bytes: 50_000_000 }
const INVALID_TOKENS = { entries: 10_000, bytes: 1_000_000 }
/**
 * A token that Keystone does not know yet, since its keys are on the way to another of its nodes, is soon asked for
 * again.
 */
const INVALID_SECONDS = 10
/** Fernet tokens have some 200 characters, signed ones some 1000. */
const LONGEST_TOKEN = 8000

export interface VerifierParts {
  readonly api: Pick<KeystoneApi, 'issue' | 'validate'>
  readonly clock: Clock
  /** How long an answer is believed, in seconds. A revoked token is good for no longer than that. */
  readonly cacheSeconds: number
}

/**
 * Asks Keystone about tokens and remembers the answers for a while. However many requests come with a token at one
 * time, it is asked about once.
 */
export class TokenVerifier {
  readonly #parts: VerifierParts
  readonly #ownToken: OwnToken
  /** By the tokens themselves: hashing one for each request would be most of the work of recognising it. */
  readonly #tokens = new BoundedCache<Token>(KNOWN_TOKENS)
  /** Those that a service has passed on, which may have expired. */
  readonly #passedOn = new BoundedCache<Token>(KNOWN_TOKENS)
  /**
   * Apart from the others, so that nobody pushes those out by trying tokens; by hashes, since anybody can send long
   * ones.
   */
  readonly #invalid = new BoundedCache<null>(INVALID_TOKENS)
  readonly #lookUps = new LookUps<Token | null>()

  constructor(parts: VerifierParts) {
    this.#parts = parts
    this.#ownToken = new OwnToken(parts.api, parts.clock)
  }

  /**
   * The token, or null when it is not valid. Answers at once what it remembers.
   * @param allowExpired whether it may have expired lately
   * @throws KeystoneUnavailable
   */
  verify(id: string, asker: Asker, allowExpired = false): Token | null | Promise<Token | null> {
    const now = this.#parts.clock.now()
    const known = this.#known(allowExpired).get(id, now)
    if (known !== undefined) return known
    if (!isWellFormed(id)) return null
    const key = `${hash('sha256', id, 'base64')}${allowExpired ? ' expired' : ''}`
    if (this.#invalid.get(key, now) === null) return null
    const look = async () => this.#remember(id, key, await this.#validate(id, allowExpired), allowExpired)
    return this.#lookUps.ask(key, look, asker)
  }

  #remember(id: string, key: string, token: Token | null, allowExpired: boolean): Token | null {
    const now = this.#parts.clock.now()
    const { cacheSeconds } = this.#parts
    if (token === null || (token.identity.expiresAt <= now && !allowExpired)) {
      const until = now + Math.min(INVALID_SECONDS, cacheSeconds) * 1000
      if (cacheSeconds > 0) this.#invalid.set(key, null, { until, bytes: key.length, place: null })
      return null
    }
    const until = Math.min(
      now + cacheSeconds * 1000,
      allowExpired ? Number.POSITIVE_INFINITY : token.identity.expiresAt,
    )
    // Keystone takes many spellings for the same token; they share a place, or one of them would push out all others.
    const terms = { until, bytes: id.length + token.length, place: token.auditId }
    if (cacheSeconds > 0) this.#known(allowExpired).set(id, token, terms)
    return token
  }

  #known(allowExpired: boolean): BoundedCache<Token> {
    return allowExpired ? this.#passedOn : this.#tokens
  }

  /** A token of our own that was revoked, or that a restarted Keystone does not know, is replaced once. */
  async #validate(id: string, allowExpired: boolean): Promise<Token | null> {
    for (let tries = 2; tries > 0; tries--) {
      const ownToken = await this.#ownToken.get()
      const answer = await this.#parts.api.validate(id, { ownToken, allowExpired })
      if (answer === 'invalid') return null
      if (answer !== 'unauthorized') return answer
      this.#ownToken.discard(ownToken)
    }
    throw new KeystoneUnavailable('Keystone does not accept the token that it has just given this server')
  }
}

/** Of the characters that tokens of any kind have. (RFC 6750, section 2.1) */
function isWellFormed(id: string): boolean {
  return id.length <= LONGEST_TOKEN && /^[\w.~+/-]+=*$/.test(id)
}
