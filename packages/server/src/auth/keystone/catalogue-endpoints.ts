import { endpointBase, type PublicEndpoints } from '../../core/rules/public-endpoints.ts'
import type { Clock } from '../../platform/clock.ts'
import type { CatalogueService, KeystoneApi } from './keystone-api.ts'
import { KeystoneUnavailable } from './keystone-connection.ts'
import { OwnToken } from './own-token.ts'

/** How long an answer is believed. */
const LIFE_MS = 300_000

type Api = Pick<KeystoneApi, 'issue' | 'catalogue'>

/**
 * The public endpoints of the services `zaqar` and `zaqar-websocket` in Keystone's catalogue. However many want to know
 * at one time, it is asked once. (contract notifications.md 5)
 */
export class CatalogueEndpoints {
  readonly #api: Api
  readonly #clock: Clock
  readonly #ownToken: OwnToken
  #known: { readonly endpoints: PublicEndpoints; readonly until: number } | null = null
  #pending: Promise<PublicEndpoints> | null = null

  constructor(api: Api, clock: Clock) {
    this.#api = api
    this.#clock = clock
    this.#ownToken = new OwnToken(api, clock)
  }

  /** @throws KeystoneUnavailable */
  async get(): Promise<PublicEndpoints> {
    if (this.#known !== null && this.#clock.now() < this.#known.until) return this.#known.endpoints
    this.#pending ??= this.#ask().finally(() => {
      this.#pending = null
    })
    return this.#pending
  }

  async #ask(): Promise<PublicEndpoints> {
    const catalogue = await this.#catalogue()
    const endpoints = { http: publicUrl(catalogue, 'zaqar'), webSocket: publicUrl(catalogue, 'zaqar-websocket') }
    this.#known = { endpoints, until: this.#clock.now() + LIFE_MS }
    return endpoints
  }

  /** A token of our own that was revoked, or that a restarted Keystone does not know, is replaced once. */
  async #catalogue(): Promise<readonly CatalogueService[]> {
    for (let tries = 2; tries > 0; tries--) {
      const ownToken = await this.#ownToken.get()
      const catalogue = await this.#api.catalogue(ownToken)
      if (catalogue !== 'unauthorized') return catalogue
      this.#ownToken.discard(ownToken)
    }
    throw new KeystoneUnavailable('Keystone does not accept the token that it has just given this server')
  }
}

function publicUrl(catalogue: readonly CatalogueService[], service: string): string | null {
  const endpoints = catalogue.filter(({ name }) => name === service).flatMap((one) => one.endpoints ?? [])
  const url = endpoints.find((endpoint) => endpoint.interface === 'public')?.url
  return url ? endpointBase(url) : null
}
