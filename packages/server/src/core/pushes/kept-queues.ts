import type { QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Storage } from '../../storage/contract.ts'

interface Kept {
  /** Of those who want it kept. */
  count: number
  readonly beginning: Promise<() => void>
}

/** Has the storage keep what is removed from queues, once for all who follow one. */
export class KeptQueues {
  readonly #keepGone: Storage['keepGone']
  readonly #queues = new Map<string, Kept>()

  constructor({ keepGone }: Pick<Storage, 'keepGone'>) {
    this.#keepGone = keepGone
  }

  /**
   * From when it resolves until its answer is called.
   * @throws StorageUnavailable
   */
  async keep(key: QueueKey): Promise<() => void> {
    const id = queueId(key)
    const kept = this.#queues.get(id) ?? { count: 0, beginning: this.#keepGone(key) }
    this.#queues.set(id, kept)
    kept.count += 1
    try {
      await kept.beginning
    } catch (error) {
      // Whoever comes now tries anew.
      if (this.#queues.get(id) === kept) this.#queues.delete(id)
      throw error
    }
    return () => void this.#leave(id, kept)
  }

  async #leave(id: string, kept: Kept): Promise<void> {
    kept.count -= 1
    if (kept.count > 0) return
    this.#queues.delete(id)
    const end = await kept.beginning
    end()
  }
}
