import { unlessAborted } from './pause.ts'

/** What is sent by somebody who cannot be asked to wait, until it is taken, in order. */
export class Inbox<Item> {
  readonly #kept: { readonly item: Item; readonly size: number }[] = []
  #size = 0
  #error: unknown
  #isOver = false
  #changed = Promise.withResolvers<void>()

  get count(): number {
    return this.#kept.length
  }

  /** Of all that is in it. */
  get size(): number {
    return this.#size
  }

  put(item: Item, size: number): void {
    this.#kept.push({ item, size })
    this.#size += size
    this.#changed.resolve()
  }

  /** Nothing more comes. */
  end(error: unknown): void {
    this.#isOver = true
    this.#error ??= error
    this.#changed.resolve()
  }

  /** The oldest. @throws what it was ended with, behind the last one; or the reason of the signal */
  async take(signal: AbortSignal): Promise<Item> {
    for (;;) {
      signal.throwIfAborted()
      const kept = this.#kept.shift()
      if (kept !== undefined) {
        this.#size -= kept.size
        return kept.item
      }
      if (this.#isOver) throw this.#error
      this.#changed = Promise.withResolvers()
      await unlessAborted(this.#changed.promise, signal)
    }
  }
}
