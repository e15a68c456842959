import type { Holding, MemoryBudget } from '../platform/memory-budget.ts'

/** Room in memory that many have together: it is given back when the last of them leaves. All enter in the same turn. */
export class SharedRoom {
  readonly #holding: Holding | Promise<Holding>
  #count = 0

  constructor(budget: Pick<MemoryBudget, 'wait'>, bytes: number) {
    this.#holding = budget.wait(bytes)
  }

  /** Resolves when there is room. Whoever has entered has to leave. */
  async enter(): Promise<void> {
    this.#count += 1
    await this.#holding
  }

  leave(): void {
    this.#count -= 1
    if (this.#count > 0) return
    // By then what was made of it is on its way, and whoever sends it counts what is left of it.
    setImmediate(async () => (await this.#holding).release())
  }
}
