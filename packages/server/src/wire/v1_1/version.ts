import { v1_1Resources } from '../home-documents/v1-1.ts'
import { older } from '../older.ts'
import { v2 } from '../v2/version.ts'
import { claimsFinishedNothing } from './claims-finished-nothing.ts'
import { delayedMessagesWereHidden } from './delayed-messages-were-hidden.ts'
import { poolsWereUntagged } from './pools-were-untagged.ts'
import { postsDidNotHeedTheQueue } from './posts-did-not-heed-the-queue.ts'
import { queueListsHadNoFilters } from './queue-lists-had-no-filters.ts'
import { queuesWereShownAsStored } from './queues-were-shown-as-stored.ts'
import { statsWerePlain } from './stats-were-plain.ts'
import { onlyPlainQueuesExisted } from './what-did-not-exist.ts'

export const v1_1 = older(
  v2,
  {
    prefix: '/v1.1',
    entry: { id: '1.1', status: 'DEPRECATED', updated: '2016-7-29T02:22:47Z' },
    home: v1_1Resources,
  },
  [
    onlyPlainQueuesExisted,
    queuesWereShownAsStored,
    queueListsHadNoFilters,
    postsDidNotHeedTheQueue,
    delayedMessagesWereHidden,
    claimsFinishedNothing,
    poolsWereUntagged,
    statsWerePlain,
  ],
)
