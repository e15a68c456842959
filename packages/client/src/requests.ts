import { baseOf } from './addresses.ts'
import type { Credentials } from './auth.ts'
import { errorOf, Timeout, Unreachable, ZaqarError } from './errors.ts'
import { backoff, pause } from './pause.ts'

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
  /** Undefined where there is no text. */
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
}

/** Requests to the service, repeated where that is safe and may help. */
export class Requests {
  readonly #options: RequestsOptions

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  get clientId(): string {
    return this.#options.clientId
  }

  /** Address of the service, without a slash at its end. */
  async url(): Promise<string> {
    const { url, credentials } = this.#options
    const found = url ?? (await credentials.url?.())
    if (found === undefined) throw new ZaqarError('bad_request', 'The address of the service (`url`) is missing.')
    return baseOf(found)
  }

  credentials(): Credentials {
    return this.#options.credentials
  }

  /** @throws ZaqarError, or the reason of the signal */
  async send(request: Request): Promise<Answer> {
    let isRenewed = false
    for (let tries = 0; ; tries++) {
      try {
        return await this.#try(request)
      } catch (error) {
        if (!(error instanceof ZaqarError)) throw error
        if (error.status === 401 && !isRenewed && (await this.#options.credentials.renew())) {
          isRenewed = true
          continue
        }
        if (tries >= this.#options.retries || !mayHelp(error, request)) throw error
        const wanted = error.retryAfterSeconds === null ? 0 : error.retryAfterSeconds * 1000
        await pause(Math.max(wanted, backoff(tries)), request.signal)
      }
    }
  }

  async #try(request: Request): Promise<Answer> {
    const { fetch, credentials, clientId, timeoutSeconds } = this.#options
    const { method, path, query, body, headers, signal, waits = 0, timeout = timeoutSeconds } = request
    signal?.throwIfAborted()
    const target = `${await this.url()}/v2${path}${queryOf(query)}`
    const limit = AbortSignal.timeout((timeout + waits) * 1000)
    let status: number
    let answered: Headers
    let text: string
    try {
      const response = await fetch(target, {
        method,
        headers: {
          'Client-ID': clientId,
          Accept: 'application/json',
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(await credentials.headers()),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        redirect: 'error',
      })
      status = response.status
      answered = response.headers
      // An answer that is cut off in its midst is none.
      text = await response.text()
    } catch (cause) {
      signal?.throwIfAborted()
      if (cause instanceof ZaqarError) throw cause
      if (limit.aborted) throw new Timeout('timeout', `No answer within ${timeout + waits} s.`, { cause })
      throw new Unreachable('unreachable', 'The service cannot be reached, or did not answer to the end.', { cause })
    }
    if (status >= 400) {
      const requestId = answered.get('x-openstack-request-id')
      throw errorOf(status, text, { requestId, retryAfterSeconds: secondsIn(answered.get('retry-after')) })
    }
    return { status, headers: answered, document: text === '' ? undefined : parse(text, status) }
  }
}

function parse(text: string, status: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ZaqarError('unexpected_answer', 'The answer is no JSON: something else may answer at this address.', {
      status,
      cause,
    })
  }
}

function mayHelp({ code, status }: ZaqarError, { isRepeatable }: Request): boolean {
  if (code === 'unavailable') return true
  return isRepeatable && (code === 'unreachable' || code === 'timeout' || status === 502 || status === 504)
}

function secondsIn(header: string | null): number | null {
  if (header === null) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null
}

function queryOf(query: Request['query'] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : String(value)]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
