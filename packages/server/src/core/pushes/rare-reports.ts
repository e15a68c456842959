import type { Instant } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'

/** The same is told once in this time, in milliseconds: while the storage is away, every connection that goes meets it. */
const SILENCE_MS = 10_000

/** Tells of troubles, of those with the same words seldom. */
export class RareReports {
  readonly #clock: Clock
  readonly #tell: (error: unknown) => void
  /** By what they say. */
  readonly #silentUntil = new Map<string, Instant>()

  constructor(clock: Clock, tell: (error: unknown) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  report(error: unknown): void {
    const now = this.#clock.now()
    for (const [words, until] of this.#silentUntil) if (until <= now) this.#silentUntil.delete(words)
    const words = String(error)
    if (this.#silentUntil.has(words)) return
    this.#silentUntil.set(words, now + SILENCE_MS)
    this.#tell(error)
  }
}
