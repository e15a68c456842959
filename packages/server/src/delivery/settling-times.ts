import type { StartTimeLimit } from '../platform/clock.ts'

/** In milliseconds: as much longer is repeated after a crash. */
const APART = 10

/**
 * When many deliver at once, has them settle together: a commit of the storage costs much the same for one and for all.
 */
export class SettlingTimes {
  readonly #startTimeLimit: StartTimeLimit
  #next: Promise<void> | null = null

  constructor(startTimeLimit: StartTimeLimit) {
    this.#startTimeLimit = startTimeLimit
  }

  /** Resolves at the next of these times. */
  async next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      this.#startTimeLimit(APART, () => {
        this.#next = null
        resolve()
      })
    })
    return this.#next
  }
}
