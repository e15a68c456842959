import { listClaims } from '../../core/operations/claims/list-claims.ts'
import { followMessages } from '../../core/operations/messages/follow-messages.ts'
import { redriveMessages } from '../../core/operations/messages/redrive-messages.ts'
import { purgeQueue } from '../../core/operations/queues/purge-queue.ts'
import { shareQueue } from '../../core/operations/queues/share-queue.ts'
import { updateQueue } from '../../core/operations/queues/update-queue.ts'
import { listPermissions } from '../../core/operations/service/list-permissions.ts'
import { all, removed } from '../older.ts'

// Contract http.md 1.1.

/** Metadata was given once, when the queue was created. */
const queuesCouldNotBePatched = removed(({ operation }) => operation === updateQueue)

const queuesCouldNotBePurged = removed(({ operation }) => operation === purgeQueue)

const queuesCouldNotBeShared = removed(({ operation }) => operation === shareQueue)

const subscriptionsDidNotExist = removed(({ path }) => path.startsWith('/queues/:queue/subscriptions'))

const topicsDidNotExist = removed(({ path }) => path.startsWith('/topics'))

/** The route is an addition of this service, which old versions need not have. */
const deadLettersStayedWhereTheyWere = removed(({ operation }) => operation === redriveMessages)

/** An addition of this service, which old versions need not have. */
const messagesWereNotStreamed = removed(({ operation }) => operation === followMessages)

/** An addition of this service, which old versions need not have. */
const claimsWereNotListed = removed(({ operation }) => operation === listClaims)

/** An addition of this service, which old versions need not have. */
const permissionsWereNotListed = removed(({ operation }) => operation === listPermissions)

/** Additions of this service, which old versions need not have. */
const queuesStayedOnTheirPools = removed(({ path }) => path.endsWith('/drain') || path === '/rebalance')

export const onlyPlainQueuesExisted = all(
  queuesCouldNotBePatched,
  queuesCouldNotBePurged,
  queuesCouldNotBeShared,
  subscriptionsDidNotExist,
  topicsDidNotExist,
  deadLettersStayedWhereTheyWere,
  messagesWereNotStreamed,
  claimsWereNotListed,
  permissionsWereNotListed,
  queuesStayedOnTheirPools,
)
