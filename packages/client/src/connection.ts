import { Conflict, Timeout, Unreachable, ZaqarError } from './errors.ts'
import { decodeFrame, encodeFrame, errorIn, type Frame, frameHeaders, type MessagePack } from './frames.ts'
import { timeLimit, unlessAborted } from './pause.ts'
import type { Requests } from './requests.ts'

export interface ConnectionOptions {
  readonly WebSocket: typeof globalThis.WebSocket
  readonly url: string
  readonly requests: Requests
  readonly msgpack: MessagePack | undefined
}

/** Who is pushed the messages of one queue or topic. Must not throw. */
export interface Follower {
  /** `size`: of the frame, in characters or bytes. */
  onPush(frame: Frame, size: number): void
  /** The connection has ended: nothing more comes. */
  onEnd(error: ZaqarError): void
}

interface Asked {
  readonly action: string
  onAnswer(frame: Frame): void
  onEnd(error: ZaqarError): void
}

const OPENING_MS = 10_000
const TICK_MS = 5_000
/** After so long without a sign of life the connection asks for one; without an answer it is given up after as long again. */
const SILENCE_MS = 10_000
/** Nothing is asked and nobody follows for so long: the connection is closed. */
const IDLE_MS = 60_000

/** What was closed after so long was of use, whatever the reason. */
const STEADY_MS = 10_000

/** One WebSocket, and who asks over it. It ends once, and is not opened again. */
export class Connection {
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<ZaqarError>
  /** Whether something that was asked was granted. */
  isProven = false
  readonly #ws: WebSocket
  readonly #options: ConnectionOptions
  readonly #tellEnd: (error: ZaqarError) => void
  /** By `request_id`, those asked first first. */
  readonly #asked = new Map<number, Asked>()
  readonly #followers = new Map<string, Follower>()
  readonly #watch: ReturnType<typeof setInterval>
  #headers: object = {}
  #shown: Readonly<Record<string, string>> = {}
  #latest = 0
  readonly #openedAt = Date.now()
  #heardAt = Date.now()
  #pingedAt = 0
  #usedAt = Date.now()
  /** Upstream's service repeats no `request_id`, and hangs up on who pings it. */
  #repeatsIds = false
  #isAuthenticating = false
  #isOver = false

  private constructor(ws: WebSocket, options: ConnectionOptions) {
    const { promise, resolve } = Promise.withResolvers<ZaqarError>()
    this.ended = promise
    this.#tellEnd = resolve
    this.#ws = ws
    this.#options = options
    this.#watch = setInterval(() => this.#tick(), TICK_MS)
    ws.onmessage = ({ data }) => this.#take(data)
    ws.onerror = () => this.end(unreachable('The connection was lost.'))
    ws.onclose = ({ code, reason }) => this.#closed(code, reason)
  }

  /** Opens one, and says who asks. @throws ZaqarError, or the reason of the signal */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(await opened(options, signal), options)
    try {
      await connection.#authenticate(signal)
    } catch (error) {
      connection.end(unreachable('The connection was given up.'))
      throw error
    }
    return connection
  }

  /**
   * Answers the body of the answer. `onAnswer` is told of it before anything that comes behind it. @throws ZaqarError,
   * `Unreachable` where the connection ends before; or the reason of the signal
   */
  async ask(
    action: string,
    body: object | undefined,
    signal: AbortSignal,
    onAnswer: (body: unknown) => void = () => {},
  ): Promise<unknown> {
    return this.#send(action, { headers: this.#headers, body }, signal, onAnswer)
  }

  /** `key`: kind and name. Ends with what it answers. @throws Conflict where somebody follows it already */
  follow(key: string, follower: Follower): () => void {
    if (this.#followers.has(key)) throw new Conflict('conflict', `The client is subscribed to ${key} already.`)
    this.#followers.set(key, follower)
    return () => this.#followers.delete(key)
  }

  end(error: ZaqarError): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#watch)
    dropped(this.#ws)
    for (const { onEnd } of [...this.#asked.values(), ...this.#followers.values()]) onEnd(error)
    this.#tellEnd(error)
  }

  #closed(code: number, reason: string): void {
    // The project has too many connections, or the service too little memory: at once it is no better.
    if ((code === 1008 || code === 1013) && Date.now() - this.#openedAt < STEADY_MS) this.isProven = false
    this.end(unreachable(`The connection was closed: ${code} ${reason}`.trim()))
  }

  async #send(
    action: string,
    { headers, body }: { readonly headers: object; readonly body: object | undefined },
    signal: AbortSignal,
    onAnswer: (body: unknown) => void,
  ): Promise<unknown> {
    signal.throwIfAborted()
    const request_id = ++this.#latest
    const frame = encodeFrame({ action, headers, body, request_id }, this.#options.msgpack)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#asked.set(request_id, {
      action,
      onAnswer: (frame) => {
        const error = errorIn(frame)
        if (error !== null) return reject(error)
        this.isProven = true
        onAnswer(frame.body)
        resolve(frame.body)
      },
      onEnd: reject,
    })
    if (this.#isOver) reject(unreachable('The connection has ended.'))
    else this.#ws.send(frame)
    try {
      return await unlessAborted(promise, signal)
    } finally {
      // Without ids, the answer that still comes would be taken for that of another one.
      if (this.#asked.delete(request_id) && !this.#repeatsIds) this.end(unreachable('An answer has not come in time.'))
      this.#usedAt = Date.now()
    }
  }

  /** Again where the token is another one by now. A token that is not accepted is renewed once. */
  async #authenticate(signal: AbortSignal): Promise<void> {
    const { requests } = this.#options
    const { credentials, clientId } = requests
    for (let isRefused = false; ; isRefused = true) {
      const shown = await unlessAborted(credentials.headers(), signal)
      const { 'X-Auth-Token': token } = shown
      if (token === this.#shown['X-Auth-Token'] && token !== undefined) return
      try {
        this.#headers = frameHeaders(clientId, shown)
        if (token !== undefined) {
          const headers = { ...this.#headers, 'X-Auth-Token': token }
          await this.#send('authenticate', { headers, body: undefined }, signal, () => {})
        }
        this.#shown = shown
        return
      } catch (error) {
        const isToRenew = error instanceof ZaqarError && error.status === 401 && !isRefused
        if (!isToRenew || !credentials.refuse(shown)) throw error
      }
    }
  }

  #take(data: unknown): void {
    let frame: Frame
    try {
      frame = decodeFrame(data, this.#options.requests.parse, this.#options.msgpack)
    } catch (cause) {
      const message = 'What has come over the socket is none of Zaqar: something else may be at this address.'
      this.end(new ZaqarError('unexpected_answer', message, { cause }))
      return
    }
    this.#heardAt = Date.now()
    if (frame.request === undefined) this.#followers.get(keyIn(frame))?.onPush(frame, sizeOf(data))
    else this.#requestOf(frame)?.onAnswer(frame)
  }

  /** Whose answer it is, who waits no longer then. One may come late, or twice: then nobody has asked. */
  #requestOf({ request_id: id, request }: Frame): Asked | undefined {
    if (id !== undefined) this.#repeatsIds = true
    const [oldest] = this.#asked
    const key = id ?? (oldest?.[1].action === request?.action ? oldest?.[0] : undefined)
    const asked = this.#asked.get(key as number)
    this.#asked.delete(key as number)
    return asked
  }

  #tick(): void {
    const now = Date.now()
    const isIdle = this.#asked.size === 0 && this.#followers.size === 0
    const isPinged = this.#pingedAt > this.#heardAt
    if (isIdle && now - this.#usedAt >= IDLE_MS) {
      this.end(unreachable('Nothing was asked for a while.'))
    } else if (isPinged && now - this.#pingedAt >= SILENCE_MS) {
      this.end(unreachable('Nothing comes any more.'))
    } else if (!isPinged && !isIdle && this.#repeatsIds && now - this.#heardAt >= SILENCE_MS) {
      this.#pingedAt = now
      const ping = { action: 'ping_node', headers: {}, body: undefined, request_id: ++this.#latest }
      this.#ws.send(encodeFrame(ping, this.#options.msgpack))
    }
    void this.#stayAuthenticated()
  }

  /** Where it cannot be done in time, the service closes the connection. */
  async #stayAuthenticated(): Promise<void> {
    if (this.#isAuthenticating) return
    this.#isAuthenticating = true
    const limit = timeLimit(OPENING_MS / 1000, undefined)
    try {
      await this.#authenticate(limit.signal)
    } catch {
      // The next tick tries again.
    } finally {
      limit.end()
      this.#isAuthenticating = false
    }
  }
}

/** Which follower a message is for. */
export function keyOf(kind: 'queue' | 'topic', name: string): string {
  return `${kind} ${name}`
}

function keyIn({ topic_name: topic, queue_name: queue = '' }: Frame): string {
  return topic === undefined ? keyOf('queue', queue) : keyOf('topic', topic)
}

function sizeOf(data: unknown): number {
  return typeof data === 'string' ? data.length : (data as ArrayBuffer).byteLength
}

function unreachable(message: string): Unreachable {
  return new Unreachable('unreachable', message)
}

/** @throws ZaqarError, or the reason of the signal */
async function opened({ WebSocket, url }: ConnectionOptions, signal: AbortSignal): Promise<WebSocket> {
  let ws: WebSocket
  try {
    ws = new WebSocket(url)
  } catch (cause) {
    throw new ZaqarError('bad_request', `There can be no WebSocket at ${url}.`, { cause })
  }
  ws.binaryType = 'arraybuffer'
  const limit = timeLimit(OPENING_MS / 1000, signal)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  ws.onopen = () => resolve()
  ws.onerror = ws.onclose = () => reject(unreachable(`The WebSocket at ${url} cannot be opened.`))
  try {
    await unlessAborted(promise, limit.signal)
    return ws
  } catch (error) {
    dropped(ws)
    signal.throwIfAborted()
    throw limit.signal.aborted ? new Timeout('timeout', `The WebSocket at ${url} was not opened within 10 s.`) : error
  } finally {
    limit.end()
  }
}

/** Whatever it still has to say comes too late. */
function dropped(ws: WebSocket): void {
  ws.onopen = ws.onmessage = ws.onclose = null
  // What fails now is nobody's affair, but `ws` of Node would throw what nobody hears of.
  ws.onerror = () => {}
  ws.close()
}
