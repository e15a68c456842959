import type { Instant, QueueStats } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { Rates } from '../../message-rates.ts'

/** Delayed messages are not counted beyond. */
export const MOST_DELAYED = 1_000

export interface GetQueueStatsInput {
  readonly queue: string
  /** A missing queue has nothing but zeros when it does not say. */
  readonly whenMissing?: 'show-zeros' | 'fail'
  /** With what costs more to tell, or is only known here: delayed messages and rates. */
  readonly isDetailed?: boolean | undefined
}

export interface FoundQueueStats extends QueueStats {
  readonly now: Instant
  /** All is zero when there is no such queue. */
  readonly exists: boolean
  /** As this node has counted; only where details were asked for. */
  readonly rates: Rates | null
}

export const getQueueStats = defineOperation({
  name: 'queues.stats',
  permission: 'queues:stats',
  failure: 'Queue stats could not be read',
  async run(
    { queue: name, whenMissing, isDetailed = false }: GetQueueStatsInput,
    { caller, key, now, storage, queues, tally },
  ): Promise<FoundQueueStats> {
    const queueKey = key(name)
    const countDelayed = isDetailed ? MOST_DELAYED : undefined
    const stats = await queues.use(queueKey, now, (queue) => storage.queues.stats({ queue, countDelayed, now }))
    if (stats === null && whenMissing === 'fail') {
      throw new ZaqarError('queue.not_found', { queue: name, project: caller.project })
    }
    const found = stats ?? { free: 0, claimed: 0, ...(isDetailed && { delayed: 0 }), oldest: null, newest: null }
    return { now, exists: stats !== null, rates: isDetailed ? tally.rates.of(queueKey, now) : null, ...found }
  },
})
