import { hash } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import { BoundedCache } from './bounded-cache.ts'
import { type KeystoneApi, KeystoneUnavailable } from './keystone-api.ts'
import { OwnToken } from './own-token.ts'
import type { Token } from './token-document.ts'

/** A few kilobytes each: some tens of megabytes at most. */
const KNOWN_TOKENS = 10_000
const KNOWN_REFUSALS = 10_000
/** A token that Keystone does not know yet, since its keys are on the way to another of its nodes, is soon asked for again. */
const REFUSAL_SECONDS = 10
/** Fernet tokens have some 200 characters, signed ones some 1000. */
const LONGEST_TOKEN = 8000
/** More tokens than this waiting for Keystone means that it does not keep up. */
const MAX_PENDING = 1000

export interface VerifierParts {
  readonly api: KeystoneApi
  readonly clock: Clock
  /** How long an answer is believed, in seconds. A revoked token is good for no longer than that. */
  readonly cacheSeconds: number
}

/**
 * Asks Keystone about tokens and remembers the answers for a while. However many requests come with a token at one time, it is
 * asked about once.
 */
export class TokenVerifier {
  readonly #parts: VerifierParts
  readonly #ownToken: OwnToken
  /** By the tokens themselves: hashing one for each request would be most of the work of recognising it. */
  readonly #tokens = new BoundedCache<Token>(KNOWN_TOKENS)
  /** Those that a service has passed on, which may have expired. */
  readonly #passedOn = new BoundedCache<Token>(KNOWN_TOKENS)
  /** Apart from the others, so that nobody pushes those out by trying tokens; by hashes, since anybody can send long ones. */
  readonly #refusals = new BoundedCache<null>(KNOWN_REFUSALS)
  readonly #pending = new Map<string, Promise<Token | null>>()

  constructor(parts: VerifierParts) {
    this.#parts = parts
    this.#ownToken = new OwnToken(parts.api, parts.clock)
  }

  /**
   * The token, or null when it is not valid. Answers at once what it remembers.
   * @param allowExpired whether it may have expired lately
   * @throws KeystoneUnavailable
   */
  verify(id: string, allowExpired = false): Token | null | Promise<Token | null> {
    const now = this.#parts.clock.now()
    const known = this.#known(allowExpired).get(id, now)
    if (known !== undefined) return known
    if (!isWellFormed(id)) return null
    const key = `${hash('sha256', id, 'base64')}${allowExpired ? ' expired' : ''}`
    return this.#refusals.get(key, now) === null ? null : this.#ask(id, key, allowExpired)
  }

  #ask(id: string, key: string, allowExpired: boolean): Promise<Token | null> {
    const asked = this.#pending.get(key)
    if (asked !== undefined) return asked
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new KeystoneUnavailable('too many tokens wait for Keystone'))
    }
    const answer = this.#validate(id, allowExpired)
      .then((token) => this.#remember(id, key, token, allowExpired))
      .finally(() => this.#pending.delete(key))
    this.#pending.set(key, answer)
    return answer
  }

  #remember(id: string, key: string, token: Token | null, allowExpired: boolean): Token | null {
    const now = this.#parts.clock.now()
    const { cacheSeconds } = this.#parts
    if (token === null || (token.expiresAt <= now && !allowExpired)) {
      if (cacheSeconds > 0) this.#refusals.set(key, null, now + Math.min(REFUSAL_SECONDS, cacheSeconds) * 1000)
      return null
    }
    const until = now + cacheSeconds * 1000
    if (cacheSeconds > 0)
      this.#known(allowExpired).set(id, token, allowExpired ? until : Math.min(until, token.expiresAt))
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

function isWellFormed(id: string): boolean {
  return id.length <= LONGEST_TOKEN && /^[!-~]+$/.test(id)
}
