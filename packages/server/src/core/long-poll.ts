import type { Instant, QueueKey } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import type { Followers } from './followers.ts'
import type { Listing, Page, ReadPage } from './listing.ts'
import type { Takers } from './takers.ts'

/** Tries once; null when there was nothing yet. */
type Attempt<T> = (now: Instant) => Promise<T | null>

export interface WaitTerms {
  /** 0: one attempt. */
  readonly waitSeconds: number
  /** Ends the wait early: the client is gone. */
  signal(): AbortSignal
}

interface Answer<T> {
  resolve(found: T | null): void
  reject(error: unknown): void
}

/** Ends the standing in line. Answers whether something was found meanwhile. */
type Leave = () => boolean | Promise<boolean>

interface LongPollParts {
  readonly clock: Clock
  readonly readPage: ReadPage
  readonly followers: Followers
  readonly takers: Takers
}

/** Requests that wait until there is something for them. */
export class LongPolls {
  readonly #parts: LongPollParts
  readonly #stopping = new AbortController()
  /** Each ends a wait. */
  readonly #waits = new Set<() => void>()

  constructor(parts: LongPollParts) {
    this.#parts = parts
  }

  /** How many wait now. */
  get count(): number {
    return this.#waits.size
  }

  /** The first page of a listing; when it stays empty until the wait is over, null. */
  async list(listing: Listing, terms: WaitTerms): Promise<Page | null> {
    const { readPage, followers } = this.#parts
    const attempt = async (now: Instant) => {
      const page = await readPage(listing, now)
      return page.messages.length > 0 || terms.waitSeconds === 0 ? page : null
    }
    return this.#poll(terms, attempt, ({ resolve, reject }) => {
      const terms = { ...listing, once: true, onPage: resolve, onFailure: reject, onStopped: reject }
      const following = followers.follow(terms)
      return () => {
        following.stop()
        return false
      }
    })
  }

  /**
   * What `take` takes, or null when the time was over, the client went away or the service stops. `requestKey`: see
   * `Takers.join`.
   */
  async take<T>(key: QueueKey, take: Attempt<T>, terms: WaitTerms, requestKey?: string): Promise<T | null> {
    return this.#poll(terms, take, (answer) => {
      const taker = this.#parts.takers.join(key, take, answer, requestKey)
      return () => taker.leave()
    })
  }

  /** Waits for an instant; false when the client goes away or the service stops before. */
  async reached(instant: Instant, gone: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const leave = () => resolve(false)
    const signals = [gone, this.#stopping.signal]
    const timer = this.#parts.clock.at(instant, () => resolve(true))
    for (const signal of signals) signal.addEventListener('abort', leave)
    if (signals.some(({ aborted }) => aborted)) leave()
    try {
      return await promise
    } finally {
      timer.cancel()
      for (const signal of signals) signal.removeEventListener('abort', leave)
    }
  }

  /** Ends all waits. */
  close(): void {
    this.#stopping.abort()
    for (const end of this.#waits) end()
  }

  async #poll<T>(
    { waitSeconds, signal }: WaitTerms,
    attempt: Attempt<T>,
    standInLine: (answer: Answer<T>) => Leave,
  ): Promise<T | null> {
    const { clock } = this.#parts
    const start = clock.now()
    const found = await attempt(start)
    if (found !== null || waitSeconds === 0 || this.#stopping.signal.aborted) return found
    const gone = signal()
    if (gone.aborted) return null
    const { promise, resolve, reject } = Promise.withResolvers<T | null>()
    const leave = standInLine({ resolve, reject })
    let isEnding = false
    const end = async (last: Attempt<T> | null) => {
      if (isEnding) return
      isEnding = true
      try {
        if (!(await leave())) resolve(last && (await last(clock.now())))
      } catch (error) {
        reject(error)
      }
    }
    const endNow = () => void end(null)
    // The storage may have failed to tell, so it looks once more when the time is over.
    const timer = clock.at(start + waitSeconds * 1000, () => void end(attempt))
    gone.addEventListener('abort', endNow)
    this.#waits.add(endNow)
    try {
      return await promise
    } finally {
      timer.cancel()
      gone.removeEventListener('abort', endNow)
      this.#waits.delete(endNow)
    }
  }
}
