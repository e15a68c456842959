import type { MetadataFilter, Queue, QueueStore } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { byPlace, isClaimed, isLive, liveMessages, toMessage } from './message-rules.ts'
import type { Moves } from './moves.ts'
import { findQueue, isSameQueue, isStale, type ModelState, newName, nextNumber, pageBy } from './state.ts'
import type { Watchers } from './watchers.ts'

export function queueMoves(state: ModelState, watchers: Watchers): Moves<QueueStore> {
  return {
    create({ key, metadata }) {
      const existing = findQueue(state, key)
      if (existing) return { created: false, queue: existing }
      const queue: Queue = {
        project: key.project,
        kind: key.kind,
        name: key.name,
        metadata,
        version: newVersion(state),
      }
      state.queues.push(queue)
      // Dead letters may have been waiting for it.
      watchers.notify(key)
      return { created: true, queue }
    },

    get: ({ key }) => findQueue(state, key),

    update({ queue: handle, metadata }) {
      const queue = findQueue(state, handle)
      if (!queue || isStale(state, handle)) return STALE
      const updated = { ...queue, metadata, version: newVersion(state) }
      state.queues = state.queues.map((other) => (other === queue ? updated : other))
      return updated
    },

    // Decision: where the queue is missing, dead letters that wait for it stay.
    delete({ key }) {
      if (!findQueue(state, key)) return
      const stays = (row: { queue: typeof key }) => !isSameQueue(row.queue, key)
      state.queues = state.queues.filter((queue) => !isSameQueue(queue, key))
      state.messages = state.messages.filter(stays)
      state.claims = state.claims.filter(stays)
      state.subscriptions = state.subscriptions.filter(stays)
      state.idempotencyRecords = state.idempotencyRecords.filter(stays)
      state.markers = state.markers.filter(stays)
    },

    list({ project, kind, after, limit, nameContains, metadata }) {
      const wanted = state.queues
        .filter((queue) => queue.project === project && queue.kind === kind)
        .filter((queue) => nameContains === null || queue.name.includes(nameContains))
        .filter((queue) => metadata.every((filter) => passes(queue, filter)))
      return pageBy(wanted, (queue) => queue.name, { after, limit })
    },

    count: ({ project, kind }) =>
      state.queues.filter((queue) => queue.project === project && queue.kind === kind).length,

    usage({ project, now }) {
      const messages = state.messages.filter(({ queue }) => queue.project === project).filter((one) => isLive(one, now))
      return {
        queues: state.queues.filter((queue) => queue.project === project).length,
        messages: messages.length,
        bytes: messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
      }
    },

    // Decision: oldest and newest go by place, a delayed message by the place that it will take.
    stats({ key, now }) {
      if (!findQueue(state, key)) return null
      const messages = liveMessages(state, key, now).sort(byPlace)
      const claimed = messages.filter((message) => isClaimed(state, message, now)).length
      const [oldest = null] = messages
      const newest = messages.at(-1) ?? null
      return {
        free: messages.length - claimed,
        claimed,
        oldest: oldest && toMessage(state, oldest, now),
        newest: newest && toMessage(state, newest, now),
      }
    },
  }
}

function newVersion(state: ModelState): string {
  return newName('version', nextNumber(state))
}

function passes(queue: Queue, { key, anyOf }: MetadataFilter): boolean {
  return Object.hasOwn(queue.metadata, key) && anyOf.some((value) => value === queue.metadata[key])
}
