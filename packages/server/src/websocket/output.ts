import type { Socket } from 'node:net'
import type { Instant } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import type { MemoryBudget } from '../platform/memory-budget.ts'
import { Share } from './share.ts'

/** So much is handed to the system at one time, in bytes, so that it can be seen whether it is taken. */
const HANDED_BYTES = 64 * 1024

/**
 * What goes out over a connection, whole frames in their order. It keeps what the system does not take; a reader who
 * takes nothing loses the connection when others need the room.
 */
export class Output {
  #waiting: Buffer[] = []
  /** Whether the first of those that wait is the rest of a frame that has begun. */
  #isInFrame = false
  /** Bytes that the system has not taken, the piece that it was handed last among them. */
  #bytes = 0
  #handed = 0
  #taken: PromiseWithResolvers<void> | null = null
  #movedAt = 0
  #isOver = false
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #share: Share

  constructor(socket: Socket, clock: Clock, budget: MemoryBudget) {
    this.#socket = socket
    this.#clock = clock
    this.#share = new Share(budget, () => socket.destroy())
  }

  /** In bytes. */
  get untaken(): number {
    return this.#bytes
  }

  /** When the system has last taken some of it, or all had been taken. */
  get movedAt(): Instant {
    return this.#movedAt
  }

  write(frame: Buffer): void {
    if (this.#isOver) return
    if (this.#bytes === 0) this.#movedAt = this.#clock.now()
    this.#waiting.push(frame)
    this.#bytes += frame.length
    this.#share.charge(this.#bytes)
    if (this.#handed === 0) this.#hand()
  }

  /** Resolves when everything is taken, or the connection has ended. */
  taken(): Promise<void> {
    if (this.#bytes === 0) return Promise.resolve()
    this.#taken ??= Promise.withResolvers()
    return this.#taken.promise
  }

  /** Nothing more goes out but the rest of a frame that has begun, so that another hand may write behind it. */
  finishFrame(): void {
    if (this.#isOver) return
    const [rest] = this.#waiting
    if (this.#isInFrame && rest !== undefined) this.#socket.write(rest)
    this.end()
  }

  /** The connection has ended. */
  end(): void {
    this.#isOver = true
    this.#waiting = []
    this.#bytes = 0
    this.#share.release()
    this.#resolve()
  }

  #hand(): void {
    const piece = this.#nextPiece()
    this.#handed = piece.length
    this.#socket.write(piece, this.#onTaken)
  }

  readonly #onTaken = (error?: Error | null) => {
    if (error || this.#isOver) return
    this.#bytes -= this.#handed
    this.#handed = 0
    this.#movedAt = this.#clock.now()
    this.#share.charge(this.#bytes)
    if (this.#waiting.length > 0) this.#hand()
    else this.#resolve()
  }

  /** Many small frames cost one call of the system. */
  #nextPiece(): Buffer {
    const [first] = this.#waiting as [Buffer]
    this.#isInFrame = false
    if (this.#waiting.length === 1 && first.length <= HANDED_BYTES) {
      this.#waiting = []
      return first
    }
    if (first.length >= HANDED_BYTES) {
      this.#isInFrame = first.length > HANDED_BYTES
      if (this.#isInFrame) this.#waiting[0] = first.subarray(HANDED_BYTES)
      else this.#waiting.shift()
      return first.subarray(0, HANDED_BYTES)
    }
    let count = 0
    let bytes = 0
    for (const { length } of this.#waiting) {
      if (bytes + length > HANDED_BYTES) break
      bytes += length
      count += 1
    }
    return Buffer.concat(this.#waiting.splice(0, count), bytes)
  }

  #resolve(): void {
    this.#taken?.resolve()
    this.#taken = null
  }
}
