import type { Instant } from '../../model/model.ts'

export interface CacheBounds {
  readonly entries: number
  /** As `set` is told them. */
  readonly bytes: number
}

export interface EntryTerms {
  readonly until: Instant
  readonly bytes: number
  /** Of all entries with the same place the last one stays. Null: it has one of its own. */
  readonly place: string | null
}

interface Entry<Value> extends EntryTerms {
  readonly value: Value
}

/** Values with an end; when there are too many, those that were stored first make room. */
export class BoundedCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>()
  /** The key that has the place. */
  readonly #places = new Map<string, string>()
  readonly #bounds: CacheBounds
  #bytes = 0

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds
  }

  get(key: string, now: Instant): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (now < entry.until) return entry.value
    this.delete(key)
    return undefined
  }

  set(key: string, value: Value, terms: EntryTerms): void {
    const { place, bytes } = terms
    this.delete(key)
    if (place !== null) {
      const other = this.#places.get(place)
      if (other !== undefined) this.delete(other)
      this.#places.set(place, key)
    }
    this.#entries.set(key, { value, ...terms })
    this.#bytes += bytes
    for (const first of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.entries && this.#bytes <= this.#bounds.bytes) break
      this.delete(first)
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    if (entry.place !== null) this.#places.delete(entry.place)
  }

  get size(): number {
    return this.#entries.size
  }
}
