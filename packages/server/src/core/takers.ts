import type { Instant, QueueKey } from '../model/model.ts'
import { queueId } from '../model/queue-id.ts'
import type { Clock } from '../platform/clock.ts'
import type { Storage } from '../storage/contract.ts'

/** Tries to take something; null when there was nothing. */
type Take<T> = (now: Instant) => Promise<T | null>

interface Answer<T> {
  resolve(taken: T): void
  reject(error: unknown): void
}

/** Somebody who stands in the line of a queue. */
export interface Taker {
  /** There is no further attempt. Answers whether the one under way was answered: what it takes must not be lost. */
  leave(): Promise<boolean>
}

interface Waiting extends Taker {
  readonly take: Take<unknown>
  readonly answer: Answer<unknown>
  readonly requestKey: string | undefined
  /** The attempt under way: whether it was answered. */
  trying: Promise<boolean> | null
}

interface Line {
  readonly id: string
  /** Whoever waits longest stands first. */
  readonly waiting: Set<Waiting>
  /** Those of them whose requests may be repeated, by the keys of these. */
  readonly repeatable: Map<string, Set<Waiting>>
  /** There may be something that nobody has tried to take. */
  hasNews: boolean
  isServed: boolean
  unwatch(): void
}

/**
 * Those who wait to take something out of a queue. They stand in one line for each queue and cost nothing until the
 * storage tells of news; then they try one after the other, until one of them finds nothing.
 */
export class Takers {
  readonly #watch: Storage['watch']
  readonly #clock: Clock
  readonly #lines = new Map<string, Line>()

  constructor(watch: Storage['watch'], clock: Clock) {
    this.#watch = watch
    this.#clock = clock
  }

  /**
   * For one who has found nothing, or has not tried: where others stand in the line there is nothing, unless it is served
   * already. Of those with the same `requestKey` one finds what another has taken: in this line at once, otherwise when
   * its wait is over.
   */
  join<T>(key: QueueKey, take: Take<T>, answer: Answer<T>, requestKey?: string): Taker {
    const line = this.#lineOf(key)
    const one: Waiting = {
      take,
      answer: answer as Answer<unknown>,
      requestKey,
      trying: null,
      leave: async () => {
        this.#remove(line, one)
        return (await one.trying) ?? false
      },
    }
    line.waiting.add(one)
    if (requestKey !== undefined) {
      const repetitions = line.repeatable.get(requestKey)
      if (repetitions === undefined) line.repeatable.set(requestKey, new Set([one]))
      else repetitions.add(one)
    }
    void this.#serve(line)
    return one
  }

  #lineOf(key: QueueKey): Line {
    const id = queueId(key)
    const known = this.#lines.get(id)
    if (known !== undefined) return known
    // Something may have come before the watch.
    const line: Line = { id, waiting: new Set(), repeatable: new Map(), hasNews: true, isServed: false, unwatch() {} }
    line.unwatch = this.#watch(key, () => {
      line.hasNews = true
      // Whoever only looks asks first, and so sees what is taken at the same time.
      queueMicrotask(() => void this.#serve(line))
    })
    this.#lines.set(id, line)
    return line
  }

  async #serve(line: Line): Promise<void> {
    if (line.isServed) return
    line.isServed = true
    while (line.hasNews && line.waiting.size > 0) {
      line.hasNews = false
      if (await this.#serveInTurn(line)) line.hasNews = true
    }
    line.isServed = false
    this.#forgetEmpty(line)
  }

  /**
   * Whether all were answered, so that there may be more. Where one finds nothing, there is nothing for the others
   * either, but for repetitions of a request that was answered.
   */
  async #serveInTurn(line: Line): Promise<boolean> {
    for (const one of line.waiting) {
      if (!(await this.#try(line, one))) return false
      if (one.requestKey === undefined) continue
      for (const repetition of line.repeatable.get(one.requestKey) ?? []) await this.#try(line, repetition)
    }
    return true
  }

  #try(line: Line, one: Waiting): Promise<boolean> {
    one.trying = this.#attempt(line, one)
    return one.trying
  }

  async #attempt(line: Line, one: Waiting): Promise<boolean> {
    try {
      const taken = await one.take(this.#clock.now())
      if (taken === null) return false
      one.answer.resolve(taken)
    } catch (error) {
      one.answer.reject(error)
    } finally {
      one.trying = null
    }
    this.#remove(line, one)
    return true
  }

  #remove(line: Line, one: Waiting): void {
    if (!line.waiting.delete(one)) return
    const repetitions = one.requestKey === undefined ? undefined : line.repeatable.get(one.requestKey)
    if (repetitions?.delete(one) && repetitions.size === 0) line.repeatable.delete(one.requestKey as string)
    this.#forgetEmpty(line)
  }

  /** Not while it is served: whoever comes then must not try at the same time. */
  #forgetEmpty(line: Line): void {
    if (line.waiting.size > 0 || line.isServed) return
    line.unwatch()
    this.#lines.delete(line.id)
  }
}
