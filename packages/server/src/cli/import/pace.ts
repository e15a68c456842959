import { elapsed } from '../../platform/elapsed.ts'
import { pause } from '../../platform/pause.ts'

/** Holds work back to so many items a second. */
export class Pace {
  readonly #perSecond: number
  /** When the next may come, by `elapsed`. */
  #next = 0

  /** Infinity: nothing is held back. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** That many are done: waits until there may be more. @throws the reason of the signal */
  async done(items: number, signal: AbortSignal): Promise<void> {
    this.#next = Math.max(this.#next, elapsed()) + (items / this.#perSecond) * 1000
    const wait = this.#next - elapsed()
    if (wait > 1) await pause(wait, signal)
    signal.throwIfAborted()
  }
}
