import type { Instant } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'

/** Something that waits for a time. */
export interface Timed {
  /** Its time has come. It is called once; it may set another time. */
  onTime(now: Instant): void
}

/** Of those whose time is looked at, in a millisecond at most: so that ten thousand ends take a tenth of the time. */
const LOOKED_AT_EACH_MS = 1_000

/** Times of many, with one timer for them all. */
export class Deadlines {
  readonly #clock: Clock
  readonly #times = new Map<Timed, Instant>()
  #timer: Timer | null = null
  #timerAt: Instant = Number.POSITIVE_INFINITY
  /** Not before this are all times looked at again. */
  #restsUntil: Instant = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** In place of the time that it has. Infinity: none. */
  set(one: Timed, at: Instant): void {
    if (at === Number.POSITIVE_INFINITY) {
      this.#times.delete(one)
      return
    }
    this.#times.set(one, at)
    this.#wakeAt(at)
  }

  delete(one: Timed): void {
    this.#times.delete(one)
  }

  close(): void {
    this.#times.clear()
    this.#timer?.cancel()
  }

  #wakeAt(at: Instant): void {
    const wakeAt = Math.max(at, this.#restsUntil)
    if (wakeAt >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = wakeAt
    this.#timer = this.#clock.at(wakeAt, () => this.#look())
  }

  #look(): void {
    const now = this.#clock.now()
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#restsUntil = now + Math.floor(this.#times.size / LOOKED_AT_EACH_MS)
    const due: Timed[] = []
    let next = Number.POSITIVE_INFINITY
    for (const [one, at] of this.#times) {
      if (at <= now) due.push(one)
      else next = Math.min(next, at)
    }
    for (const one of due) this.#times.delete(one)
    if (next !== Number.POSITIVE_INFINITY) this.#wakeAt(next)
    for (const one of due) one.onTime(now)
  }
}
