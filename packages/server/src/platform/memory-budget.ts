import type { Clock, Timer } from './clock.ts'

/** So long may be held what makes no progress, in milliseconds, at a time when others find nothing left. */
export const PATIENCE_MS = 1_000

/** A part of the budget in somebody's hands. */
export interface Holding {
  /** There was progress: holds so many bytes from now on, and patience begins anew. */
  progress(bytes: number): void
  /** It is not taken away any more. */
  keep(): void
  /** May be called twice. */
  release(): void
}

/** How somebody loses what he holds without progress; null: he keeps it. */
type GiveUp = (() => void) | null

interface Entry {
  bytes: number
  /** When it last made progress. */
  since: number
  isOver: boolean
  readonly giveUp: GiveUp
}

interface Waiting {
  readonly bytes: number
  resolve(holding: Holding): void
}

/**
 * How many bytes a process may have taken in and not yet paid for: requests that are being read or wait, and answers
 * that nobody takes. It counts, it allocates nothing. When nothing is left, those lose their part first who have made
 * no progress for the longest time (docs/hardening.md).
 */
export class MemoryBudget {
  readonly bytes: number
  readonly #clock: Clock
  #held = 0
  /** What may be taken away; what made progress last stands last. */
  readonly #idle = new Set<Entry>()
  readonly #line: Waiting[] = []
  #timer: Timer | null = null

  constructor({ bytes, clock }: { readonly bytes: number; readonly clock: Clock }) {
    this.bytes = bytes
    this.#clock = clock
  }

  /** In bytes. More than there is, as long as answers are on their way that were made already. */
  get held(): number {
    return this.#held
  }

  /** Null when so many bytes are not left. `giveUp` is called, once, when they are taken away. */
  hold(bytes: number, giveUp: GiveUp): Holding | null {
    return this.#makeRoom(bytes) ? this.charge(bytes, giveUp) : null
  }

  /** For what is there already, whether or not so many bytes are left. */
  charge(bytes: number, giveUp: GiveUp): Holding {
    const entry: Entry = { bytes, since: this.#clock.now(), isOver: false, giveUp }
    this.#held += bytes
    if (giveUp !== null) this.#idle.add(entry)
    return {
      progress: (left) => {
        entry.since = this.#clock.now()
        if (this.#idle.delete(entry)) this.#idle.add(entry)
        this.#set(entry, left)
      },
      keep: () => void this.#idle.delete(entry),
      release: () => this.#release(entry),
    }
  }

  /** As `hold`, but waits in line until there is room. A quarter of the whole is the most that is waited for. */
  wait(bytes: number): Holding | Promise<Holding> {
    const wanted = Math.min(bytes, this.bytes / 4)
    const holding = this.#line.length === 0 ? this.hold(wanted, null) : null
    if (holding !== null) return holding
    return new Promise((resolve) => {
      this.#line.push({ bytes: wanted, resolve })
      this.#lookAgain()
    })
  }

  #makeRoom(bytes: number): boolean {
    if (this.#held + bytes <= this.bytes) return true
    const latest = this.#clock.now() - PATIENCE_MS
    for (const entry of this.#idle) {
      if (entry.since > latest) break
      this.#release(entry)
      entry.giveUp?.()
      if (this.#held + bytes <= this.bytes) return true
    }
    return false
  }

  #set(entry: Entry, bytes: number): void {
    if (entry.isOver) return
    this.#held += bytes - entry.bytes
    entry.bytes = bytes
    this.#serveLine()
  }

  #release(entry: Entry): void {
    this.#idle.delete(entry)
    this.#set(entry, 0)
    entry.isOver = true
  }

  #serveLine(): void {
    for (let first = this.#line[0]; first !== undefined; first = this.#line[0]) {
      if (this.#held + first.bytes > this.bytes) return
      this.#line.shift()
      first.resolve(this.charge(first.bytes, null))
    }
  }

  /** While somebody waits, patience may come to an end without anything else happening. */
  #lookAgain(): void {
    this.#timer ??= this.#clock.at(this.#clock.now() + PATIENCE_MS / 4, () => {
      this.#timer = null
      const [first] = this.#line
      if (first === undefined) return
      this.#makeRoom(first.bytes)
      this.#serveLine()
      if (this.#line.length > 0) this.#lookAgain()
    })
  }
}
