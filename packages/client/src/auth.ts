import { KeystoneTokens } from './keystone.ts'

/** Values of a signed URL, as `share` answers them. */
export interface SignedUrl {
  readonly signature: string
  readonly project: string
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  /** UTC without a zone. */
  readonly expires: string
}

/** Keystone, v3: a user with a password, or an application credential. */
export interface KeystoneAuth {
  /** Address of Keystone, `https://cloud.example:5000/v3`; the version may be left out. */
  readonly authUrl: string
  /** With the name of its domain, `Default` where it is not given; or an id. */
  readonly user?: { readonly name?: string; readonly id?: string; readonly domain?: string }
  readonly password?: string
  readonly project?: { readonly name?: string; readonly id?: string; readonly domain?: string }
  readonly applicationCredential?: { readonly id: string; readonly secret: string }
  /** Of the catalogue, where the address of the service is looked up: any where it is not given. */
  readonly region?: string
  /** Which address of the catalogue; `public` where it is not given. */
  readonly endpoint?: 'public' | 'internal' | 'admin'
}

/**
 * How the client says who it is: not at all; by a token, or a function that gives one, called again when it is not
 * accepted any more; by Keystone; or by the values of a signed URL.
 */
export type Auth =
  | { readonly token: string | ((renew: boolean) => string | Promise<string>) }
  | { readonly keystone: KeystoneAuth }
  | { readonly signed: SignedUrl }

/** What goes into the headers of each request. */
export interface Credentials {
  headers(): Promise<Record<string, string>>
  /** They were not accepted. False where asking again would bring the same. */
  renew(): Promise<boolean>
  /** Where the service is, if the credentials say so: the catalogue of Keystone does. */
  url?(): Promise<string>
}

export function credentialsOf(auth: Auth | undefined, project: string | undefined, fetch: typeof globalThis.fetch) {
  if (auth === undefined) return fixed(project === undefined ? {} : { 'X-Project-Id': project })
  if ('signed' in auth) return fixed(signedHeaders(auth.signed))
  if ('keystone' in auth) return new KeystoneTokens(auth.keystone, fetch)
  return new GivenToken(auth.token)
}

function fixed(headers: Record<string, string>): Credentials {
  return { headers: async () => headers, renew: async () => false }
}

function signedHeaders({ signature, project, methods, paths, expires }: SignedUrl): Record<string, string> {
  return {
    'URL-Signature': signature,
    'URL-Methods': methods.join(','),
    'URL-Paths': paths.join(','),
    'URL-Expires': expires,
    'X-Project-Id': project,
  }
}

class GivenToken implements Credentials {
  readonly #give: string | ((renew: boolean) => string | Promise<string>)
  #token: Promise<string> | null = null

  constructor(give: string | ((renew: boolean) => string | Promise<string>)) {
    this.#give = give
  }

  async headers(): Promise<Record<string, string>> {
    this.#token ??= this.#ask(false)
    return { 'X-Auth-Token': await this.#token }
  }

  async renew(): Promise<boolean> {
    if (typeof this.#give === 'string') return false
    this.#token = this.#ask(true)
    await this.#token
    return true
  }

  async #ask(renew: boolean): Promise<string> {
    try {
      return typeof this.#give === 'string' ? this.#give : await this.#give(renew)
    } catch (error) {
      // The next request asks again.
      this.#token = null
      throw error
    }
  }
}
