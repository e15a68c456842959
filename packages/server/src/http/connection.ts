import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Holding, MemoryBudget } from '../platform/memory-budget.ts'

/** What a request or an answer may take, in bytes, without asking the budget. */
export const FREE_BYTES = 16 * 1024
/** Requests that may wait behind the first of a connection without asking the budget. */
const FREE_WAITING = 4
/** Nothing more is read from a connection that has so many unanswered requests. */
const PAUSED_FROM = 8
/** What Node makes of a request, but for its headers. */
const REQUEST_BYTES = 4096
/** Node reads 64 KiB at one time, and keeps some of a body before anybody asks for it. */
const FIRST_READ_BYTES = 80 * 1024
/** What is long is handed to the system in pieces of so many bytes, so that it can be seen whether it is taken. */
const PIECE_BYTES = 64 * 1024

/** A request and its answer. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly arrived: Arrived
  /** False: there is no memory for the request, so it gets no other answer than that. */
  isAdmitted = true
  readonly #budget: MemoryBudget
  #holdings: Set<Holding> | null = null

  constructor(request: IncomingMessage, response: ServerResponse, budget: MemoryBudget) {
    this.request = request
    this.response = response
    this.arrived = measure(request)
    this.#budget = budget
  }

  /** False when so many bytes are not left in the budget. They are given back with the end of the exchange. */
  hold(bytes: number, giveUp: () => void): boolean {
    const holding = this.#budget.hold(bytes, giveUp)
    if (holding === null) return false
    this.#holdings ??= new Set()
    this.#holdings.add(holding)
    return true
  }

  /**
   * Writes some of the answer, or all of it. What a slow reader does not take is counted in the budget, and a reader
   * who takes nothing loses the connection when others need the room. Resolves when the system has taken it; with false
   * when the connection has ended before.
   */
  async write(content: string | Buffer): Promise<boolean> {
    if (content.length <= FREE_BYTES) return this.#hand(content)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const holding = this.#budget.charge(bytes.length, () => this.request.socket.destroy())
    this.#holdings ??= new Set()
    this.#holdings.add(holding)
    for (let sent = 0; sent < bytes.length; sent += PIECE_BYTES) {
      if (!(await this.#hand(bytes.subarray(sent, sent + PIECE_BYTES)))) return false
      holding.progress(Math.max(0, bytes.length - sent - PIECE_BYTES))
    }
    holding.release()
    this.#holdings?.delete(holding)
    return true
  }

  #hand(piece: string | Buffer): Promise<boolean> {
    return new Promise((resolve) => this.response.write(piece, (error) => resolve(!error)))
  }

  /** Nothing that is held is taken away any more: what was asked for is being done. */
  keep(): void {
    for (const holding of this.#holdings ?? []) holding.keep()
  }

  release(): void {
    for (const holding of this.#holdings ?? []) holding.release()
    this.#holdings = null
  }
}

/** The exchanges of a connection that have not ended, in the order of their requests. */
export class Connection {
  readonly #socket: Socket
  readonly #budget: MemoryBudget
  readonly #open = new Set<Exchange>()
  #isPaused = false
  /** To be said when what was asked for before has been answered. */
  #refusal: 'none' | (() => void) | 'said' = 'none'

  constructor(socket: Socket, budget: MemoryBudget) {
    this.#socket = socket
    this.#budget = budget
    // Node itself lets it go on with every request that has no body.
    socket.on('resume', () => this.#isPaused && socket.pause())
    socket.once('close', () => {
      for (const exchange of this.#open) exchange.release()
      this.#open.clear()
    })
  }

  /** Null when there is no memory for one more that waits; the connection is given up then. */
  begin(request: IncomingMessage, response: ServerResponse): Exchange | null {
    const exchange = new Exchange(request, response, this.#budget)
    const isFirst = this.#open.size === 0
    this.#open.add(exchange)
    response.once('close', () => this.#end(exchange))
    if (this.#open.size >= PAUSED_FROM) {
      this.#isPaused = true
      this.#socket.pause()
    }
    const { bytes } = exchange.arrived
    if (bytes <= FREE_BYTES && this.#open.size <= 1 + FREE_WAITING) return exchange
    if (exchange.hold(bytes, () => this.#socket.destroy())) return exchange
    exchange.isAdmitted = false
    if (isFirst) return exchange
    // Behind others it cannot be said.
    this.#socket.destroy()
    return null
  }

  /** Calls `refuse` when all requests that came whole have been answered; only the first time. */
  refuseBehindAnswers(refuse: () => void): void {
    if (this.#refusal !== 'none') return
    this.#refusal = refuse
    this.#refuseInTurn()
  }

  /** Whether every request has been answered. */
  get isIdle(): boolean {
    return this.#open.size === 0
  }

  /** Whether some of the last request is missing. */
  get isCutOff(): boolean {
    return [...this.#open].some(({ request }) => !request.complete)
  }

  #end(exchange: Exchange): void {
    exchange.release()
    this.#open.delete(exchange)
    if (this.#isPaused && this.#open.size <= FREE_WAITING) {
      this.#isPaused = false
      this.#socket.resume()
    }
    this.#refuseInTurn()
  }

  #refuseInTurn(): void {
    if (typeof this.#refusal === 'string' || [...this.#open].some(({ request }) => request.complete)) return
    this.#refusal()
    this.#refusal = 'said'
  }
}

/** A request before anybody has looked at it. */
export interface Arrived {
  /** What it takes. */
  readonly bytes: number
  /** Headers that name a host. */
  readonly hosts: number
}

export function measure({ headers, rawHeaders, url = '' }: IncomingMessage): Arrived {
  let headBytes = url.length
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    headBytes += name.length + (rawHeaders[i + 1] as string).length
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  const isChunked = headers['transfer-encoding'] !== undefined
  const bodyBytes = isChunked ? 0 : Math.min(Number(headers['content-length'] ?? 0), FIRST_READ_BYTES)
  // The head is there as one text, and in pieces.
  return { bytes: REQUEST_BYTES + 2 * headBytes + bodyBytes, hosts }
}
