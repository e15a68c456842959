import type { Instant } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'

/** Tells the operator of a trouble of a kind once in a while: as long as it lasts, everything that is done meets it. */
export class Seldom {
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #report: (error: unknown) => void
  readonly #silentUntil = new Map<string, Instant>()

  /** `silenceMs`: how long nothing more is told of a kind, in milliseconds. */
  constructor(clock: Clock, silenceMs: number, report: (error: unknown) => void) {
    this.#clock = clock
    this.#silenceMs = silenceMs
    this.#report = report
  }

  tell(kind: string, error: unknown): void {
    const now = this.#clock.now()
    for (const [other, until] of this.#silentUntil) if (until <= now) this.#silentUntil.delete(other)
    if (this.#silentUntil.has(kind)) return
    this.#silentUntil.set(kind, now + this.#silenceMs)
    this.#report(error)
  }
}
