import type { Instant } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'

/** In milliseconds. */
const SILENCE = 60_000

/** Tells the operator of a trouble of a kind once in a while: as long as it lasts, every delivery meets it. */
export class Seldom {
  readonly #clock: Clock
  readonly #report: (error: unknown) => void
  readonly #silentUntil = new Map<string, Instant>()

  constructor(clock: Clock, report: (error: unknown) => void) {
    this.#clock = clock
    this.#report = report
  }

  tell(kind: string, error: unknown): void {
    const now = this.#clock.now()
    if (now < (this.#silentUntil.get(kind) ?? 0)) return
    this.#silentUntil.set(kind, now + SILENCE)
    this.#report(error)
  }
}
