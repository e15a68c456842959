import { Connection } from './connection.ts'
import { Timeout, Unavailable, Unreachable, ZaqarError } from './errors.ts'
import type { MessagePack } from './frames.ts'
import { backoff, rest, timeLimit, unlessAborted } from './pause.ts'
import type { CallOptions, Requests } from './requests.ts'

export interface SocketOptions {
  /** The global one where it is not given. */
  readonly WebSocket?: typeof globalThis.WebSocket | undefined
  /** Where the WebSocket is, `wss://cloud.example:9000`, if not at the address of the service. */
  readonly socketUrl?: string | undefined
  /** Reads and writes MessagePack: frames are binary then. Without it they are JSON. */
  readonly msgpack?: MessagePack | undefined
  /** Requests that wait for a connection, at the most; 1,000 where it is not given. */
  readonly maxWaiting?: number | undefined
}

/** The one connection of a client. It is opened when it is first needed, and opened again when it breaks. */
export class Socket {
  readonly #requests: Requests
  readonly #options: SocketOptions
  readonly #closing = new AbortController()
  #connection: Connection | null = null
  /** The latest try to open one. */
  #attempt: Promise<Connection> | null = null
  /** In a row. */
  #failures = 0
  #waiting = 0

  constructor(requests: Requests, options: SocketOptions) {
    this.#requests = requests
    this.#options = options
  }

  /** Aborts when it is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /**
   * Asks for an action of the socket (`docs/websocket.md` of the service). Answers the body of the answer. One whose
   * connection breaks is asked again over the next, where that is safe, as often as over HTTP. The time limit is for all of
   * it, and longer by a `wait` in the body. @throws ZaqarError, or the reason of the signal
   */
  async request(action: string, body: Record<string, unknown>, options: CallOptions = {}): Promise<unknown> {
    const { signal, timeout = this.#requests.timeoutSeconds } = options
    const { wait = 0 } = body as { wait?: number }
    const limit = timeLimit(timeout + wait, signal)
    try {
      for (let tries = 0; ; tries++) {
        const connection = this.#connection ?? (await this.#nextConnection(limit.signal))
        try {
          return await connection.ask(action, body, limit.signal)
        } catch (error) {
          const mayHelp = error instanceof Unreachable && isRepeatable(action, body)
          if (!mayHelp || tries >= this.#requests.retries) throw error
        }
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!limit.signal.aborted) throw error
      throw new Timeout('timeout', `No answer within ${timeout + wait} s.`, { cause: error })
    } finally {
      limit.end()
    }
  }

  /**
   * The connection; where there is none, the outcome of the try to open one that is next, or under way. @throws
   * ZaqarError, or what a function that gives tokens throws
   */
  connect(): Promise<Connection> {
    this.#attempt ??= this.#open().catch((error) => {
      this.#attempt = null
      this.#failures += 1
      throw error
    })
    return this.#attempt
  }

  close(): void {
    this.#closing.abort(new Unreachable('unreachable', 'The client was closed.'))
    this.#connection?.end(this.#closing.signal.reason)
  }

  async #nextConnection(signal: AbortSignal): Promise<Connection> {
    const { maxWaiting = 1_000 } = this.#options
    if (this.#waiting >= maxWaiting) {
      throw new Unavailable('unavailable', `There is no connection, and ${maxWaiting} requests wait for one already.`)
    }
    this.#waiting += 1
    try {
      for (;;) {
        try {
          return await unlessAborted(this.connect(), signal)
        } catch (error) {
          if (signal.aborted || this.closing.aborted || !mayPass(error)) throw error
        }
      }
    } finally {
      this.#waiting -= 1
    }
  }

  async #open(): Promise<Connection> {
    const signal = this.closing
    const { WebSocket = globalThis.WebSocket, socketUrl, msgpack } = this.#options
    signal.throwIfAborted()
    if (WebSocket === undefined) throw new ZaqarError('bad_request', 'There is no `WebSocket` here: hand one in.')
    if (this.#failures > 0) await rest(backoff(this.#failures - 1), signal)
    const url = socketUrl ?? (await unlessAborted(this.#requests.socketUrl(), signal))
    const connection = await Connection.open({ WebSocket, url, requests: this.#requests, msgpack }, signal)
    this.#connection = connection
    void connection.ended.then(() => this.#ended(connection))
    return connection
  }

  /** All come back after a moment that chance has a part in, lest it be the same one. */
  #ended({ isProven }: Connection): void {
    this.#connection = null
    this.#attempt = null
    this.#failures = isProven ? 1 : this.#failures + 1
  }
}

/** What can be asked twice, by action. */
const REPEATABLE =
  /^(?:queue|topic|pool|flavor)_create$|^(?:ping_node|get_home_doc|check_node_health|claim_update|subscription_update|pool_drain|pool_rebalance)$|_(?:list|get|get_many|get_stats|delete|delete_many|purge|confirm|cancel|failures|deliveries)$/

function isRepeatable(action: string, body: Record<string, unknown>): boolean {
  return body['idempotency_key'] !== undefined || (REPEATABLE.test(action) && body['pop'] === undefined)
}

/** Whether another try to connect may bring something else. */
function mayPass(error: unknown): boolean {
  return error instanceof ZaqarError && !['bad_request', 'unauthenticated', 'forbidden'].includes(error.code)
}
