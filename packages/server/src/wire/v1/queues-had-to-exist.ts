import { postMessages } from '../../core/operations/messages/post-messages.ts'
import { getQueueStats } from '../../core/operations/queues/get-queue-stats.ts'
import { all, described, told } from '../older.ts'

/** A POST created no queue, and a missing one had no stats. (contract http.md 6.14) */
export const queuesHadToExist = all(
  told(postMessages, { whenMissing: 'fail' }),
  described(postMessages, ({ errors = [], ...newer }) => ({
    ...newer,
    description: 'All are stored, or none. The queue must exist.',
    errors: [...errors.filter((code) => code !== 'quota.queues'), 'queue.not_found'],
  })),
  told(getQueueStats, { whenMissing: 'fail' }),
  described(getQueueStats, ({ description: _allIsZero, ...newer }) => ({ ...newer, errors: ['queue.not_found'] })),
)
