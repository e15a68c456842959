interface PendingTimer {
  readonly at: number
  readonly callback: () => void
}

/**
 * A clock that stands still until a test moves it. It has the shape of the clock that engines are given: `now` answers
 * milliseconds since the epoch, `at` calls back once at an instant or, where that is past, in a later turn of the event
 * loop.
 */
export class ManualClock {
  #now: number
  #timers: PendingTimer[] = []

  constructor(startsAt = Date.UTC(2026, 0, 1)) {
    this.#now = startsAt
  }

  now(): number {
    return this.#now
  }

  at(at: number, callback: () => void): { cancel(): void } {
    const timer: PendingTimer = { at, callback }
    this.#timers.push(timer)
    if (at <= this.#now) setImmediate(() => this.#fire(timer))
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  /** Moves on to `instant`, stopping at each timer on the way so that its callback reads the time it asked for. */
  moveTo(instant: number): void {
    if (instant < this.#now) throw new RangeError(`the clock is at ${this.#now} and cannot go back to ${instant}`)
    for (let due = this.#nextDue(instant); due !== undefined; due = this.#nextDue(instant)) {
      this.#now = Math.max(this.#now, due.at)
      this.#fire(due)
    }
    this.#now = instant
  }

  advance(milliseconds: number): void {
    this.moveTo(this.#now + milliseconds)
  }

  #nextDue(limit: number): PendingTimer | undefined {
    return this.#timers
      .filter((timer) => timer.at <= limit)
      .reduce<PendingTimer | undefined>((first, timer) => (first && first.at <= timer.at ? first : timer), undefined)
  }

  #fire(timer: PendingTimer): void {
    if (!this.#timers.includes(timer)) return
    this.#timers = this.#timers.filter((other) => other !== timer)
    timer.callback()
  }
}
