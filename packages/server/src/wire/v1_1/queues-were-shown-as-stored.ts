import { getQueue } from '../../core/operations/queues/get-queue.ts'
import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { all, told } from '../older.ts'

/** Reserved attributes that were not set were not shown. (contract http.md 3.1.2, 3.1.5) */
export const queuesWereShownAsStored = all(
  told(getQueue, { showDefaults: false }),
  told(listQueues, { showDefaults: false }),
)
