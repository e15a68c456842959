import type { MemoryBudget } from '../platform/memory-budget.ts'
import { Share } from './share.ts'

/** What a piece takes beside its bytes. */
const BYTES_BESIDE = 256

/**
 * What a message takes that has come in part. It is told of each piece that the connection reads, and before that of
 * the frames which the piece has completed.
 */
export class PartialMessage {
  #bytes = 0
  #pieces = 0
  /** Of what the piece that is read has completed. */
  #completedBytes = 0
  #hasCompleted = false
  readonly #share: Share

  /** `giveUp`: how the connection loses it when others need the room. */
  constructor(budget: MemoryBudget, giveUp: () => void) {
    this.#share = new Share(budget, giveUp)
  }

  /** Of what has come of it, at most. */
  get bytes(): number {
    return this.#bytes
  }

  /** A message is whole. */
  completed(payloadBytes: number): void {
    this.#hasCompleted = true
    this.passed(payloadBytes)
  }

  /** A ping or pong is whole, which may stand between the pieces of a message. */
  passed(payloadBytes: number): void {
    this.#completedBytes += payloadBytes + headBytes(payloadBytes)
  }

  /** False when there is no room for what is left of a piece. */
  read(pieceBytes: number): boolean {
    const left = Math.max(0, this.#bytes + pieceBytes - this.#completedBytes)
    // Heads of fragments were not counted as completed.
    this.#bytes = this.#hasCompleted ? Math.min(left, pieceBytes) : left
    this.#pieces = this.#bytes === 0 ? 0 : this.#hasCompleted ? 1 : this.#pieces + 1
    this.#completedBytes = 0
    this.#hasCompleted = false
    return this.#share.hold(this.#bytes + this.#pieces * BYTES_BESIDE)
  }

  release(): void {
    this.#share.release()
  }
}

/** Of a frame that a client sends, with its mask. (RFC 6455, 5.2) */
function headBytes(payloadBytes: number): number {
  if (payloadBytes <= 125) return 6
  return payloadBytes <= 0xffff ? 8 : 14
}
