/** What counts where something happens. It costs an addition, and is read when somebody scrapes. */

export class Counter {
  value = 0

  add(more = 1): void {
    this.value += more
  }
}

/** How many of what was observed lay at or below each of some bounds, and their sum. */
export class Histogram {
  /** Ascending. */
  readonly bounds: readonly number[]
  /** Those up to each bound and above the one before; the last: those above all bounds. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let i = 0
    while (i < bounds.length && value > (bounds[i] as number)) i += 1
    counts[i] = (counts[i] as number) + 1
    this.sum += value
  }
}

/** Seconds that requests and sends take. */
export const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
