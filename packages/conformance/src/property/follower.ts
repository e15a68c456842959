import assert from 'node:assert/strict'
import type { Instant, QueueKey, Storage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'

/**
 * A reader that follows the markers of one queue and checks, without the model, that it meets every message that stays,
 * once. Claimed messages are shown to it, since those that a claim hides keep a place that it has passed.
 */
export class Follower {
  readonly key: QueueKey
  readonly #includeDelayed: boolean
  readonly #met = new Set<string>()
  #marker: string | null = null

  constructor(key: QueueKey, includeDelayed: boolean) {
    this.key = key
    this.#includeDelayed = includeDelayed
  }

  /** Answers the number of messages on the page. */
  async readPage(storage: Storage, limit: number, now: Instant): Promise<number> {
    const page = await this.#list(storage, this.#marker, limit, now)
    for (const { id } of page.messages) {
      assert(!this.#met.has(id), `No skip: who followed the markers of ${this.key.name} met ${id} twice`)
      this.#met.add(id)
    }
    this.#marker = page.marker ?? this.#marker
    return page.messages.length
  }

  /** A message that left for another queue may come back, and is then to be met once more. */
  async forgetWhoLeft(storage: Storage, now: Instant): Promise<void> {
    const queue = await storage.queues.get({ key: this.key, now })
    const found = queue && (await storage.messages.get({ queue, ids: [...this.#met], now }))
    const here = found === STALE ? [] : (found ?? []).map((message) => message.id)
    for (const id of this.#met) {
      if (!here.includes(id)) this.#met.delete(id)
    }
  }

  /** The queue is gone, and its contents may come back with all their markers. */
  startAgain(): void {
    this.#met.clear()
    this.#marker = null
  }

  async checkAllWereMet(storage: Storage, now: Instant): Promise<void> {
    while ((await this.readPage(storage, 20, now)) > 0);
    const { messages } = await this.#list(storage, null, Number.MAX_SAFE_INTEGER, now)
    const skipped = messages.map(({ id }) => id).filter((id) => !this.#met.has(id))
    assert.deepEqual(skipped, [], `No skip: who followed the markers of ${this.key.name} never met these`)
  }

  async #list(storage: Storage, after: string | null, limit: number, now: Instant) {
    const queue = await storage.queues.get({ key: this.key, now })
    if (!queue) return { messages: [], marker: null }
    const page = await storage.messages.list({
      queue,
      after,
      limit,
      hideClientId: null,
      includeClaimed: true,
      includeDelayed: this.#includeDelayed,
      now,
    })
    assert(page !== STALE)
    return page
  }
}
