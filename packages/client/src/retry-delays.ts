/** Messages that are remembered, at the most. */
const REMEMBERED = 10_000
const LONGEST_MS = 60_000

/** How long messages are kept back after their handler has failed: twice as long each time. */
export class RetryDelays {
  readonly #firstMs: number
  /** By the id of the message. */
  readonly #failures = new Map<string, number>()

  constructor(firstSeconds: number) {
    this.#firstMs = firstSeconds * 1000
  }

  /** It has failed once more. Answers milliseconds. */
  next(id: string): number {
    const failures = (this.#failures.get(id) ?? 0) + 1
    // Who failed last stands last, so what is forgotten has been silent for the longest time.
    this.#failures.delete(id)
    this.#failures.set(id, failures)
    if (this.#failures.size > REMEMBERED) this.forget(this.#failures.keys().next().value as string)
    return Math.min(LONGEST_MS, this.#firstMs * 2 ** Math.min(failures - 1, 20))
  }

  forget(id: string): void {
    this.#failures.delete(id)
  }
}
