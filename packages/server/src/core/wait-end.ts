import type { Instant } from '../model/model.ts'
import type { Clock, Timer } from '../platform/clock.ts'

/**
 * The end of all waiting on behalf of a caller: at the instant when the credentials end, or earlier when nobody waits
 * for the answer any more.
 */
export class WaitEnd {
  readonly #controller = new AbortController()
  readonly #gone: AbortSignal
  readonly #timer: Timer | null

  /** `expiresAt` null: the credentials do not end. */
  constructor(gone: AbortSignal, expiresAt: Instant | null, clock: Clock) {
    this.#gone = gone
    this.#timer = expiresAt === null ? null : clock.at(expiresAt, this.#end)
    gone.addEventListener('abort', this.#end)
    if (gone.aborted) this.#end()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Must be called when the call is over: credentials, and connections, may live for long. */
  close(): void {
    this.#timer?.cancel()
    this.#gone.removeEventListener('abort', this.#end)
  }

  readonly #end = () => this.#controller.abort()
}
