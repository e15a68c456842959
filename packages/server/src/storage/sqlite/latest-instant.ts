import type { Instant } from '../../model/model.ts'

/** Keeps time from running backwards: a queue tells when it was last acted on, so not even after a restart. */
export class LatestInstant {
  #value: Instant = 0

  get value(): Instant {
    return this.#value
  }

  /** `now`, or the latest instant that was acted on if that is later. */
  notBefore(now: Instant): Instant {
    if (now > this.#value) this.#value = now
    return this.#value
  }
}
