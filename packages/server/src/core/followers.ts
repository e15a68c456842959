import type { QueueKey } from '../model/model.ts'
import { queueId } from '../model/queue-id.ts'
import { FollowedQueue, type FollowerParts } from './followed-queue.ts'
import type { Listing, Page } from './listing.ts'

/** Somebody who wants to see what a listing shows, and then what comes. */
export interface Follower extends Listing {
  /** Stops at the first page that is not empty, which is what the listing would answer. */
  readonly once: boolean
  /** What is made of a page is made once for all to whom it is handed. Else a long one waits for memory for each. */
  readonly sharesPages?: true
  /**
   * Takes a page, never an empty one, and goes on behind it. With a promise it gets no other page before that resolves,
   * and then what came meanwhile. A follower that throws, or rejects, has stopped,
   * as has one for whose page there is no memory.
   */
  onPage(page: Page): void | Promise<void>
  /**
   * Messages could not be read. One that does not stop at its first page stays where it is, and they are read again
   * soon.
   */
  onFailure(error: unknown): void
  /** It has stopped, for this. */
  onStopped(error: unknown): void
  /**
   * One that had seen all there was may have missed some that are removed (`GONE_MS`), since nothing was read for it for
   * too long, or too much was removed. It goes on where it is, unless it stops.
   */
  onMissed?(): void
}

export interface Following {
  /** It gets nothing more. May be called twice. */
  stop(): void
}

/**
 * Those who follow queues. For each queue there is one reader, which reads when the storage tells of news, once for all
 * followers who stand at the same place and want to see the same. Whoever keeps up stands where all the others stand.
 */
export class Followers {
  readonly #parts: FollowerParts
  readonly #queues = new Map<string, FollowedQueue>()

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** The queue need not exist; it may go and come again. */
  follow(follower: Follower): Following {
    return this.#queueOf(follower.key).add(follower)
  }

  #queueOf(key: QueueKey): FollowedQueue {
    const id = queueId(key)
    let queue = this.#queues.get(id)
    if (queue === undefined) {
      queue = new FollowedQueue(key, this.#parts, () => this.#queues.delete(id))
      this.#queues.set(id, queue)
    }
    return queue
  }
}
