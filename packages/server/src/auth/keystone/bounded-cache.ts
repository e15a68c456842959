import type { Instant } from '../../core/model/model.ts'

/** Values with an end; when there are too many, the one that was stored first makes room. */
export class BoundedCache<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly until: Instant }>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string, now: Instant): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (now < entry.until) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: Value, until: Instant): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    this.#entries.set(key, { value, until })
  }

  get size(): number {
    return this.#entries.size
  }
}
