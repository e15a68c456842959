import type { Socket } from 'node:net'
import { type RawData, WebSocket } from 'ws'
import type { SocketTally } from '../core/socket-tally.ts'
import type { Instant } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import type { MemoryBudget } from '../platform/memory-budget.ts'
import type { Encoding } from '../wire/websocket/encodings.ts'
import { messageFrame, PING_FRAME, pongFrame } from './frame-bytes.ts'
import { Output } from './output.ts'
import { PartialMessage } from './partial-message.ts'
import { type Peer, Session, type SessionHouse } from './session.ts'
import { Share } from './share.ts'

export interface ConnectionHouse extends SessionHouse {
  readonly clock: Clock
  readonly budget: MemoryBudget
  readonly tally: SocketTally
  readonly pingIntervalSeconds: number
  readonly idleTimeoutSeconds: number
  /** Told of each connection that has ended. */
  ended(about: EndedConnection): void
}

/** For the log. */
export interface EndedConnection {
  readonly clientAddress: string | null
  readonly seconds: number
  readonly requests: number
  readonly subscriptions: number
  readonly pushed: number
  readonly code: number
}

/** More pushes wait until what was pushed is taken, in bytes. */
const MOST_PUSHED = 64 * 1024
/**
 * Of what is pushed some must be taken in this time, which is looked at each second: a slow way is no reason to close,
 * as long as what is removed from a queue is kept until the next page is read.
 */
const PUSH_PATIENCE_MS = 3_000
/** A ping is not answered before so much of what went out is taken, in bytes. */
const MOST_BEFORE_PONG = 64 * 1024
/** Nothing more is read while so many requests wait for their turn, or so many bytes. */
const PAUSED_FROM = 8
const PAUSED_FROM_BYTES = 64 * 1024
/** It is read again when no more wait. */
const RESUMED_AT = 4
/** What a request takes beside its bytes. */
const REQUEST_BYTES = 1024
/** Who takes nothing for so long is gone, whatever it sends. */
const STUCK_MS = 60_000
/** For who has not said who it is to ask for something that it may have. */
const UNKNOWN_MS = 60_000

/** A WebSocket of `ws` that knows what is done with it, so that all of them have their listeners in common. */
export class ServerSocket extends WebSocket {
  connection: SocketConnection | null = null

  /** Also called by `ws` itself, which writes to the socket behind our back then. */
  override close(code?: number, reason?: string | Buffer): void {
    this.connection?.onClosing()
    super.close(code, reason)
  }
}

/** One connection, from its upgrade to its end. */
export class SocketConnection implements Peer {
  readonly id: string
  readonly session: Session
  readonly #ws: ServerSocket
  readonly #socket: Socket
  readonly #house: ConnectionHouse
  readonly #output: Output
  readonly #partial: PartialMessage
  /** Messages that have no answer yet. */
  readonly #unanswered: Share
  #unansweredBytes = 0
  #isPaused = false
  /** To be sent when there is room. */
  #pong: Buffer | null = null
  #pushedAt: Instant | null = null
  readonly #since: Instant
  #lastAcceptedAt: Instant
  #pingAt: Instant
  /** What had been read when it was pinged; null: no answer is outstanding. */
  #readBefore: number | null = null
  /** Whether its answer was missing when it was looked at last. */
  #isOverdue = false
  /** As we have said it; null: nothing was said. */
  #closeCode: number | null = null
  readonly #address: string | null
  #requests = 0
  #isOver = false
  #pushed = 0

  constructor(ws: ServerSocket, socket: Socket, id: string, house: ConnectionHouse) {
    this.id = id
    this.#ws = ws
    this.#socket = socket
    this.#house = house
    this.#output = new Output(socket, house.clock, house.budget)
    this.#partial = new PartialMessage(house.budget, () => socket.destroy())
    this.#unanswered = new Share(house.budget, null)
    const now = house.clock.now()
    this.#since = now
    this.#lastAcceptedAt = now
    this.#pingAt = now + house.pingIntervalSeconds * 1000
    this.#address = socket.remoteAddress ?? null
    ws.connection = this
    connections.set(socket, this)
    ws.on('message', onMessage)
    ws.on('ping', onPing)
    ws.on('pong', onPong)
    ws.on('error', onError)
    ws.on('close', onClose)
    // Behind the listener of `ws`, so that whole messages have been handed over.
    socket.on('data', onData)
    this.session = new Session(this, house)
  }

  get address(): string | null {
    return this.#address
  }

  get untaken(): number {
    return this.#output.untaken
  }

  send(payload: Buffer, encoding: Encoding): void {
    this.#output.write(messageFrame(payload, encoding))
  }

  push(blocks: readonly Buffer[], messages: number): void | Promise<void> {
    for (const block of blocks) this.#output.write(block)
    this.#pushed += messages
    if (this.#output.untaken <= MOST_PUSHED) return
    this.#pushedAt ??= this.#house.clock.now()
    return this.#output.taken().then(() => {
      this.#pushedAt = null
    })
  }

  taken(): Promise<void> {
    return this.#output.taken()
  }

  answered(bytes: number): void {
    this.#unansweredBytes -= memoryOf(bytes)
    if (!this.#isOver) this.#unanswered.charge(this.#unansweredBytes)
  }

  turned(): void {
    if (!this.#isPaused || this.session.waiting > RESUMED_AT || !this.session.isOpen) return
    this.#isPaused = false
    this.#ws.resume()
  }

  accepted(): void {
    this.#lastAcceptedAt = this.#house.clock.now()
  }

  /** Nothing more is read, and the connection is closed when what is under way is answered. */
  end(): void {
    if (!this.session.isOpen) return
    this.#isPaused = true
    this.#ws.pause()
    this.session.end()
  }

  close(code: number, reason: string): void {
    this.#closeCode ??= code
    this.#ws.close(code, reason)
    // The other side has a word to say to this.
    this.#ws.resume()
  }

  /** Called each second. */
  tick(now: Instant): void {
    const { expiresAt } = this.session
    if (expiresAt !== null && now >= expiresAt) this.session.expire()
    else if (this.#pushedAt !== null && now - Math.max(this.#pushedAt, this.#output.movedAt) >= PUSH_PATIENCE_MS) {
      this.#house.tally.dropped += 1
      this.close(1013, 'Messages are not taken fast enough.')
    } else if (this.#output.untaken > 0 && now - this.#output.movedAt >= STUCK_MS) {
      this.close(1013, 'What is sent is not taken.')
    } else if (this.#isIdleAt(now)) this.close(1008, 'Nothing was asked for so long.')
    else if (now >= this.#pingAt) this.#ping(now)
  }

  onMessage(data: Buffer, encoding: Encoding): void {
    this.#partial.completed(data.length)
    if (!this.session.isOpen) return
    this.#requests += 1
    this.#house.tally.requests += 1
    this.#unansweredBytes += memoryOf(data.length)
    if (!this.#unanswered.hold(this.#unansweredBytes)) {
      this.#refuse()
      return
    }
    this.session.receive(data, encoding)
    if (
      this.session.waiting >= PAUSED_FROM ||
      (this.session.waiting > 0 && this.#unansweredBytes >= PAUSED_FROM_BYTES)
    ) {
      this.#isPaused = true
      this.#ws.pause()
    }
  }

  onPing(payload: Buffer): void {
    this.onControl(payload)
    const isFirst = this.#pong === null
    this.#pong = pongFrame(payload)
    if (this.#output.untaken <= MOST_BEFORE_PONG) this.#sendPong()
    // Of many pings only the last need be answered. (RFC 6455, 5.5.3)
    else if (isFirst) void this.#output.taken().then(() => this.#sendPong())
  }

  onControl(payload: Buffer): void {
    this.#partial.passed(payload.length)
  }

  /** After all that the piece completed has been handed over. What is left of it belongs to a message to come. */
  onPiece(bytes: number): void {
    if (!this.#partial.read(bytes)) this.#refuse()
  }

  /** No answer and no message can be sent any more. */
  onClosing(): void {
    this.#output.finishFrame()
    this.session.over()
  }

  onClose(code: number): void {
    this.#isOver = true
    this.onClosing()
    this.#partial.release()
    this.#unanswered.release()
    this.#house.ended({
      clientAddress: this.#address,
      seconds: (this.#house.clock.now() - this.#since) / 1000,
      requests: this.#requests,
      subscriptions: this.session.subscriptions,
      pushed: this.#pushed,
      code: this.#closeCode ?? code,
    })
  }

  #sendPong(): void {
    if (this.#pong !== null) this.#output.write(this.#pong)
    this.#pong = null
  }

  /** There is no memory for what it sends. */
  #refuse(): void {
    this.close(1013, 'The service is busy.')
  }

  #isIdleAt(now: Instant): boolean {
    const { idleTimeoutSeconds, pushes } = this.#house
    const { isKnown, underWay, apart } = this.session
    const patience = isKnown ? idleTimeoutSeconds * 1000 : Math.min(idleTimeoutSeconds * 1000, UNKNOWN_MS)
    if (now - this.#lastAcceptedAt < patience) return false
    // Of somebody unknown there may always be something under way that is refused.
    return (isKnown ? underWay : apart) === 0 && pushes.of(this.session) === 0
  }

  /** Who has said nothing since the ping before is gone. */
  #ping(now: Instant): void {
    const { bytesRead } = this.#socket
    if (this.#readBefore === bytesRead && !this.#isWaitedFor(now)) {
      // Was this process held up, what has come is read before it is looked at again.
      if (this.#isOverdue) this.#socket.destroy()
      this.#isOverdue = true
      return
    }
    this.#isOverdue = false
    this.#readBefore = bytesRead
    this.#output.write(PING_FRAME)
    this.#pingAt = now + this.#house.pingIntervalSeconds * 1000
  }

  /** Whether nothing is read from it at present, because of us: it may take what it is sent, or has nothing to take. */
  #isWaitedFor(now: Instant): boolean {
    if (!this.#isPaused) return false
    return this.#output.untaken === 0 || now - this.#output.movedAt < this.#house.pingIntervalSeconds * 1000
  }
}

/** Of a request: it is there as it came, and read. */
function memoryOf(bytes: number): number {
  return 2 * bytes + REQUEST_BYTES
}

const connections = new WeakMap<Socket, SocketConnection>()

function onData(this: Socket, piece: Buffer): void {
  connections.get(this)?.onPiece(piece.length)
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  connectionOf(this)?.onMessage(data as Buffer, isBinary ? 'msgpack' : 'json')
}

function onPing(this: WebSocket, payload: Buffer): void {
  connectionOf(this)?.onPing(payload)
}

function onPong(this: WebSocket, payload: Buffer): void {
  connectionOf(this)?.onControl(payload)
}

function onClose(this: WebSocket, code: number): void {
  connectionOf(this)?.onClose(code)
}

function connectionOf(ws: WebSocket): SocketConnection | null {
  return (ws as ServerSocket).connection
}

/** `ws` closes the connection itself, with the code that fits. */
function onError(): void {}
