import type { Instant } from '../../model/model.ts'

/** Counted in thousandths, so that whole numbers do: what flows in each millisecond is the rate of a second. */
const ONE = 1000

interface Bucket {
  /** In thousandths; below 0: what was taken beyond what there was. */
  level: number
  /** When `level` was right. */
  at: Instant
}

/** Buckets of those who have asked for nothing for longest are forgotten beyond this many; they are full again then. */
const REMEMBERED = 10_000

/**
 * How often each of many may do something: a bucket for each, that holds as much as flows into it in a second and is
 * full at first. Whoever finds anything in it may take as much as he needs at once, and waits until it has flowed in
 * again: a batch is never too large to pass, and over time nobody takes more than flows in.
 */
export class TokenBuckets {
  readonly #perSecond: number
  /** Those that were used last come last. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** 0, or the milliseconds after which it is worth to try again; then nothing was taken. */
  take(name: string, count: number, now: Instant): number {
    const full = this.#perSecond * ONE
    const bucket = this.#buckets.get(name) ?? { level: full, at: now }
    const elapsedMs = Math.max(0, now - bucket.at)
    bucket.level = Math.min(full, bucket.level + elapsedMs * this.#perSecond)
    bucket.at = Math.max(now, bucket.at)
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    if (this.#buckets.size > REMEMBERED) this.#forgetOldest()
    if (bucket.level < ONE) return Math.ceil((ONE - bucket.level) / this.#perSecond)
    bucket.level -= count * ONE
    return 0
  }

  #forgetOldest(): void {
    for (const name of this.#buckets.keys()) {
      this.#buckets.delete(name)
      return
    }
  }
}
