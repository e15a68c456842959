import { defineOperation } from '../../execute.ts'
import type { Instant, QueueStats } from '../../model/model.ts'

/** All zero when there is no such queue. */
export const getQueueStats = defineOperation({
  name: 'queues.stats',
  permission: 'queues:stats',
  failure: 'Queue stats could not be read',
  async run({ queue }: { readonly queue: string }, { key, now, storage }): Promise<QueueStats & { now: Instant }> {
    const stats = await storage.queues.stats({ key: key(queue), now })
    return { now, ...(stats ?? { free: 0, claimed: 0, oldest: null, newest: null }) }
  },
})
