import { baseOf } from './addresses.ts'
import type { Credentials } from './auth.ts'
import { errorOf, Timeout, Unreachable, ZaqarError } from './errors.ts'
import { backoff, pause, timeLimit, unlessAborted } from './pause.ts'

export interface CallOptions {
  /** Ends the call, and all waiting for another try. */
  readonly signal?: AbortSignal | undefined
  /** For each try, in seconds. */
  readonly timeout?: number | undefined
}

export interface Request extends CallOptions {
  readonly method: string
  /** Below `/v2`. */
  readonly path: string
  readonly query?: Readonly<Record<string, Scalar | undefined>> | undefined
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Whether it may be sent again when it is not known what became of it. Otherwise it is sent again only when the
   * service says that it could not be served.
   */
  readonly isRepeatable: boolean
  /** For how long the service may wait before it answers, in seconds, beside the time limit. */
  readonly waits?: number | undefined
}

type Scalar = string | number | boolean | readonly string[]

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** An object; undefined where there is no text. */
  // biome-ignore lint/suspicious/noExplicitAny: documents of the service, which the methods of the client give types.
  readonly document: any
}

export interface RequestsOptions {
  readonly url: string | undefined
  readonly credentials: Credentials
  readonly clientId: string
  readonly fetch: typeof globalThis.fetch
  readonly timeoutSeconds: number
  /** Further tries, at the most. */
  readonly retries: number
  readonly parse: (json: string) => unknown
  readonly stringify: (document: unknown) => string
}

/** Where a request goes, and who asks. */
interface Start {
  readonly url: string
  readonly credentials: Readonly<Record<string, string>>
}

/** A call does not wait for longer until it tries again, in milliseconds: who called hears of it instead. */
const LONGEST_PAUSE_MS = 60_000

/** Requests to the service, repeated where that is safe and may help. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #base: string | undefined

  /** @throws ZaqarError where the URL is none */
  constructor(options: RequestsOptions) {
    this.#options = options
    this.#base = options.url === undefined ? undefined : baseOf(options.url)
  }

  get clientId(): string {
    return this.#options.clientId
  }

  /** Address of the service, without a slash at its end. */
  async url(): Promise<string> {
    if (this.#base !== undefined) return this.#base
    const found = await this.#options.credentials.url?.()
    if (found === undefined) throw new ZaqarError('bad_request', 'The address of the service (`url`) is missing.')
    return baseOf(found)
  }

  get credentials(): Credentials {
    return this.#options.credentials
  }

  /** For each try, in seconds. */
  get timeoutSeconds(): number {
    return this.#options.timeoutSeconds
  }

  /** Further tries, at the most. */
  get retries(): number {
    return this.#options.retries
  }

  get parse(): (json: string) => unknown {
    return this.#options.parse
  }

  /** Address of its WebSocket, where that is not somewhere else: the service has one at every path. */
  async socketUrl(): Promise<string> {
    const listed = this.#base === undefined ? await this.#options.credentials.socketUrl?.() : undefined
    return (listed ?? `${await this.url()}/v2`).replace(/^http/, 'ws')
  }

  /**
   * The answer to a GET, once it begins; `signal` ends it. A token that has ended is renewed once, nothing else is tried
   * again. @throws as `send`
   */
  async open(request: Omit<Request, 'method' | 'isRepeatable'> & { readonly signal: AbortSignal }): Promise<Response> {
    const { credentials } = this.#options
    const start = await unlessAborted(this.#start(), request.signal)
    try {
      return await this.#open({ ...request, method: 'GET' }, start)
    } catch (error) {
      if (!(error instanceof ZaqarError) || error.status !== 401 || !credentials.refuse(start.credentials)) throw error
      return this.#open({ ...request, method: 'GET' }, await unlessAborted(this.#start(), request.signal))
    }
  }

  /** @throws ZaqarError, the reason of the signal, or what a function that gives tokens throws */
  async send(request: Request): Promise<Answer> {
    const { retries, credentials, stringify } = this.#options
    const { signal, isRepeatable } = request
    const body = request.body === undefined ? undefined : stringify(request.body)
    let isRefused = false
    for (let tries = 0; ; tries++) {
      let start: Start | undefined
      try {
        start = await unlessAborted(this.#start(), signal)
        return await this.#try(request, body, start)
      } catch (error) {
        if (!(error instanceof ZaqarError)) throw error
        // A token that has ended is renewed once; Keystone that refuses a password has been asked once too often already.
        if (error.status === 401 && start !== undefined && !isRefused && credentials.refuse(start.credentials)) {
          isRefused = true
          continue
        }
        const wait = Math.max((error.retryAfterSeconds ?? 0) * 1000, backoff(tries))
        const mayHelp = isUnserved(error) || ((isRepeatable || start === undefined) && isLost(error))
        if (tries >= retries || !mayHelp || wait > LONGEST_PAUSE_MS) throw error
        await pause(wait, signal)
      }
    }
  }

  async #start(): Promise<Start> {
    const credentials = await this.#options.credentials.headers()
    return { credentials, url: await this.url() }
  }

  async #try(request: Request, body: string | undefined, start: Start): Promise<Answer> {
    const { signal, waits = 0, timeout = this.timeoutSeconds } = request
    const limit = timeLimit(timeout + waits, signal)
    let response: Response
    let text: string
    try {
      response = await this.#fetch(request, body, start, limit.signal)
      // An answer that is cut off in its midst is none.
      text = await textOf(response)
    } catch (cause) {
      throw lost(cause, request, limit.signal.aborted ? timeout + waits : null)
    } finally {
      limit.end()
    }
    check(response, text)
    return {
      status: response.status,
      headers: response.headers,
      document: documentOf(text, response.status, this.#options.parse),
    }
  }

  /** The time limit is for its beginning alone. */
  async #open(request: Omit<Request, 'isRepeatable'> & { signal: AbortSignal }, start: Start): Promise<Response> {
    const { signal, timeout = this.timeoutSeconds } = request
    const limit = timeLimit(timeout, undefined)
    try {
      const response = await this.#fetch(request, undefined, start, AbortSignal.any([signal, limit.signal]))
      if (!response.ok) check(response, await textOf(response))
      return response
    } catch (cause) {
      throw lost(cause, request, limit.signal.aborted ? timeout : null)
    } finally {
      limit.end()
    }
  }

  #fetch(
    { method, path, query, headers }: Omit<Request, 'isRepeatable'>,
    body: string | undefined,
    { url, credentials }: Start,
    signal: AbortSignal,
  ): Promise<Response> {
    const { fetch, clientId } = this.#options
    return fetch(`${url}/v2${path}${queryOf(query)}`, {
      method,
      headers: {
        'Client-ID': clientId,
        Accept: 'application/json',
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...credentials,
        ...headers,
      },
      ...(body !== undefined && { body }),
      signal,
      // Another address must not be shown the credentials.
      redirect: 'manual',
    })
  }
}

/**
 * A member that the document of an answer always has. @throws ZaqarError where it has not: something else has answered
 */
export function memberOf<Value>({ document, status }: Answer, name: string): Value {
  const value = document?.[name]
  if (value === undefined) throw strange(`It has no "${name}".`, status)
  return value
}

/** What is thrown where there is no answer: `limit`, in seconds, has passed where it is given. */
function lost(cause: unknown, { signal }: CallOptions, limit: number | null): unknown {
  if (signal?.aborted) return signal.reason
  if (cause instanceof ZaqarError) return cause
  if (limit !== null) return new Timeout('timeout', `No answer within ${limit} s.`, { cause })
  return new Unreachable('unreachable', 'The service cannot be reached, or did not answer to the end.', { cause })
}

/** @throws ZaqarError where the answer says that something is wrong */
function check({ status, headers }: Response, text: string): void {
  if (status >= 400) {
    const requestId = headers.get('x-openstack-request-id')
    throw errorOf(status, text, { requestId, retryAfterSeconds: retryAfterOf(headers) })
  }
  if (status < 200 || status >= 300) throw strange('It leads to another address: give that one as `url`.', status)
}

/** The service said that it could not be served. */
function isUnserved({ code }: ZaqarError): boolean {
  return code === 'unavailable'
}

/** Nobody knows what has become of it. */
function isLost({ code, status }: ZaqarError): boolean {
  return code === 'unreachable' || code === 'timeout' || status === 502 || status === 504
}

/** No answer of the service is longer, in bytes: 20 messages of 256 KiB are 5 MiB, and operators may allow more. */
const LONGEST_ANSWER = 2 ** 26

async function textOf({ body, status }: Response): Promise<string> {
  if (body === null) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > LONGEST_ANSWER) {
      await reader.cancel()
      throw strange('It is too long.', status)
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** Whatever is answered 200 has a document. */
function documentOf(text: string, status: number, parse: (json: string) => unknown): object | undefined {
  if (text === '' && status !== 200) return undefined
  let document: unknown
  try {
    document = parse(text)
  } catch (cause) {
    throw strange('It is no JSON.', status, cause)
  }
  if (typeof document === 'object' && document !== null) return document
  throw strange('It is no document.', status)
}

function strange(how: string, status: number, cause?: unknown): ZaqarError {
  const message = `The answer is none of Zaqar: something else may be at this address. ${how}`
  return new ZaqarError('unexpected_answer', message, { status, cause })
}

/** Seconds. A date is read by the clock of who has written it, where the answer says what that shows. */
function retryAfterOf(headers: Headers): number | null {
  const text = headers.get('retry-after') ?? ''
  const answered = Date.parse(headers.get('date') ?? '')
  const now = Number.isNaN(answered) ? Date.now() : answered
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000
  return Number.isNaN(seconds) ? null : Math.max(0, seconds)
}

/** A list is a parameter that comes several times: upstream's service takes a comma that is escaped for part of an item. */
function queryOf(query: Request['query'] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((item) => [name, String(item)]),
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
