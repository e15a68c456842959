import type { Instant } from '../model/model.ts'
import { ZaqarError } from './errors.ts'
import { TokenBuckets } from './rules/token-buckets.ts'

/** How much a project may ask of this process in a second; null: as much as it likes. */
export interface Rates {
  readonly maxRequestsPerSecond: number | null
  readonly maxMessagesPerSecond: number | null
}

/**
 * Holds every project to the rates. It counts what this process is asked for: several of them admit as many times as
 * much.
 */
export class ProjectRates {
  readonly #requests: Rate | null
  readonly #messages: Rate | null

  constructor({ maxRequestsPerSecond, maxMessagesPerSecond }: Rates) {
    this.#requests = maxRequestsPerSecond === null ? null : new Rate(maxRequestsPerSecond, 'rate.requests')
    this.#messages = maxMessagesPerSecond === null ? null : new Rate(maxMessagesPerSecond, 'rate.messages')
  }

  /** @throws ZaqarError when the project has to wait before it asks for anything */
  countRequest(project: string, now: Instant): void {
    this.#requests?.count(project, 1, now)
  }

  /** @throws ZaqarError when the project has to wait before it posts */
  countMessages(project: string, messages: number, now: Instant): void {
    this.#messages?.count(project, messages, now)
  }
}

class Rate {
  readonly #max: number
  readonly #code: 'rate.requests' | 'rate.messages'
  readonly #buckets: TokenBuckets

  constructor(max: number, code: 'rate.requests' | 'rate.messages') {
    this.#max = max
    this.#code = code
    this.#buckets = new TokenBuckets(max)
  }

  count(project: string, count: number, now: Instant): void {
    const waitMs = this.#buckets.take(project, count, now)
    if (waitMs === 0) return
    const retryAfterSeconds = Math.ceil(waitMs / 1000)
    throw new ZaqarError(this.#code, { project, max: this.#max, seconds: retryAfterSeconds }, { retryAfterSeconds })
  }
}
