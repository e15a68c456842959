import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes and fail where one is not as they say.
type Document = any

export interface Closing {
  readonly code: number
  readonly reason: string
}

/** A client of WebSockets that speaks JSON, as a page would. */
export class SocketClient {
  readonly ws: WebSocket
  readonly closed: Promise<Closing>
  /** Documents that nobody has asked for yet, the first first. */
  readonly unread: Document[] = []
  #changed = Promise.withResolvers<void>()
  #isClosed = false
  readonly #headers: object

  private constructor(ws: WebSocket, headers: object) {
    this.ws = ws
    this.#headers = headers
    ws.on('message', (data) => {
      this.unread.push(JSON.parse(String(data)))
      this.#wake()
    })
    // How it ends is told by `closed`.
    ws.on('error', () => {})
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => {
        this.#isClosed = true
        this.#wake()
        resolve({ code, reason: String(reason) })
      })
    })
  }

  /** `at`: a port of this machine, or a whole address. `headers`: of each frame. */
  static async open(
    at: number | string,
    { headers = CALLER, path = '/', ...options }: ClientOptions & { headers?: object; path?: string } = {},
  ): Promise<SocketClient> {
    const url = typeof at === 'string' ? at : `ws://127.0.0.1:${at}`
    const ws = new WebSocket(`${url}${path}`, options)
    const client = new SocketClient(ws, headers)
    await once(ws, 'open')
    return client
  }

  send(action: string, body: object = {}, headers: object = {}): void {
    this.ws.send(JSON.stringify({ action, headers: { ...this.#headers, ...headers }, body }))
  }

  /** What is answered, where nothing else comes before. */
  async ask(action: string, body: object = {}, headers: object = {}): Promise<Document> {
    this.send(action, body, headers)
    const answer = await this.next()
    assert.equal(answer.request?.action, action, JSON.stringify(answer))
    return { status: answer.headers.status, body: answer.body }
  }

  /** The next document that comes; fails when the connection ends before. */
  async next(): Promise<Document> {
    while (this.unread.length === 0) {
      if (this.#isClosed) throw new Error('the connection has ended')
      await this.#changed.promise
    }
    return this.unread.shift()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

export const CALLER = { 'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c', 'X-Project-ID': 'p' }
