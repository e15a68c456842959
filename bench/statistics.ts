/** Every sample of a run, so that a percentile is a sample and no estimate. */
export class Samples {
  #values = new Float64Array(1 << 16)
  #count = 0

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = value
  }

  get count(): number {
    return this.#count
  }

  /** The smallest sample that at least the given part (0 to 1) of all samples do not exceed; NaN without samples. */
  percentiles(...parts: number[]): number[] {
    const sorted = this.#values.slice(0, this.#count).sort()
    return parts.map((part) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN)
  }
}

export function median(values: readonly number[]): number {
  return medianBy(values, (value) => value)
}

/** The element in the middle when ordered by `key`; of an even number, the lower of the two. */
export function medianBy<T>(elements: readonly T[], key: (element: T) => number): T {
  const sorted = [...elements].sort((a, b) => key(a) - key(b))
  const middle = sorted[Math.ceil(sorted.length / 2) - 1]
  if (middle === undefined) throw new RangeError('a median of nothing')
  return middle
}
