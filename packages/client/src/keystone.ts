import { baseOf } from './addresses.ts'
import type { Credentials, KeystoneAuth, Named } from './auth.ts'
import { errorOf, Unauthenticated, Unavailable, Unreachable, ZaqarError } from './errors.ts'
import { Kept } from './kept.ts'

/** Types under which catalogues list the service. */
const SERVICE_TYPES = ['messaging', 'message-bus']
/** As the deployments of OpenStack list the port where WebSocket is spoken. */
const SOCKET_TYPES = ['messaging-websocket']
/** A token is renewed so long before its end, or when half its life is over, in milliseconds. */
const MARGIN_MS = 60_000
const TIME_LIMIT_MS = 30_000

interface Token {
  readonly text: string
  /** By the clock of this machine. */
  readonly renewAt: number
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
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch
  readonly #token = new Kept(() => this.#ask())

  constructor(auth: KeystoneAuth, fetch: typeof globalThis.fetch) {
    this.#auth = auth
    this.#url = `${baseOf(auth.authUrl)}/v3/auth/tokens`
    this.#fetch = fetch
  }

  async headers(): Promise<Record<string, string>> {
    const token = await this.#current()
    return { 'X-Auth-Token': token.text }
  }

  refuse({ 'X-Auth-Token': text }: Readonly<Record<string, string>>): boolean {
    this.#token.refuse((kept) => kept.text === text)
    return true
  }

  /** @throws ZaqarError when the catalogue of the token lists no such service */
  async url(): Promise<string> {
    const found = await this.#listed(SERVICE_TYPES)
    if (found !== undefined) return found
    const { endpoint = 'public' } = this.#auth
    throw new ZaqarError('unexpected_answer', `The catalogue of Keystone lists no ${endpoint} messaging service.`)
  }

  socketUrl(): Promise<string | undefined> {
    return this.#listed(SOCKET_TYPES)
  }

  async #listed(types: readonly string[]): Promise<string | undefined> {
    const { region, endpoint = 'public' } = this.#auth
    const { catalog } = await this.#current()
    const endpoints = catalog.filter(({ type }) => types.includes(type)).flatMap((service) => service.endpoints)
    return endpoints.find((one) => one.interface === endpoint && (region === undefined || one.region === region))?.url
  }

  async #current(): Promise<Token> {
    const token = await this.#token.get()
    if (Date.now() < token.renewAt) return token
    this.#token.refuse((kept) => kept === token)
    return this.#token.get()
  }

  async #ask(): Promise<Token> {
    const start = Date.now()
    const { status, headers, text } = await this.#request()
    if (status !== 201) throw this.#refusal(errorOf(status, text, { requestId: headers.get('x-openstack-request-id') }))
    const { token } = readToken(text)
    this.#check(token.project)
    // The clock of Keystone may be another than that of this machine.
    const life = Date.parse(token.expires_at) - Date.parse(token.issued_at)
    return {
      text: headers.get('x-subject-token') ?? '',
      renewAt: start + Math.max(life - MARGIN_MS, life / 2),
      catalog: token.catalog ?? [],
    }
  }

  /** Keystone answers 404 for credentials that were taken away; a caller would take that for a message that is not there. */
  #refusal(error: ZaqarError): ZaqarError {
    if (error.status >= 500 || error instanceof Unavailable) return error
    // At another address there may be no Keystone at all.
    const asked = error.status === 404 ? ` (${this.#url})` : ''
    return new Unauthenticated('unauthenticated', `Keystone gives no token: ${error.message}${asked}`, error)
  }

  /** An application credential says itself which project it is for. */
  #check(project: TokenDocument['project']): void {
    const wanted = this.#auth.project
    if (this.#auth.applicationCredential === undefined || wanted === undefined) return
    if (wanted.id === undefined ? wanted.name === project?.name : wanted.id === project?.id) return
    throw new Unauthenticated(
      'unauthenticated',
      `The application credential is for the project ${project?.name} (${project?.id}), not for ${wanted.name ?? wanted.id}`,
    )
  }

  async #request(): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
    try {
      const response = await this.#fetch(this.#url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ auth: this.#terms() }),
        signal: AbortSignal.timeout(TIME_LIMIT_MS),
      })
      return { status: response.status, headers: response.headers, text: await response.text() }
    } catch (cause) {
      throw new Unreachable('unreachable', 'Keystone cannot be reached, or did not answer to the end.', { cause })
    }
  }

  #terms(): object {
    const { applicationCredential, token, user = {}, password, project } = this.#auth
    if (applicationCredential !== undefined) {
      const owner = applicationCredential.id === undefined && { user: named(user) }
      const credential = { ...applicationCredential, ...owner }
      return { identity: { methods: ['application_credential'], application_credential: credential } }
    }
    const identity =
      token === undefined
        ? { methods: ['password'], password: { user: { ...named(user), password } } }
        : { methods: ['token'], token: { id: token } }
    return { identity, ...(project !== undefined && { scope: { project: named(project) } }) }
  }
}

interface TokenDocument {
  readonly expires_at: string
  readonly issued_at: string
  readonly catalog?: Token['catalog']
  readonly project?: { readonly id: string; readonly name: string }
}

function readToken(text: string): { token: TokenDocument } {
  try {
    const document = JSON.parse(text)
    if (document.token) return document
  } catch {
    // Not of Keystone either.
  }
  throw new ZaqarError('unexpected_answer', 'The answer is no token: something else than Keystone may be there.')
}

function named({ id, name, domain = 'Default', domainId }: Named): object {
  if (id !== undefined) return { id }
  return { name, domain: domainId === undefined ? { name: domain } : { id: domainId } }
}
