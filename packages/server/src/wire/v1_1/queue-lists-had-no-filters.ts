import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { all, described, knowing, shaped } from '../older.ts'
import { withoutProperties } from '../openapi/json-schema.ts'
import { reworded } from '../openapi/restate.ts'

/** Neither `name` nor `with_count` was known, and nothing else was taken for a filter. (contract http.md 3.1.5) */
export const queueListsHadNoFilters = all(
  knowing(listQueues, ['marker', 'limit', 'detailed']),
  shaped('QueueList', (newer) => withoutProperties(newer, ['count'])),
  described(listQueues, (newer) => ({
    ...newer,
    description: 'Ordered by name.',
    examples: reworded(newer.examples, '&team=billing', ''),
  })),
)
