import type { Holding, MemoryBudget } from '../platform/memory-budget.ts'

/** What a connection may take for one purpose without asking the budget, in bytes; as over HTTP. */
const FREE_BYTES = 16 * 1024

/** What a connection takes in memory for one purpose: some of it free, the rest held in the budget. */
export class Share {
  readonly #budget: MemoryBudget
  readonly #giveUp: (() => void) | null
  #holding: Holding | null = null
  #held = 0

  /** `giveUp`: how the connection loses it when others need the room; null: it keeps it. */
  constructor(budget: MemoryBudget, giveUp: (() => void) | null) {
    this.#budget = budget
    this.#giveUp = giveUp
  }

  /** So many bytes are there from now on, whether or not the budget has room for them. */
  charge(bytes: number): void {
    if (!this.#shrinkTo(bytes)) this.#take(this.#budget.charge(bytes, this.#giveUp), bytes)
  }

  /** False when there is no room for so many bytes; then none are held any more. */
  hold(bytes: number): boolean {
    if (this.#shrinkTo(bytes)) return true
    // Given back first, so that it stands not in its own way.
    this.release()
    const holding = this.#budget.hold(bytes, this.#giveUp)
    if (holding !== null) this.#take(holding, bytes)
    return holding !== null
  }

  release(): void {
    this.#holding?.release()
    this.#holding = null
    this.#held = 0
  }

  #shrinkTo(bytes: number): boolean {
    if (bytes <= FREE_BYTES) {
      if (this.#holding !== null) this.release()
      return true
    }
    if (this.#holding === null || bytes > this.#held) return false
    this.#held = bytes
    this.#holding.progress(bytes)
    return true
  }

  #take(holding: Holding, bytes: number): void {
    this.#holding?.release()
    this.#holding = holding
    this.#held = bytes
  }
}
