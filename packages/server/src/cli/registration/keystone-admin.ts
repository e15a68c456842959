import type { KeystoneAuth } from 'zaqar-client/http'
import { KeystoneTokens } from 'zaqar-client/http'
import { RegistrationError } from './registration-error.ts'

/** For each answer, in milliseconds. */
const TIME_LIMIT_MS = 30_000

/** Something that Keystone keeps: its id, and fields of its kind. */
export interface Entity {
  readonly id: string
  readonly [field: string]: unknown
}

/** Documents of Keystone's API v3: `{"project": {...}}`, `{"projects": [...]}`. */
type Document = Readonly<Record<string, unknown>>

/** Keystone, as whoever may change what is in it. */
export class KeystoneAdmin {
  readonly #url: string
  readonly #tokens: KeystoneTokens

  constructor(auth: KeystoneAuth) {
    this.#url = `${auth.authUrl.replace(/\/(v3\/?)?$/, '')}/v3`
    this.#tokens = new KeystoneTokens(auth, globalThis.fetch)
  }

  /** All that have these values. `path`: `/projects` and so on. */
  async list(path: string, values: Readonly<Record<string, string>>): Promise<readonly Entity[]> {
    const { document } = await this.#ask('GET', `${path}?${new URLSearchParams(values)}`)
    return (document[path.slice(1)] ?? []) as readonly Entity[]
  }

  /** Whether there is something at that path. */
  async has(path: string): Promise<boolean> {
    const { status } = await this.#ask('GET', path, { isMissingFine: true })
    return status !== 404
  }

  /** `noun`: `project` and so on. */
  async create(path: string, noun: string, fields: object): Promise<Entity> {
    const { document } = await this.#ask('POST', path, { body: { [noun]: fields } })
    return document[noun] as Entity
  }

  async update(path: string, noun: string, fields: object): Promise<void> {
    await this.#ask('PATCH', path, { body: { [noun]: fields } })
  }

  async put(path: string): Promise<void> {
    await this.#ask('PUT', path)
  }

  /** Of the services that there are already, those of Keystone itself. */
  async ownEndpoints(): Promise<readonly { interface: string; region_id: string | null; url: string }[]> {
    const { document } = await this.#ask('GET', '/auth/catalog')
    const services = document['catalog'] as { type: string; endpoints: never[] }[]
    return services.filter(({ type }) => type === 'identity').flatMap(({ endpoints }) => endpoints)
  }

  /** Whether somebody can log in so. */
  async accepts(user: { readonly id: string; readonly password: string }): Promise<boolean> {
    const identity = { methods: ['password'], password: { user } }
    const { status } = await this.#send('POST', '/auth/tokens', { body: { auth: { identity } }, headers: {} })
    if (status === 201 || status === 401) return status === 201
    throw new RegistrationError(`Keystone does not say whether the password is right, it answers ${status}`)
  }

  async #ask(
    method: string,
    path: string,
    { body, isMissingFine = false }: { readonly body?: object; readonly isMissingFine?: boolean } = {},
  ): Promise<{ readonly status: number; readonly document: Document }> {
    const headers = await this.#tokens.headers()
    const { status, text } = await this.#send(method, path, { headers, ...(body && { body }) })
    const isFine = (status >= 200 && status < 300) || (status === 404 && isMissingFine)
    if (isFine) return { status, document: text === '' || status === 404 ? {} : (JSON.parse(text) as Document) }
    throw new RegistrationError(`${method} ${path.split('?')[0]}: Keystone answers ${status}: ${messageIn(text)}`)
  }

  async #send(
    method: string,
    path: string,
    { body, headers }: { readonly body?: object; readonly headers: Readonly<Record<string, string>> },
  ): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const answer = await fetch(`${this.#url}${path}`, {
        method,
        headers: { ...headers, 'Content-Type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIME_LIMIT_MS),
      })
      return { status: answer.status, text: await answer.text() }
    } catch (cause) {
      throw new RegistrationError(`Keystone at ${this.#url} does not answer: ${(cause as Error).message}`, { cause })
    }
  }
}

/** The sentence in Keystone's error document, which quotes nothing secret; other servers may answer anything. */
function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    if (typeof error?.message === 'string') return error.message.replaceAll('\n', ' ')
  } catch {
    // It is none.
  }
  return JSON.stringify(text.slice(0, 200))
}
