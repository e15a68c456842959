import type { Instant, QueueKey } from '../model/model.ts'
import { queueId } from '../model/queue-id.ts'
import type { Clock } from '../platform/clock.ts'
import type { Storage } from '../storage/contract.ts'

/** Tries once; null when there was nothing yet. */
type Attempt<T> = (now: Instant) => Promise<T | null>

interface Waiting {
  readonly attempt: Attempt<unknown>
  /** Whether a success leaves less for the others. */
  readonly takes: boolean
  /** The attempt under way. */
  looking: Promise<boolean> | null
  resolve(found: unknown): void
  reject(error: unknown): void
}

interface Line {
  readonly waiting: Set<Waiting>
  unwatch(): void
  serving: boolean
  /** Who has not looked since the watch stands. */
  newcomers: Waiting[]
  /** There was news that nobody has looked for yet. */
  news: boolean
}

export interface PollTerms<T> {
  readonly key: QueueKey
  readonly waitSeconds: number
  readonly takes: boolean
  readonly attempt: Attempt<T>
  /** Ends the wait early: the client is gone. */
  signal(): AbortSignal
}

/**
 * Requests that wait until there is something for them. They stand in one line for each queue and cost nothing until the
 * storage tells of news; then those that only look are tried all, those that take one after the other until one of them
 * finds nothing.
 */
export class LongPolls {
  readonly #clock: Clock
  readonly #storage: Pick<Storage, 'watch'>
  readonly #lines = new Map<string, Line>()
  readonly #stopping = new AbortController()

  constructor(storage: Pick<Storage, 'watch'>, clock: Clock) {
    this.#storage = storage
    this.#clock = clock
  }

  /** What an attempt found, or null when the time was over, the client went away or the service stops. */
  async poll<T>({ key, waitSeconds, takes, attempt, signal }: PollTerms<T>): Promise<T | null> {
    const start = this.#clock.now()
    const found = await attempt(start)
    if (found !== null || waitSeconds === 0 || this.#stopping.signal.aborted) return found
    const gone = signal()
    if (gone.aborted) return null
    const id = queueId(key)
    const line = this.#line(id, key)
    const { promise, resolve, reject } = Promise.withResolvers<T | null>()
    const waiting: Waiting = { attempt, takes, looking: null, resolve: resolve as Waiting['resolve'], reject }
    const leave = () => void this.#leave(line, waiting)
    const timer = this.#clock.at(start + waitSeconds * 1000, () => void this.#lookOnceMore(line, waiting))
    gone.addEventListener('abort', leave)
    this.#join(line, waiting)
    try {
      return await promise
    } finally {
      timer.cancel()
      gone.removeEventListener('abort', leave)
      this.#forgetIfEmpty(id, line)
    }
  }

  /** Waits for an instant; false when the client goes away or the service stops before. */
  async reached(instant: Instant, gone: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const leave = () => resolve(false)
    const signals = [gone, this.#stopping.signal]
    const timer = this.#clock.at(instant, () => resolve(true))
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
    for (const line of this.#lines.values()) for (const one of line.waiting) void this.#leave(line, one)
  }

  #line(id: string, key: QueueKey): Line {
    let line = this.#lines.get(id)
    if (line === undefined) {
      const created: Line = { waiting: new Set(), unwatch() {}, serving: false, newcomers: [], news: false }
      created.unwatch = this.#storage.watch(key, () => {
        created.news = true
        void this.#serve(created)
      })
      this.#lines.set(id, created)
      line = created
    }
    return line
  }

  /** Something may have come between the first attempt and the watch, so who is new looks again, and nobody else. */
  #join(line: Line, one: Waiting): void {
    line.waiting.add(one)
    line.newcomers.push(one)
    void this.#serve(line)
  }

  /** An attempt under way decides: what it takes must not be lost. */
  async #leave(line: Line, one: Waiting): Promise<void> {
    line.waiting.delete(one)
    await one.looking
    one.resolve(null)
  }

  /** The time is over, and the storage may have failed to tell. */
  async #lookOnceMore(line: Line, one: Waiting): Promise<void> {
    line.waiting.delete(one)
    await (one.looking ?? this.#look(line, one))
    one.resolve(null)
  }

  #forgetIfEmpty(id: string, line: Line): void {
    if (line.waiting.size > 0 || this.#lines.get(id) !== line) return
    line.unwatch()
    this.#lines.delete(id)
  }

  async #serve(line: Line): Promise<void> {
    if (line.serving) return
    line.serving = true
    while (line.news || line.newcomers.length > 0) {
      const all = line.news ? [...line.waiting] : line.newcomers
      line.news = false
      line.newcomers = []
      const lookers = all.filter((one) => !one.takes && line.waiting.has(one))
      await Promise.all(lookers.map((one) => this.#look(line, one)))
      for (const one of all) {
        if (one.takes && line.waiting.has(one) && !(await this.#look(line, one))) break
      }
    }
    line.serving = false
  }

  #look(line: Line, one: Waiting): Promise<boolean> {
    one.looking = this.#try(line, one)
    return one.looking
  }

  /** Whether there was something for that one. */
  async #try(line: Line, one: Waiting): Promise<boolean> {
    try {
      const found = await one.attempt(this.#clock.now())
      if (found === null) return false
      line.waiting.delete(one)
      one.resolve(found)
      return true
    } catch (error) {
      line.waiting.delete(one)
      one.reject(error)
      return true
    } finally {
      one.looking = null
    }
  }
}
