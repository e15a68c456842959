/** How long a turn of the event loop may be, in milliseconds: requests wait as long. */
const LONG_TURN_MS = 5
const SHORT_TURN_MS = 3
/** Tries that begin in one turn. */
const [LEAST, FIRST, MOST] = [1, 8, 64]

/**
 * Lets only so many tries begin in each turn of the event loop that turns stay short. So who makes requests does not
 * wait for deliveries, however many are owed; and while nobody makes any, deliveries have all the time there is.
 */
export class Pace {
  readonly #elapsed: () => number
  readonly #waiting: (() => void)[] = []
  #perTurn = FIRST
  #turnBegan: number | null = null

  /** `elapsed` answers milliseconds since some instant, with fractions. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /** Resolves when a try may begin. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      if (this.#turnBegan === null) this.#next()
    })
  }

  #next(): void {
    this.#turnBegan = this.#elapsed()
    setImmediate(() => this.#begin())
  }

  #begin(): void {
    this.#adapt(this.#elapsed() - (this.#turnBegan ?? 0))
    for (const resolve of this.#waiting.splice(0, this.#perTurn)) resolve()
    this.#turnBegan = null
    if (this.#waiting.length > 0) this.#next()
  }

  #adapt(turnMs: number): void {
    if (turnMs > LONG_TURN_MS) this.#perTurn = Math.max(LEAST, Math.floor(this.#perTurn / 2))
    else if (turnMs < SHORT_TURN_MS) this.#perTurn = Math.min(MOST, this.#perTurn + 1)
  }
}
