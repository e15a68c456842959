import { baseOf } from './addresses.ts'
import type { Credentials, KeystoneAuth } from './auth.ts'
import { errorOf, Unreachable, ZaqarError } from './errors.ts'

/** Types under which catalogues list the service. */
const SERVICE_TYPES = ['messaging', 'message-bus']
/** A token is renewed so long before its end, in milliseconds. */
const MARGIN_MS = 60_000

interface Token {
  readonly text: string
  readonly expiresAt: number
  readonly catalog: readonly { readonly type: string; readonly endpoints: readonly Endpoint[] }[]
}

interface Endpoint {
  readonly interface: string
  readonly region: string
  readonly url: string
}

/** Tokens of Keystone, asked for when they are needed, and again before they end or when they are not accepted. */
export class KeystoneTokens implements Credentials {
  readonly #auth: KeystoneAuth
  readonly #fetch: typeof globalThis.fetch
  #token: Promise<Token> | null = null

  constructor(auth: KeystoneAuth, fetch: typeof globalThis.fetch) {
    this.#auth = auth
    this.#fetch = fetch
  }

  async headers(): Promise<Record<string, string>> {
    const token = await this.#current()
    return { 'X-Auth-Token': token.text }
  }

  async renew(): Promise<boolean> {
    this.#token = this.#ask()
    await this.#token
    return true
  }

  /** @throws ZaqarError when the catalogue of the token lists no such service */
  async url(): Promise<string> {
    const { region, endpoint = 'public' } = this.#auth
    const { catalog } = await this.#current()
    const endpoints = catalog.filter(({ type }) => SERVICE_TYPES.includes(type)).flatMap((service) => service.endpoints)
    const found = endpoints.find((one) => one.interface === endpoint && (region === undefined || one.region === region))
    if (found === undefined) {
      throw new ZaqarError('unexpected_answer', `The catalogue of Keystone lists no ${endpoint} messaging service.`)
    }
    return found.url
  }

  async #current(): Promise<Token> {
    this.#token ??= this.#ask()
    const token = await this.#token
    if (token.expiresAt - MARGIN_MS > Date.now()) return token
    this.#token = this.#ask()
    return this.#token
  }

  async #ask(): Promise<Token> {
    try {
      return await this.#request()
    } catch (error) {
      // The next request asks again.
      this.#token = null
      throw error
    }
  }

  async #request(): Promise<Token> {
    let response: Response
    try {
      response = await this.#fetch(`${baseOf(this.#auth.authUrl)}/v3/auth/tokens`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ auth: this.#terms() }),
      })
    } catch (cause) {
      throw new Unreachable('unreachable', 'Keystone cannot be reached.', { cause })
    }
    const text = await response.text()
    if (response.status !== 201) {
      throw errorOf(response.status, text, { requestId: response.headers.get('x-openstack-request-id') })
    }
    const { token } = JSON.parse(text)
    return {
      text: response.headers.get('x-subject-token') ?? '',
      expiresAt: Date.parse(token.expires_at),
      catalog: token.catalog ?? [],
    }
  }

  #terms(): object {
    const { applicationCredential, user = {}, password, project } = this.#auth
    if (applicationCredential !== undefined) {
      return { identity: { methods: ['application_credential'], application_credential: applicationCredential } }
    }
    return {
      identity: { methods: ['password'], password: { user: { ...named(user), password } } },
      ...(project !== undefined && { scope: { project: named(project) } }),
    }
  }
}

function named({ id, name, domain = 'Default' }: { id?: string; name?: string; domain?: string }): object {
  return id === undefined ? { name, domain: { name: domain } } : { id }
}
