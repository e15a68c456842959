import { getQueue } from '../../core/operations/queues/get-queue.ts'
import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { all, described, told } from '../older.ts'
import { reshaped } from '../openapi/restate.ts'
import { METADATA } from '../v2/queue-docs.ts'

/** Reserved attributes that were not set were not shown. (contract http.md 3.1.2, 3.1.5) */
export const queuesWereShownAsStored = all(
  told(getQueue, { showDefaults: false }),
  told(listQueues, { showDefaults: false }),
  described(getQueue, (newer) => ({
    ...newer,
    description: 'As it is stored; empty when there is no such queue.',
    examples: reshaped(newer.examples, () => METADATA),
  })),
)
