import type { QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import { tellListeners } from '../tell-listeners.ts'

/** Tells who watches the subscriptions of a queue that some are not as they were, once the turn is committed. */
export class SubscriptionWatchers {
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #changed = new Set<string>()

  watch(key: QueueKey, listener: () => void): () => void {
    const id = queueId(key)
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners)
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    listeners.add(entry)
    return () => {
      listeners.delete(entry)
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id)
    }
  }

  changed(key: QueueKey): void {
    if (this.#listeners.size > 0) this.#changed.add(queueId(key))
  }

  committed(): void {
    if (this.#changed.size === 0) return
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const id of changed) tellListeners(this.#listeners.get(id) ?? [])
  }

  rolledBack(): void {
    this.#changed.clear()
  }

  close(): void {
    this.#listeners.clear()
  }
}
