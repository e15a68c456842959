import type { Metadata } from './documents.ts'
import { ZaqarError } from './errors.ts'
import { compileFilter, type Filter } from './filter.ts'

export type { ReceivedMessage } from './follow.ts'

import { BEGINNING, type ReceivedMessage, type Step } from './follow.ts'
import { followEvents } from './follow-events.ts'
import { followListing } from './follow-poll.ts'
import { followPushes } from './follow-pushes.ts'
import { backoff, rest } from './pause.ts'
import type { Socket } from './socket.ts'
import type { Topic } from './topic.ts'

/** A way to be told of messages. */
export type Transport = 'socket' | 'events' | 'poll'

export interface SubscribeOptions {
  /** A marker: it begins behind it. `'start'`: at the oldest message. Where it is not given: with what is posted from now on. */
  readonly from?: string
  /** Only messages whose body fits, as the `_filter` of a subscription says it. */
  readonly filter?: Metadata
  /** Ways to try, in this order; all three where it is not given. */
  readonly transports?: readonly Transport[]
  /** Ends it as `stop` does. */
  readonly signal?: AbortSignal
  /** Told of what went wrong, a handler's error included; written to the console where it is not given. */
  readonly onError?: (error: unknown, message: ReceivedMessage | null) => void
  /** Told how it is told from now on: null while it is not connected. What is posted meanwhile comes afterwards. */
  readonly onTransport?: (transport: Transport | null) => void
}

export type ReceivedHandler<Body> = (message: ReceivedMessage<Body>) => unknown

/** A transport, and how it has done. */
interface Way {
  readonly transport: Transport
  /** It has worked once. */
  isKnown: boolean
  /** Tries in a row that failed. */
  failures: number
  /** How often it was given up since it last worked. */
  closings: number
  /** It is not tried before, in milliseconds since 1970. */
  closedUntil: number
  /** What the program was told of it since it last worked. */
  told: unknown
}

const UNTRIED = { isKnown: false, failures: 0, closings: 0, closedUntil: 0, told: null }
/** One that has worked is given so many tries before another one is. */
const TRIES = 3
/** When one that was given up is tried again, while another one works: later each time. */
const CLOSED = { first: 20_000, longest: 300_000 }
/** What has worked for so long is no failure when it ends. */
const STEADY_MS = 10_000

/** Is told of each message of a queue or topic, in order, one at a time; goes on by itself after a break. */
export class Subscriber<Body = unknown> {
  /** Resolves when it has ended, after `stop`; rejects with the error that ended it. */
  readonly ended: Promise<void>
  readonly #topic: Topic
  readonly #socket: Socket
  readonly #handler: ReceivedHandler<Body>
  readonly #options: SubscribeOptions
  readonly #ways: readonly Way[]
  readonly #stopping = new AbortController()
  #transport: Transport | null = null
  #marker: string | undefined
  /** In a row, with no message between them. */
  #breaks = 0

  constructor(topic: Topic, socket: Socket, handler: ReceivedHandler<Body>, options: SubscribeOptions) {
    const { from, transports = ['socket', 'events', 'poll'] } = options
    this.#topic = topic
    this.#socket = socket
    this.#handler = handler
    this.#options = options
    this.#marker = from === 'start' ? BEGINNING : from
    this.#ways = transports.map((transport) => ({ transport, ...UNTRIED }))
    this.ended = this.#run()
    // Whoever does not wait for it hears of it all the same.
    this.ended.catch((error) => this.#tell(error, null))
  }

  /** How it is told at the moment; null while it is not connected. */
  get transport(): Transport | null {
    return this.#transport
  }

  /** Behind the last message that was handled, or where it began; undefined before that is known. */
  get marker(): string | undefined {
    return this.#marker
  }

  /** Waits for the handler that runs; nothing is called any more then. Must not be awaited by the handler. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.ended.catch(() => {})
  }

  async #run(): Promise<void> {
    const { filter, signal } = this.#options
    const fits = filter === undefined ? () => true : compileFilter(filter)
    const end = AbortSignal.any([
      this.#stopping.signal,
      this.#socket.closing,
      ...(signal === undefined ? [] : [signal]),
    ])
    let error: unknown
    while (!end.aborted) {
      const way = this.#ways.find(({ closedUntil }) => closedUntil <= Date.now())
      if (way !== undefined) {
        error = await this.#follow(way, fits, end)
        continue
      }
      if (error instanceof ZaqarError && error.isFinal) throw error
      await restIn(backoff(this.#breaks++), end)
      for (const one of this.#ways) one.closedUntil = 0
    }
  }

  /** Follows until it breaks, a better way may work, or all ends. Answers the error; null: there was none. */
  async #follow(way: Way, fits: Filter, end: AbortSignal): Promise<unknown> {
    const session = new AbortController()
    const signal = AbortSignal.any([end, session.signal])
    const start = Date.now()
    let works = false
    try {
      void this.#endForBetter(way, session)
      for await (const step of this.#steps(way.transport, signal)) {
        if (signal.aborted) break
        if (!works) this.#works(way)
        works = true
        // The service has filtered what it has pushed.
        if (step.id !== null && (way.transport === 'socket' || fits(step.body))) await this.#handle(step)
        this.#marker = step.marker
        if (signal.aborted) break
      }
      return null
    } catch (error) {
      if (signal.aborted) return null
      this.#tellOf(way, error)
      if (works && Date.now() - start >= STEADY_MS) this.#breaks = 0
      if (works) await restIn(backoff(this.#breaks++), end)
      else if (mayPass(error) && way.isKnown && ++way.failures < TRIES) await restIn(backoff(way.failures), end)
      else this.#close(way)
      return error
    } finally {
      this.#connected(null)
      session.abort()
    }
  }

  #steps(transport: Transport, signal: AbortSignal): AsyncGenerator<Step, void> {
    const terms = { topic: this.#topic, marker: this.#marker, signal }
    if (transport === 'socket') return followPushes({ ...terms, socket: this.#socket, filter: this.#options.filter })
    return transport === 'events' ? followEvents(terms) : followListing(terms)
  }

  #works(way: Way): void {
    Object.assign(way, UNTRIED, { isKnown: true })
    this.#connected(way.transport)
  }

  #connected(transport: Transport | null): void {
    if (transport === this.#transport) return
    this.#transport = transport
    try {
      this.#options.onTransport?.(transport)
    } catch (thrown) {
      this.#tell(thrown, null)
    }
  }

  /** It cannot work now: another one is tried. */
  #close(way: Way): void {
    way.closedUntil = Date.now() + backoff(way.closings, CLOSED)
    way.closings += 1
    way.failures = 0
  }

  async #endForBetter(way: Way, session: AbortController): Promise<void> {
    const better = this.#ways.slice(0, this.#ways.indexOf(way))
    while (better.length > 0) {
      const next = better.reduce((a, b) => (a.closedUntil <= b.closedUntil ? a : b))
      await restIn(next.closedUntil - Date.now(), session.signal)
      if (session.signal.aborted) return
      try {
        // While the socket is tried, the other way goes on.
        if (next.transport === 'socket') await this.#socket.connect()
        next.closedUntil = 0
        return session.abort()
      } catch {
        this.#close(next)
      }
    }
  }

  async #handle(message: ReceivedMessage): Promise<void> {
    this.#breaks = 0
    try {
      await this.#handler(message as ReceivedMessage<Body>)
    } catch (error) {
      this.#tell(error, message)
    }
  }

  /** The same trouble is told once. */
  #tellOf(way: Way, error: unknown): void {
    const text = String(error)
    if (way.told === text) return
    way.told = text
    this.#tell(error, null)
  }

  #tell(error: unknown, message: ReceivedMessage | null): void {
    const { onError = (error) => console.error(error) } = this.#options
    try {
      onError(error, message)
    } catch (thrown) {
      console.error(thrown)
    }
  }
}

/** Whether the same way may work soon. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof ZaqarError)) return true
  return ['unreachable', 'timeout', 'unavailable'].includes(error.code) || error.status >= 500
}

/** Ends early with the signal. */
async function restIn(milliseconds: number, signal: AbortSignal): Promise<void> {
  await rest(milliseconds, signal).catch(() => {})
}
