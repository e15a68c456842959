import type { DeadLetterPolicy, Instant, Queue, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { QueueHandle } from '../contract.ts'
import { type Placing, unlessAway } from './placing.ts'

const REMEMBERED = 10_000

/** Messages that a redrive looks at to learn which queues they may go to. */
export const ORIGINS = 1_000

/**
 * Where dead letter queues lie. It may be out of date at any time: a message that meets no dead letter queue as it is
 * known here departs, and its carrier finds the way.
 */
export class DeadLetterQueues {
  readonly #placing: Placing
  /** Null: there is none. */
  readonly #known = new Map<string, Pick<Queue, 'pool' | 'version'> | null>()

  constructor(placing: Placing) {
    this.#placing = placing
  }

  /** The policy as the pool of the queue is to follow it. */
  async policyFor(queue: QueueHandle, policy: DeadLetterPolicy | null, now: Instant): Promise<DeadLetterPolicy | null> {
    if (policy === null || policy.queue === queue.name) return policy
    const { queue: name, maxClaimCount, ttlSeconds } = policy
    // Where nobody can say it now, a message departs, and waits.
    const found = await this.#find({ project: queue.project, kind: queue.kind, name }, now).catch(unlessAway)
    const plain = { queue: name, maxClaimCount, ttlSeconds }
    return found?.pool === queue.pool && found ? { ...plain, version: found.version } : { ...plain, elsewhere: true }
  }

  /** The next one who asks looks it up again. */
  forget(key: QueueKey): void {
    this.#known.delete(queueId(key))
  }

  async #find(key: QueueKey, now: Instant): Promise<Pick<Queue, 'pool' | 'version'> | null> {
    const id = queueId(key)
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const queue = await this.#placing.get(key, now)
    // That it is all kept anew costs a look each.
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(id, queue)
    return queue
  }
}
