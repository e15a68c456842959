/** How long a turn of the event loop may be while there are requests, in milliseconds: each waits as long. */
const LONG_TURN_MS = 5
const SHORT_TURN_MS = 3
/** Tries that begin in one turn. */
const [LEAST, FIRST, MOST] = [2, 8, 64]

export interface PaceParts {
  /** Milliseconds since some instant, with fractions. */
  elapsed(): number
  /** How many requests have come to the service so far. */
  requests(): number
}

/**
 * While requests come, lets only so many tries begin in each turn of the event loop that turns stay short. So requests do
 * not wait for deliveries, however many are owed, and deliveries have all the time that is left.
 */
export class Pace {
  readonly #parts: PaceParts
  readonly #waiting: (() => void)[] = []
  #perTurn = FIRST
  #turn: { readonly begunAt: number; readonly requests: number } | null = null

  constructor(parts: PaceParts) {
    this.#parts = parts
  }

  /** Resolves when a try may begin. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      if (this.#turn === null) this.#next()
    })
  }

  #next(): void {
    const { elapsed, requests } = this.#parts
    const turn = { begunAt: elapsed(), requests: requests() }
    this.#turn = turn
    setImmediate(() => {
      const isQuiet = requests() === turn.requests
      if (!isQuiet) this.#adapt(elapsed() - turn.begunAt)
      for (const resolve of this.#waiting.splice(0, isQuiet ? MOST : this.#perTurn)) resolve()
      this.#turn = null
      if (this.#waiting.length > 0) this.#next()
    })
  }

  #adapt(turnMs: number): void {
    if (turnMs > LONG_TURN_MS) this.#perTurn = Math.max(LEAST, Math.floor(this.#perTurn / 2))
    else if (turnMs < SHORT_TURN_MS) this.#perTurn = Math.min(MOST, this.#perTurn + 1)
  }
}
