import type { Instant } from '../model/model.ts'
import { covers, EVERYTHING, type Resource, type Scope } from './rules/scope.ts'
import type { SignedTerms } from './rules/signature.ts'

/**
 * What somebody shows of who they are, whatever carries it: all of it, since it is for the judge to say what counts.
 */
export interface Shown {
  /** Decides alone, however little it holds: what is no signature is a bad one. */
  readonly signed?: SignedUrl | undefined
  readonly token?: string | undefined
  /** Of the service that passes the request on for the user. */
  readonly serviceToken?: string | undefined
  readonly asserted?: Asserted | undefined
}

/** The terms as shown: `expires` in any spelling of ISO 8601, or anything else. */
export interface SignedUrl extends SignedTerms {
  readonly signature: string
}

/** What somebody says of themselves. */
export interface Asserted {
  readonly project: string | null
  /** In any case. */
  readonly roles: readonly string[]
  readonly userId: string | null
}

/** Names of roles with commas between them, as somebody says that he has them; null: none. */
export function rolesIn(text: string | null): string[] {
  return text === null ? [] : text.split(',').map((role) => role.trim())
}

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
  /** What the credentials are good for. Each call is judged by it, however long ago they were shown. */
  readonly scope: Scope
  /** From when on they are good for nothing; null: they do not end. */
  readonly expiresAt: Instant | null
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
  scope: EVERYTHING,
  expiresAt: null,
})

/** The token by which somebody is judged who shows all this; null: by none. */
export function judgedToken({ signed, token }: Shown): string | null {
  return signed === undefined ? (token ?? null) : null
}

/** Whoever waits for an answer. */
export interface Asker {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: (() => AbortSignal) | undefined
  /** Where it comes from; null when that is not known any more. */
  readonly clientAddress?: () => string | null
}

/**
 * It is not known who calls, or the credentials are not good for what is asked: the code of the error that says why.
 */
export type Unauthenticated =
  /** No token, or none that is valid and good for what is asked. */
  | { readonly unauthenticated: 'token.not_accepted' }
  /** A signed URL that does not admit the request. */
  | { readonly unauthenticated: 'signature.not_accepted' }
  /**
   * Whether the token is valid cannot be found out at present. `cause`: for the operator; null where one was told
   * lately.
   */
  | { readonly unauthenticated: 'token.unverified'; readonly cause: unknown }

export const TOKEN_NOT_ACCEPTED: Unauthenticated = { unauthenticated: 'token.not_accepted' }
export const SIGNATURE_NOT_ACCEPTED: Unauthenticated = { unauthenticated: 'signature.not_accepted' }

/**
 * Whose credentials these are. Shared by all transports; answers at once where nobody needs to be asked. What it
 * answers holds for as long as `objectionTo` says.
 */
export type Authenticate = (
  shown: Shown,
  asker: Asker,
) => Identity | Unauthenticated | Promise<Identity | Unauthenticated>

/** Null where the credentials are good for the resource at that instant. */
export function objectionTo({ scope, expiresAt }: Identity, resource: Resource, now: Instant): Unauthenticated | null {
  if ((expiresAt === null || now < expiresAt) && covers(scope, resource)) return null
  return scope.signed === null ? TOKEN_NOT_ACCEPTED : SIGNATURE_NOT_ACCEPTED
}
