import type { Clock, Timer } from '../platform/clock.ts'

const HEARTBEAT_SECONDS = 15

/** One timer for all who say something now and then, so that nobody takes their silence for their end. */
export class Heartbeats {
  readonly #clock: Clock
  readonly #beats = new Set<() => void>()
  #timer: Timer | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many there are. */
  get count(): number {
    return this.#beats.size
  }

  /** Calls `beat`, which must not throw, every so many seconds until its answer is called. */
  join(beat: () => void): () => void {
    this.#beats.add(beat)
    this.#timer ??= this.#next()
    return () => {
      this.#beats.delete(beat)
      if (this.#beats.size > 0) return
      this.#timer?.cancel()
      this.#timer = null
    }
  }

  #next(): Timer {
    const now = this.#clock.now()
    return this.#clock.at(now + HEARTBEAT_SECONDS * 1000, () => {
      this.#timer = this.#next()
      for (const beat of this.#beats) beat()
    })
  }
}
