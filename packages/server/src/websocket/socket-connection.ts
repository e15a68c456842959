import type { Socket } from 'node:net'
import { type RawData, WebSocket } from 'ws'
import type { Shown } from '../core/identity.ts'
import type { SocketTally } from '../core/socket-tally.ts'
import type { Instant } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import type { MemoryBudget } from '../platform/memory-budget.ts'
import type { Encoding } from '../wire/websocket/encodings.ts'
import { messageFrame, PING_FRAME, pongFrame } from './frame-bytes.ts'
import { Output } from './output.ts'
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
 * What is pushed must be taken in this time, which is looked at each second: what is removed from a queue is not kept
 * for long, and must still be there when the next page is read.
 */
const PUSH_PATIENCE_MS = 3_000
/** A ping is not answered before so much of what went out is taken, in bytes. */
const MOST_BEFORE_PONG = 64 * 1024
/** Nothing more is read while so many requests wait for their turn, or so many bytes. */
const PAUSED_FROM = 8
const PAUSED_FROM_BYTES = 64 * 1024
/** It is read again when no more wait. */
const RESUMED_AT = 4
/** What a piece of a message or a request takes beside its bytes. */
const PIECE_BYTES = 256
const REQUEST_BYTES = 1024

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
  /** A message that has come in part. */
  readonly #partial: Share
  #partialBytes = 0
  #pieces = 0
  /** Of the piece that is looked at: bytes of what it has completed, and whether there was a message among it. */
  #consumed = 0
  #hasCompleted = false
  /** Messages that have no answer yet. */
  readonly #unanswered: Share
  #unansweredBytes = 0
  #isPaused = false
  /** To be sent when there is room. */
  #pong: Buffer | null = null
  #pushedAt: Instant | null = null
  readonly #since: Instant
  #lastRequestAt: Instant
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

  constructor(ws: ServerSocket, socket: Socket, id: string, house: ConnectionHouse, atUpgrade: Shown | null) {
    this.id = id
    this.#ws = ws
    this.#socket = socket
    this.#house = house
    this.#output = new Output(socket, house.clock, house.budget)
    this.#partial = new Share(house.budget, () => socket.destroy())
    this.#unanswered = new Share(house.budget, null)
    const now = house.clock.now()
    this.#since = now
    this.#lastRequestAt = now
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
    this.session = new Session(this, house, atUpgrade)
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
    if (!this.#isPaused || this.session.waiting > RESUMED_AT) return
    this.#isPaused = false
    this.#ws.resume()
  }

  close(code: number, reason: string): void {
    this.#closeCode ??= code
    this.#ws.close(code, reason)
  }

  /** Called each second. */
  tick(now: Instant): void {
    const { expiresAt } = this.session
    if (expiresAt !== null && now >= expiresAt) this.session.expire()
    else if (this.#pushedAt !== null && now - this.#pushedAt >= PUSH_PATIENCE_MS) {
      this.#house.tally.dropped += 1
      this.close(1013, 'Messages are not taken fast enough.')
    } else if (this.#isIdleAt(now)) this.close(1008, 'Nothing was asked for so long.')
    else if (now >= this.#pingAt) this.#ping(now)
  }

  onMessage(data: Buffer, encoding: Encoding): void {
    this.#requests += 1
    this.#house.tally.requests += 1
    this.#lastRequestAt = this.#house.clock.now()
    this.#hasCompleted = true
    this.#consumed += data.length + headBytes(data.length)
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
    this.#consumed += payload.length + headBytes(payload.length)
  }

  /** After all that the piece completed has been handed over. What is left of it belongs to a message to come. */
  onPiece(bytes: number): void {
    const left = Math.max(0, this.#partialBytes + bytes - this.#consumed)
    // The heads of fragments were not counted as consumed.
    this.#partialBytes = this.#hasCompleted ? Math.min(left, bytes) : left
    this.#pieces = this.#partialBytes === 0 ? 0 : this.#hasCompleted ? 1 : this.#pieces + 1
    this.#consumed = 0
    this.#hasCompleted = false
    if (!this.#partial.hold(this.#partialBytes + this.#pieces * PIECE_BYTES)) this.#refuse()
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
    if (now - this.#lastRequestAt < idleTimeoutSeconds * 1000) return false
    return this.session.underWay === 0 && pushes.of(this.session) === 0
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

/** Of a frame that a client sends, with its mask. (RFC 6455, 5.2) */
function headBytes(payloadBytes: number): number {
  if (payloadBytes <= 125) return 6
  return payloadBytes <= 0xffff ? 8 : 14
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
