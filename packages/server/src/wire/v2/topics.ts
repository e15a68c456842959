import { onTopics } from '../../core/operations/topics/on-topics.ts'
import type { AnyDoor } from '../door.ts'
import { type MessageDoorLimits, messageDoors } from './messages.ts'
import { allCounts, type Collection, LIST_QUERY, type QueueDoorLimits, queueDoors } from './queues.ts'
import { subscriptionDoors } from './subscriptions.ts'

const { with_count: _notForTopics, ...listQuery } = LIST_QUERY

const topics: Collection = {
  name: 'topics',
  listQuery,
  // Nothing of a topic is claimed. (contract http.md 3.10)
  counts: (stats) => (stats.exists ? `"total": ${stats.free}` : allCounts(stats)),
}

/** A topic has what a queue has but claims. */
export function topicDoors(limits: QueueDoorLimits & MessageDoorLimits): AnyDoor[] {
  const doors = [...queueDoors(limits, topics), ...messageDoors(limits), ...subscriptionDoors()]
  return doors.map((door) => ({
    ...door,
    path: door.path.replace('/queues', '/topics'),
    operation: onTopics(door.operation),
  }))
}
