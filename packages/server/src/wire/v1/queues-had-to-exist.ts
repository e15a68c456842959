import { postMessages } from '../../core/operations/messages/post-messages.ts'
import { getQueueStats } from '../../core/operations/queues/get-queue-stats.ts'
import { all, told } from '../older.ts'

/** A POST created no queue, and a missing one had no stats. (contract http.md 6.14) */
export const queuesHadToExist = all(
  told(postMessages, { whenMissing: 'fail' }),
  told(getQueueStats, { whenMissing: 'fail' }),
)
