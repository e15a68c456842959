import type { Instant, MetadataFilter, Queue, QueueStore } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { byPlace, isClaimed, isLive, liveMessages, toMessage } from './message-rules.ts'
import type { Moves } from './moves.ts'
import {
  addQueue,
  empty,
  endOf,
  findQueue,
  isSameQueue,
  isStale,
  type ModelState,
  newVersion,
  pageBy,
  toQueue,
} from './state.ts'
import type { Watchers } from './watchers.ts'

export function queueMoves(state: ModelState, watchers: Watchers): Moves<QueueStore> {
  return {
    create({ key, metadata }) {
      const existing = findQueue(state, key)
      if (existing) return { created: false, queue: toQueue(existing) }
      return { created: true, queue: toQueue(addQueue(state, key, metadata)) }
    },

    get({ key }) {
      const queue = findQueue(state, key)
      return queue && toQueue(queue)
    },

    update({ queue: handle, metadata }) {
      const queue = findQueue(state, handle)
      if (!queue || isStale(state, handle)) return STALE
      const updated = { ...queue, metadata, version: newVersion(state) }
      state.queues = state.queues.map((other) => (other === queue ? updated : other))
      return toQueue(updated)
    },

    delete({ queue: handle }) {
      if (isStale(state, handle)) return STALE
      empty(state, handle)
      state.queues = state.queues.filter((queue) => !isSameQueue(queue, handle))
      state.subscriptions = state.subscriptions.filter(({ queue }) => !isSameQueue(queue, handle))
      state.feed = state.feed.filter(({ queue }) => !isSameQueue(queue, handle))
      state.arrivals = state.arrivals.filter(({ queue }) => !isSameQueue(queue, handle))
      watchers.notifySubscriptions(handle)
      return 'deleted'
    },

    list({ project, kind, after, limit, nameContains, metadata, withMetadata }) {
      const wanted = state.queues
        .filter((queue) => queue.project === project && queue.kind === kind)
        .filter((queue) => nameContains === null || queue.name.includes(nameContains))
        .filter((queue) => metadata.every((filter) => passes(queue, filter)))
      const page = pageBy(wanted, (queue) => queue.name, { after, limit })
      return page.map((queue) => ({ name: queue.name, metadata: withMetadata ? queue.metadata : null }))
    },

    count: ({ project, kind }) =>
      state.queues.filter((queue) => queue.project === project && queue.kind === kind).length,

    usage({ project, now }) {
      const messages = state.messages.filter(({ queue }) => queue.project === project).filter((one) => isLive(one, now))
      return {
        queues: state.queues.filter((queue) => queue.project === project).length,
        messages: messages.length,
        bytes: sumOf(messages, ({ body }) => bytesOf(body)) + bytesBesideMessages(state, project, now),
      }
    },

    // Decision: oldest and newest go by place, a delayed message by the place that it will take.
    stats({ queue, countDelayed, now }) {
      if (isStale(state, queue)) return STALE
      const messages = liveMessages(state, queue, now).sort(byPlace)
      const claimed = messages.filter((message) => isClaimed(state, message, now)).length
      const delayed = messages.filter(({ visibleAt }) => visibleAt > now).length
      const [oldest = null] = messages
      const newest = messages.at(-1) ?? null
      return {
        free: messages.length - claimed,
        claimed,
        ...(countDelayed !== undefined && { delayed: Math.min(delayed, countDelayed) }),
        oldest: oldest && toMessage(state, oldest, now),
        newest: newest && toMessage(state, newest, now),
      }
    },
  }
}

/** Documents count without their braces. */
function bytesBesideMessages(state: ModelState, project: string, now: Instant): number {
  const queues = state.queues.filter((queue) => queue.project === project)
  const subscriptions = state.subscriptions.filter((row) => row.queue.project === project && now < endOf(row))
  const records = state.idempotencyRecords.filter((row) => row.queue.project === project && now < row.expiresAt)
  return (
    sumOf(queues, ({ metadata }) => bytesOf(metadata) - 2) +
    sumOf(subscriptions, ({ subscriber, options }) => bytesOf(subscriber) + bytesOf(options) - 2) +
    sumOf(records, ({ key, digest }) => bytesOf(key) + bytesOf(digest))
  )
}

function sumOf<Row>(rows: readonly Row[], bytes: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + bytes(row), 0)
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text)
}

function passes(queue: Queue, { key, anyOf }: MetadataFilter): boolean {
  const metadata = JSON.parse(queue.metadata)
  return Object.hasOwn(metadata, key) && anyOf.some((value) => value === metadata[key])
}
