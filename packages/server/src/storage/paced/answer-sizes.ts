import { type QueueKey, queueId } from '../contract.ts'

/** A number each. */
const REMEMBERED = 10_000

/** How large the messages of queues are, as far as they have passed here: an estimate, and forgotten at any time. */
export class AnswerSizes {
  readonly #largest = new Map<string, number>()

  /** Bytes of a large message of the queue; null when none has passed. */
  of(key: QueueKey): number | null {
    return this.#largest.get(queueId(key)) ?? null
  }

  /** A message of so many bytes went into the queue. */
  posted(key: QueueKey, bytes: number): void {
    const known = this.of(key)
    if (known === null || known < bytes) this.#remember(key, bytes)
  }

  /** Some came out, the largest of so many bytes. What was larger once counts less with each time. */
  read(key: QueueKey, bytes: number): void {
    this.#remember(key, Math.max(bytes, Math.floor((this.of(key) ?? 0) * 0.9)))
  }

  #remember(key: QueueKey, bytes: number): void {
    const id = queueId(key)
    if (this.#largest.size >= REMEMBERED && !this.#largest.has(id)) {
      for (const oldest of this.#largest.keys()) {
        this.#largest.delete(oldest)
        break
      }
    }
    this.#largest.set(id, bytes)
  }
}
