import type { Instant, QueueStats } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

export interface GetQueueStatsInput {
  readonly queue: string
  /** A missing queue has nothing but zeros when it does not say. */
  readonly whenMissing?: 'show-zeros' | 'fail'
}

export interface FoundQueueStats extends QueueStats {
  readonly now: Instant
  /** All is zero when there is no such queue. */
  readonly exists: boolean
}

export const getQueueStats = defineOperation({
  name: 'queues.stats',
  permission: 'queues:stats',
  failure: 'Queue stats could not be read',
  async run(
    { queue, whenMissing }: GetQueueStatsInput,
    { caller, key, now, storage, queues },
  ): Promise<FoundQueueStats> {
    const stats = await queues.use(key(queue), now, (queue) => storage.queues.stats({ queue, now }))
    if (stats === null && whenMissing === 'fail') {
      throw new ZaqarError('queue.not_found', { queue, project: caller.project })
    }
    return { now, exists: stats !== null, ...(stats ?? { free: 0, claimed: 0, oldest: null, newest: null }) }
  },
})
