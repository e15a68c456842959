import type { Instant, QueueKey, Storage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { Signals } from '../signal.ts'

/** Watches a queue of the engine, and knows from the model when a signal has to come. */
export class News {
  readonly #key: QueueKey
  readonly #model: Storage
  #signals: Signals
  #claimable: ReadonlySet<string> = new Set()
  #heard = 0

  constructor(key: QueueKey, engine: Storage, model: Storage) {
    this.#key = key
    this.#model = model
    this.#signals = new Signals((listener) => engine.watch(key, listener))
  }

  /**
   * After each step: fails unless a signal has come, or comes, for whatever can be claimed now and could not before.
   */
  async check(now: Instant): Promise<void> {
    const claimable = await this.#findClaimable(now)
    const fresh = claimable.difference(this.#claimable)
    if (fresh.size > 0) {
      await this.#signals.moreThan(this.#heard).catch((cause) => {
        const { project, kind, name } = this.#key
        throw new Error(`at ${now} ${[...fresh]} can be claimed from ${kind} ${name} of ${project}`, { cause })
      })
    }
    this.#claimable = claimable
    this.#heard = this.#signals.heard
  }

  /** The client that was watched is closed; goes on with another. */
  watchAgain(engine: Storage): void {
    this.end()
    this.#signals = new Signals((listener) => engine.watch(this.#key, listener))
    this.#heard = 0
  }

  end(): void {
    this.#signals.end()
  }

  async #findClaimable(now: Instant): Promise<ReadonlySet<string>> {
    const queue = await this.#model.queues.get({ key: this.#key, now })
    if (!queue) return new Set()
    const filters = { hideClientId: null, includeClaimed: false, includeDelayed: false }
    const page = await this.#model.messages.list({ queue, after: null, limit: 1000, ...filters, now })
    return new Set(page === STALE ? [] : page.messages.map((message) => message.id))
  }
}
