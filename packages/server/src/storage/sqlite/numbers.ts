import type { DatabaseSync } from 'node:sqlite'
import type { Instant } from '../../model/model.ts'

/**
 * Hands out the numbers that order messages, and keeps time from running backwards. Both survive a restart, even one after
 * which the system's clock is behind.
 */
export class Numbers {
  readonly #read
  readonly #write
  #next = 0
  #lastNow: Instant = 0

  constructor(db: DatabaseSync) {
    this.#read = db.prepare('SELECT next_number, last_now FROM store')
    this.#write = db.prepare('UPDATE store SET next_number = ?, last_now = ?')
    this.reload()
  }

  /** The first of `count` numbers in a row, each greater than all before. */
  take(count: number): number {
    const first = this.#next
    this.#next += count
    return first
  }

  /** `now`, or the latest instant that was acted on if that is later. */
  notBefore(now: Instant): Instant {
    if (now > this.#lastNow) this.#lastNow = now
    return this.#lastNow
  }

  flush(): void {
    this.#write.run(this.#next, this.#lastNow)
  }

  reload(): void {
    const row = this.#read.get() as { next_number: number; last_now: number }
    this.#next = row.next_number
    this.#lastNow = Math.max(this.#lastNow, row.last_now)
  }
}
