import { Agent, errors, request } from 'undici'
import { authRequest } from './auth-request.ts'
import type { KeystoneSettings } from './keystone-settings.ts'
import { readToken, type Token } from './token-document.ts'

/** The part of Keystone's API that is used, at one address. */
export interface KeystoneApi {
  /**
   * A new token for the server itself.
   * @throws KeystoneUnavailable
   */
  issue(): Promise<{ readonly id: string; readonly token: Token }>
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

interface ValidateOptions {
  readonly ownToken: string
  /** Whether a token may be answered that has expired lately: a service passes on what it was given in time. */
  readonly allowExpired: boolean
}

/** Keystone gave no answer that could be used. Asking again later may help. */
export class KeystoneUnavailable extends Error {
  override readonly name: string = 'KeystoneUnavailable'
}

/** A token is some kilobytes, even with many roles; so is the catalogue of a cloud of many services. */
const MAX_ANSWER_BYTES = 1_048_576
/** What more requests at one time would only queue up in Keystone. */
export const CONNECTIONS = 32

const TOKENS = '/tokens?nocatalog'

export function createKeystoneApi(settings: KeystoneSettings): KeystoneApi {
  const { ca, cert, key, insecure, retries, timeoutSeconds } = settings
  const timeout = timeoutSeconds * 1000
  const agent = new Agent({
    connections: CONNECTIONS,
    connect: { timeout, rejectUnauthorized: !insecure, ...given({ ca, cert, key }) },
    headersTimeout: timeout,
    bodyTimeout: timeout,
    maxResponseSize: MAX_ANSWER_BYTES,
  })
  const auth = `${versionedUrl(settings.authUrl)}/auth`

  const send = async (method: 'GET' | 'POST', path: string, headers: Record<string, string>, body?: string) => {
    for (let left = retries; ; left--) {
      try {
        const answer = await request(`${auth}${path}`, { method, headers, body: body ?? null, dispatcher: agent })
        const text = await answer.body.text()
        return { status: answer.statusCode, headers: answer.headers, text }
      } catch (cause) {
        if (left <= 0 || isTimeout(cause))
          throw new KeystoneUnavailable(`Keystone at ${settings.authUrl} does not answer`, { cause })
      }
    }
  }

  return {
    async issue() {
      const body = JSON.stringify(authRequest(settings))
      const { status, headers, text } = await send('POST', TOKENS, { 'content-type': 'application/json' }, body)
      const id = headers['x-subject-token']
      const token = status === 201 ? readToken(text, settings.serviceType) : null
      if (token === null || typeof id !== 'string') {
        throw new KeystoneUnavailable(`Keystone gives this server no token, it answers ${status}: ${excerpt(text)}`)
      }
      return { id, token }
    },

    async validate(id, { ownToken, allowExpired }) {
      const { status, text } = await send('GET', `${TOKENS}${allowExpired ? '&allow_expired=1' : ''}`, {
        'x-auth-token': ownToken,
        'x-subject-token': id,
        // Else Keystone answers nothing about tokens of restricted application credentials.
        'openstack-identity-access-rules': '1',
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
      const { status, text } = await send('GET', '/catalog', { 'x-auth-token': ownToken })
      if (status === 401) return 'unauthorized'
      if (status === 403) return []
      const catalogue = status === 200 ? readCatalogue(text) : null
      if (catalogue === null) {
        throw new KeystoneUnavailable(`Keystone shows no catalogue, it answers ${status}: ${excerpt(text)}`)
      }
      return catalogue
    },

    // Whoever still waits for an answer is told that there is none.
    close: () => agent.destroy(),
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

/** The address of API v3, whether it was given with a version, an older one, or none. */
function versionedUrl(url: string): string {
  let end = url.length
  while (url[end - 1] === '/') end--
  return `${url.slice(0, end).replace(/\/v[23](\.\d+)?$/, '')}/v3`
}

/** Whoever has waited that long does not wait again. */
function isTimeout(error: unknown): boolean {
  return error instanceof errors.UndiciError && error.code.endsWith('_TIMEOUT')
}

function given(values: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
}

/** Keystone's error documents name no secrets; other servers at that address may answer anything. */
function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
