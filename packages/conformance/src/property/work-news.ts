import type { Instant, Storage } from 'zaqar/storage'
import { Signals } from '../signal.ts'

/** Watches one client of the engine for work, and knows from the model when a signal has to come. */
export class WorkNews {
  readonly #model: Storage
  #engine: Storage
  #signals: Signals
  /** What the client said last, and how many signals had come by then; null where it has said nothing yet. */
  #said: { readonly next: Instant | null; readonly heard: number } | null = null

  constructor(engine: Storage, model: Storage) {
    this.#engine = engine
    this.#model = model
    this.#signals = signalsOf(engine)
  }

  /** A lease was asked of a client, which said when another one may bring more. */
  said(engine: Storage, next: Instant | null): void {
    if (engine === this.#engine) this.#said = { next, heard: this.#signals.heard }
  }

  /** What it has said does not hold any more. */
  forget(): void {
    this.#said = null
  }

  /** After each step: fails unless a signal has come, or comes, where there is something to lease before that. */
  async check(now: Instant): Promise<void> {
    if (this.#said === null) return
    const { next: truth } = await this.#model.deliveries.lease({ limit: 0, seconds: 1, batch: NOTHING, now })
    const { next, heard } = this.#said
    if (truth === null || (next !== null && truth >= next)) return
    await this.#signals.moreThan(heard).catch((cause) => {
      throw new Error(`at ${now} a lease may bring something from ${truth} on; ${next} was said`, { cause })
    })
  }

  /** The client that was watched is closed; goes on with another. */
  watchAgain(engine: Storage): void {
    this.end()
    this.#engine = engine
    this.#signals = signalsOf(engine)
    this.#said = null
  }

  end(): void {
    this.#signals.end()
  }
}

const NOTHING = { notifications: 0, bytes: 0 }

function signalsOf(engine: Storage): Signals {
  return new Signals((listener) => engine.watchWork(listener))
}
