import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { knowing } from '../older.ts'

/** Neither `name` nor `with_count` was known, and nothing else was taken for a filter. (contract http.md 3.1.5) */
export const queueListsHadNoFilters = knowing(listQueues, ['marker', 'limit', 'detailed'])
