/** What a test sends and gets, whatever carries it: a function call or a socket. */
export interface TestRequest {
  readonly method: string
  /** Path and query, as on the wire. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
}

export interface TestAnswer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export type Send = (request: TestRequest) => Promise<TestAnswer>

/** Fields of a request that are seldom needed. A header that is undefined is not sent. */
export interface Extra {
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export const CLIENT_ID = '3381af92-2b9e-11e3-b191-71861300734c'
export const OTHER_CLIENT_ID = '30387f00-39a0-11e2-b8e6-001f29e8e8b1'
export const PROJECT = 'p1'

/** A client of the v2 API with the headers that every request needs. Bodies that are no text are sent as JSON. */
export class TestClient {
  readonly #send: Send
  readonly #headers: Readonly<Record<string, string | undefined>>

  constructor(send: Send, headers: Extra['headers'] = {}) {
    this.#send = send
    this.#headers = { 'Client-ID': CLIENT_ID, 'X-Project-Id': PROJECT, ...headers }
  }

  /** The same client with other headers. */
  with(headers: Extra['headers']): TestClient {
    return new TestClient(this.#send, { ...this.#headers, ...headers })
  }

  send(method: string, target: string, body?: unknown, { headers = {} }: Extra = {}): Promise<TestAnswer> {
    const all = Object.entries({ ...this.#headers, ...headers }).filter(
      (one): one is [string, string] => one[1] !== undefined,
    )
    return this.#send({ method, target, headers: Object.fromEntries(all), body: toBody(body) })
  }

  get(target: string, extra?: Extra): Promise<TestAnswer> {
    return this.send('GET', target, undefined, extra)
  }

  put(target: string, body?: unknown, extra?: Extra): Promise<TestAnswer> {
    return this.send('PUT', target, body, extra)
  }

  post(target: string, body?: unknown, extra?: Extra): Promise<TestAnswer> {
    return this.send('POST', target, body, extra)
  }

  /** A PATCH of queue metadata has a type of its own, which is sent for arrays. */
  patch(target: string, body?: unknown, extra: Extra = {}): Promise<TestAnswer> {
    const type = Array.isArray(body) ? { 'Content-Type': JSON_PATCH } : {}
    return this.send('PATCH', target, body, { headers: { ...type, ...extra.headers } })
  }

  delete(target: string, extra?: Extra): Promise<TestAnswer> {
    return this.send('DELETE', target, undefined, extra)
  }
}

export const JSON_PATCH = 'application/openstack-messaging-v2.0-json-patch'

function toBody(body: unknown): string | Uint8Array | undefined {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
}
