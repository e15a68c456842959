import type { SignedScope } from './rules/signature.ts'

/** What credentials say about whoever shows them. */
export interface Identity {
  /** Null: the credentials are good but belong to no project. */
  readonly project: string | null
  /** Names of roles, in lower case. Empty for the holder of a signed URL. */
  readonly roles: readonly string[]
  readonly userId: string | null
  /** The domain that the credentials are for, in place of a project. */
  readonly domainId: string | null
  readonly userDomainId: string | null
  readonly projectDomainId: string | null
  /** `all`, where the credentials are for the whole cloud. */
  readonly systemScope: string | null
  /** Roles of the service that passes the request on for the user, in lower case. */
  readonly serviceRoles: readonly string[]
  /** What a signed URL is good for; null for everybody who calls in their own name. */
  readonly signedScope: SignedScope | null
}

/** Somebody of whom nothing is known. */
export const NOBODY: Identity = Object.freeze({
  project: null,
  roles: [],
  userId: null,
  domainId: null,
  userDomainId: null,
  projectDomainId: null,
  systemScope: null,
  serviceRoles: [],
  signedScope: null,
})

/** What somebody shows, whatever carries it. */
export interface ShownCredentials {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** As written. */
  readonly method: string
  /** Decoded, without the query. */
  readonly path: string
}

/** Whoever waits for an answer. */
export interface Asker {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: () => AbortSignal
  /** Where it comes from; null when that is not known any more. */
  readonly clientAddress?: () => string | null
}

/** Why credentials are not accepted. */
export type Unauthenticated =
  /** No token, or none that is valid. `askAt`: the address of the Keystone that gives some. */
  | { readonly rejected: 'token'; readonly askAt: string }
  /** Whether the token is valid cannot be found out at present. `cause`: for the operator; null where one was told lately. */
  | { readonly rejected: 'unknown'; readonly cause: unknown }
  /** A signed URL that does not admit the request. */
  | { readonly rejected: 'signature' }

/** Whose credentials these are. Shared by all transports; answers at once where nobody needs to be asked. */
export type Authenticate = (
  shown: ShownCredentials,
  asker: Asker,
) => Identity | Unauthenticated | Promise<Identity | Unauthenticated>
