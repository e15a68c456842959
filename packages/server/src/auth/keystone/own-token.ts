import type { Clock } from '../../platform/clock.ts'
import type { KeystoneApi } from './keystone-api.ts'

/** It is renewed this long before it expires, or earlier where its whole life is short. */
const MARGIN_MS = 60_000

/** The server's own token, renewed in time. Requests that need one at the same time share it. */
export class OwnToken {
  readonly #api: Pick<KeystoneApi, 'issue'>
  readonly #clock: Clock
  #current: { readonly id: string; readonly renewAt: number } | null = null
  #pending: Promise<string> | null = null

  constructor(api: Pick<KeystoneApi, 'issue'>, clock: Clock) {
    this.#api = api
    this.#clock = clock
  }

  /** @throws KeystoneUnavailable */
  async get(): Promise<string> {
    if (this.#current !== null && this.#clock.now() < this.#current.renewAt) return this.#current.id
    this.#pending ??= this.#issue().finally(() => {
      this.#pending = null
    })
    return this.#pending
  }

  /** Keystone does not accept that one any more. */
  discard(id: string): void {
    if (this.#current?.id === id) this.#current = null
  }

  async #issue(): Promise<string> {
    const askedAt = this.#clock.now()
    const { id, token } = await this.#api.issue()
    const { expiresAt } = token.identity
    const life = expiresAt - askedAt
    this.#current = { id, renewAt: expiresAt - Math.min(MARGIN_MS, life / 5) }
    return id
  }
}
