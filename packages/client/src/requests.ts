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

  credentials(): Credentials {
    return this.#options.credentials
  }

  /** @throws ZaqarError, the reason of the signal, or what a function that gives tokens throws */
  async send(request: Request): Promise<Answer> {
    const { retries, credentials } = this.#options
    const { signal, isRepeatable } = request
    const body = request.body === undefined ? undefined : JSON.stringify(request.body)
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

  async #try(request: Request, body: string | undefined, { url, credentials }: Start): Promise<Answer> {
    const { fetch, clientId, timeoutSeconds, parse } = this.#options
    const { method, path, query, headers, signal, waits = 0, timeout = timeoutSeconds } = request
    const limit = timeLimit(timeout + waits, signal)
    let response: Response
    let text: string
    try {
      response = await fetch(`${url}/v2${path}${queryOf(query)}`, {
        method,
        headers: {
          'Client-ID': clientId,
          Accept: 'application/json',
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...credentials,
          ...headers,
        },
        ...(body !== undefined && { body }),
        signal: limit.signal,
        // Another address must not be shown the credentials.
        redirect: 'manual',
      })
      // An answer that is cut off in its midst is none.
      text = await textOf(response)
    } catch (cause) {
      signal?.throwIfAborted()
      if (cause instanceof ZaqarError) throw cause
      if (limit.signal.aborted) throw new Timeout('timeout', `No answer within ${timeout + waits} s.`, { cause })
      throw new Unreachable('unreachable', 'The service cannot be reached, or did not answer to the end.', { cause })
    } finally {
      limit.end()
    }
    const { status } = response
    if (status >= 400) {
      const requestId = response.headers.get('x-openstack-request-id')
      throw errorOf(status, text, { requestId, retryAfterSeconds: retryAfterOf(response.headers) })
    }
    if (status < 200 || status >= 300) throw strange('It leads to another address: give that one as `url`.', status)
    return { status, headers: response.headers, document: documentOf(text, status, parse) }
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

function queryOf(query: Request['query'] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : String(value)]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
