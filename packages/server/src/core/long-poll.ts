import type { Clock, Timer } from '../platform/clock.ts'
import type { Storage } from '../storage/contract.ts'
import type { Instant, QueueKey } from './model/model.ts'

/** Tries once; null when there was nothing yet. */
type Attempt<T> = (now: Instant) => Promise<T | null>

interface Waiting {
  readonly attempt: Attempt<unknown>
  /** Whether a success leaves less for the others. */
  readonly takes: boolean
  resolve(found: unknown): void
  reject(error: unknown): void
}

interface Line {
  readonly waiting: Set<Waiting>
  unwatch(): void
  serving: boolean
  /** There was news while the line was being served. */
  again: boolean
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
  readonly #storage: Storage
  readonly #lines = new Map<string, Line>()
  readonly #stopping = new AbortController()

  constructor(storage: Storage, clock: Clock) {
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
    const name = `${key.kind} ${key.name} ${key.project}`
    let timer: Timer | undefined
    let giveUp = () => {}
    let waiting: Waiting | undefined
    try {
      return await new Promise<T | null>((resolve, reject) => {
        waiting = { attempt, takes, resolve: resolve as Waiting['resolve'], reject }
        giveUp = () => resolve(null)
        timer = this.#clock.at(start + waitSeconds * 1000, giveUp)
        gone.addEventListener('abort', giveUp)
        this.#line(name, key).waiting.add(waiting)
        // Something may have come between the attempt and the watch.
        void this.#serve(name)
      })
    } finally {
      timer?.cancel()
      gone.removeEventListener('abort', giveUp)
      if (waiting) this.#leave(name, waiting)
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
    for (const line of this.#lines.values()) for (const one of line.waiting) one.resolve(null)
  }

  #line(name: string, key: QueueKey): Line {
    let line = this.#lines.get(name)
    if (line === undefined) {
      const unwatch = this.#storage.watch(key, () => void this.#serve(name))
      line = { waiting: new Set(), unwatch, serving: false, again: false }
      this.#lines.set(name, line)
    }
    return line
  }

  #leave(name: string, one: Waiting): void {
    const line = this.#lines.get(name)
    if (!line?.waiting.delete(one) || line.waiting.size > 0) return
    line.unwatch()
    this.#lines.delete(name)
  }

  async #serve(name: string): Promise<void> {
    const line = this.#lines.get(name)
    if (line === undefined) return
    line.again = true
    if (line.serving) return
    line.serving = true
    while (line.again) {
      line.again = false
      const all = [...line.waiting]
      await Promise.all(all.filter(({ takes }) => !takes).map((one) => this.#try(line, one)))
      for (const one of all) {
        if (one.takes && line.waiting.has(one) && !(await this.#try(line, one))) break
      }
    }
    line.serving = false
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
    }
  }
}
