import { Kept } from './kept.ts'
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

/** A user or project of Keystone: by its id, or by its name in a domain. */
export interface Named {
  readonly id?: string
  readonly name?: string
  /** Name of the domain; `Default` where neither this nor its id is given. */
  readonly domain?: string
  readonly domainId?: string
}

/** Keystone, v3: a user with a password, an application credential, or a token that another one is asked for with. */
export interface KeystoneAuth {
  /** Address of Keystone, `https://cloud.example:5000/v3`; the version may be left out. */
  readonly authUrl: string
  readonly user?: Named
  readonly password?: string
  /** Where the token is to be for. An application credential for another one is not accepted. */
  readonly project?: Named
  /** By its id, or by its name with the user whose it is. */
  readonly applicationCredential?: { readonly id?: string; readonly name?: string; readonly secret: string }
  readonly token?: string
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
  headers(): Promise<Readonly<Record<string, string>>>
  /** Those were not accepted: the next are others. False where they would be the same. */
  refuse(headers: Readonly<Record<string, string>>): boolean
  /** Where the service is, if the credentials say so: the catalogue of Keystone does. */
  url?(): Promise<string>
  /** Where its WebSocket is, if the credentials say that it is elsewhere. */
  socketUrl?(): Promise<string | undefined>
}

export function credentialsOf(auth: Auth | undefined, project: string | undefined, fetch: typeof globalThis.fetch) {
  if (auth === undefined) return fixed(project === undefined ? {} : { 'X-Project-ID': project })
  if ('signed' in auth) return fixed(signedHeaders(auth.signed))
  if ('keystone' in auth) return new KeystoneTokens(auth.keystone, fetch)
  return typeof auth.token === 'string' ? fixed({ 'X-Auth-Token': auth.token }) : new GivenTokens(auth.token)
}

function fixed(headers: Record<string, string>): Credentials {
  return { headers: async () => headers, refuse: () => false }
}

/** What shows a signed URL in a request. */
export function signedHeaders({ signature, project, methods, paths, expires }: SignedUrl): Record<string, string> {
  return {
    'URL-Signature': signature,
    'URL-Methods': methods.join(','),
    'URL-Paths': paths.join(','),
    'URL-Expires': expires,
    'X-Project-ID': project,
  }
}

class GivenTokens implements Credentials {
  readonly #token: Kept<string>

  constructor(give: (renew: boolean) => string | Promise<string>) {
    this.#token = new Kept(async (isRefused) => give(isRefused))
  }

  async headers(): Promise<Record<string, string>> {
    return { 'X-Auth-Token': await this.#token.get() }
  }

  refuse({ 'X-Auth-Token': token }: Readonly<Record<string, string>>): boolean {
    this.#token.refuse((kept) => kept === token)
    return true
  }
}
