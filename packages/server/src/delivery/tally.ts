/** Counts by name. What is at nothing takes no memory. */
export class Tally {
  readonly #counts = new Map<string, number>()

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  add(name: string, more: number): void {
    const count = this.of(name) + more
    if (count === 0) this.#counts.delete(name)
    else this.#counts.set(name, count)
  }

  /** Whether one of them is at that or more. */
  reaches(count: number): boolean {
    return this.#counts.values().some((one) => one >= count)
  }
}
