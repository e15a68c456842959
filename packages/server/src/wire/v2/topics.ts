import { onTopics } from '../../core/operations/topics/on-topics.ts'
import type { AnyDoor } from '../door.ts'
import { deliveryDoors } from './deliveries.ts'
import { messageDoors } from './messages.ts'
import { allCounts, type Collection, doorsTo, LIST_QUERY } from './queues.ts'
import { subscriptionDoors } from './subscriptions.ts'

const { with_count: _notForTopics, ...listQuery } = LIST_QUERY

const topics: Collection = {
  name: 'topics',
  listQuery,
  // Nothing of a topic is claimed. (contract http.md 3.10)
  counts: (stats) => (stats.exists ? `"total": ${stats.free}` : allCounts(stats)),
}

/** A topic has all that a queue has except claims. */
export const topicDoors: readonly AnyDoor[] = [
  ...doorsTo(topics),
  ...messageDoors,
  ...subscriptionDoors,
  ...deliveryDoors,
].map((door) => ({
  ...door,
  path: door.path.replace('/queues', '/topics'),
  operation: onTopics(door.operation),
}))
