import { authRequest } from './auth-request.ts'
import { connectToKeystone, excerpt, type KeystoneConnection, KeystoneUnavailable } from './keystone-connection.ts'
import type { KeystoneSettings, ServiceAccount } from './keystone-settings.ts'
import { readToken, type Token } from './token-document.ts'

/** The part of Keystone's API that is used to judge callers, at one address. */
export interface KeystoneApi {
  /**
   * A new token for the server itself.
   * @throws KeystoneUnavailable
   */
  issue(): Promise<IssuedToken>
  /**
   * What Keystone says of a token: `invalid` when that is not valid, `unauthorized` when `ownToken` is not, or not any
   * more.
   * @throws KeystoneUnavailable
   */
  validate(id: string, how: ValidateOptions): Promise<Token | 'invalid' | 'unauthorized'>
  /**
   * The services of the cloud, as the holder of the token sees them; none where the token is for no project and no
   * domain.
   * @throws KeystoneUnavailable
   */
  catalogue(ownToken: string): Promise<readonly CatalogueService[] | 'unauthorized'>
  close(): Promise<void>
}

export interface CatalogueService {
  readonly name?: string
  readonly endpoints?: readonly { readonly interface?: string; readonly url?: string }[]
}

export interface IssuedToken {
  readonly id: string
  readonly token: Token
}

interface ValidateOptions {
  readonly ownToken: string
  /** Whether a token may be answered that has expired lately: a service passes on what it was given in time. */
  readonly allowExpired: boolean
}

/** Else Keystone answers nothing about tokens of restricted application credentials. */
export const KNOWS_ACCESS_RULES = { 'openstack-identity-access-rules': '1' }

const TOKENS = '/auth/tokens?nocatalog'

export function createKeystoneApi(settings: KeystoneSettings): KeystoneApi {
  const keystone = connectToKeystone(settings)
  return {
    issue: () => issueToken(keystone, settings),

    async validate(id, { ownToken, allowExpired }) {
      const { status, text } = await keystone.send({
        method: 'GET',
        path: allowExpired ? `${TOKENS}&allow_expired=1` : TOKENS,
        headers: { 'x-auth-token': ownToken, 'x-subject-token': id, ...KNOWS_ACCESS_RULES },
      })
      // 400: not even the form of a token.
      if (status === 404 || status === 400) return 'invalid'
      if (status === 401) return 'unauthorized'
      const token = status === 200 ? readToken(text, settings.serviceType) : null
      if (token === null) {
        throw new KeystoneUnavailable(`Keystone does not validate tokens, it answers ${status}: ${excerpt(text)}`)
      }
      return token
    },

    async catalogue(ownToken) {
      const headers = { 'x-auth-token': ownToken }
      const { status, text } = await keystone.send({ method: 'GET', path: '/auth/catalog', headers })
      if (status === 401) return 'unauthorized'
      if (status === 403) return []
      const catalogue = status === 200 ? readCatalogue(text) : null
      if (catalogue === null) {
        throw new KeystoneUnavailable(`Keystone shows no catalogue, it answers ${status}: ${excerpt(text)}`)
      }
      return catalogue
    },

    close: () => keystone.close(),
  }
}

/** Null when it is none. */
function readCatalogue(text: string): readonly CatalogueService[] | null {
  try {
    const { catalog } = JSON.parse(text) as { catalog?: unknown }
    return Array.isArray(catalog) ? catalog : null
  } catch {
    return null
  }
}

/** Keystone gave no token; `status` says how it refused. */
export class TokenRefused extends KeystoneUnavailable {
  readonly status: number

  constructor(status: number, text: string) {
    super(`Keystone gives this server no token, it answers ${status}: ${excerpt(text)}`)
    this.status = status
  }
}

/**
 * A new token of the account, for what it is configured for, or for a trust that it was given.
 * @throws KeystoneUnavailable, TokenRefused
 */
export async function issueToken(
  keystone: KeystoneConnection,
  account: ServiceAccount & { readonly serviceType: string },
  trustId: string | null = null,
): Promise<IssuedToken> {
  const body = authRequest(account, trustId)
  const { status, headers, text } = await keystone.send({ method: 'POST', path: TOKENS, body })
  const id = headers['x-subject-token']
  const token = status === 201 ? readToken(text, account.serviceType) : null
  if (token === null || typeof id !== 'string') throw new TokenRefused(status, text)
  return { id, token }
}
