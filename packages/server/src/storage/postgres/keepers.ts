import type { QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { Lanes } from './lanes.ts'

/** How long a queue stays kept after this node was last heard of: no shorter than the server may be out of reach. */
const KEEP_SECONDS = 600
const PROLONG_MS = 200_000
const RETRY_MS = 1_000
/** Queues that one transaction prolongs. */
const QUEUES_AT_ONCE = 500

interface Kept {
  readonly key: QueueKey
  /** How many want it. */
  wishes: number
  /** Settled once the server keeps it. */
  readonly isKept: Promise<void>
  /** The server ceased to keep it, and could not be made to again by now. */
  isLost: boolean
}

/** Has the server keep what is removed from queues that are followed here, see `moves/gone.sql`. */
export class Keepers {
  readonly #lanes: Lanes
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()
  #timer: Timer | null = null
  #isClosed = false

  constructor(lanes: Lanes, clock: Clock) {
    this.#lanes = lanes
    this.#clock = clock
  }

  /** As `QueueEngine.keepGone`. */
  async keep(key: QueueKey): Promise<() => void> {
    const id = queueId(key)
    const kept = this.#kept.get(id) ?? { key, wishes: 0, isKept: this.#begin(key), isLost: false }
    this.#kept.set(id, kept)
    kept.wishes += 1
    let isWished = true
    const release = () => {
      if (!isWished) return
      isWished = false
      kept.wishes -= 1
      // On the server it ends by itself.
      if (kept.wishes === 0) this.#kept.delete(id)
    }
    try {
      await kept.isKept
    } catch (error) {
      release()
      throw error
    }
    if (this.#timer === null) this.#prolongIn(PROLONG_MS)
    return release
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#kept.clear()
  }

  async #begin(key: QueueKey): Promise<void> {
    await this.#lanes.write('put_keeper', key, { seconds: KEEP_SECONDS })
    await this.#lanes.write('keep_queue', key, {})
  }

  #prolongIn(ms: number): void {
    if (this.#isClosed) return
    this.#timer = this.#clock.at(this.#clock.now() + ms, () => void this.#prolongAll())
  }

  async #prolongAll(): Promise<void> {
    // In the order in which all nodes lock.
    const all = [...this.#kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kept]) => kept)
    try {
      for (let i = 0; i < all.length; i += QUEUES_AT_ONCE) await this.#prolong(all.slice(i, i + QUEUES_AT_ONCE))
    } catch {
      // The server is in trouble, as the moves of others tell.
      return this.#prolongIn(RETRY_MS)
    }
    if (all.length === 0) this.#timer = null
    else this.#prolongIn(PROLONG_MS)
  }

  async #prolong(all: readonly Kept[]): Promise<void> {
    const queues = all.map(({ key: { project, kind, name } }) => [project, kind, name])
    const over = await this.#lanes.alone<number[]>('prolong_keepers', { queues, seconds: KEEP_SECONDS })
    for (const i of over) (all[i] as Kept).isLost = true
    const lost = all.filter(({ isLost }) => isLost)
    const begin = async (kept: Kept) => {
      await this.#begin(kept.key)
      kept.isLost = false
    }
    await Promise.all(lost.map(begin))
  }
}
