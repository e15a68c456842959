import { defineOperation } from '../../execute.ts'
import type { Instant, QueueStats } from '../../model/model.ts'

export interface FoundQueueStats extends QueueStats {
  readonly now: Instant
  /** All is zero when there is no such queue. */
  readonly exists: boolean
}

export const getQueueStats = defineOperation({
  name: 'queues.stats',
  permission: 'queues:stats',
  failure: 'Queue stats could not be read',
  async run({ queue }: { readonly queue: string }, { key, now, storage }): Promise<FoundQueueStats> {
    const stats = await storage.queues.stats({ key: key(queue), now })
    return { now, exists: stats !== null, ...(stats ?? { free: 0, claimed: 0, oldest: null, newest: null }) }
  },
})
