import type { IdempotencyKey, Instant, MessageStore, QueueKey } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import {
  byArrival,
  byPlace,
  claimableMessages,
  findMessage,
  holderOf,
  isClaimed,
  isVisible,
  liveMessages,
  moveTo,
  takeOrBury,
  toMessage,
} from './message-rules.ts'
import type { Moves } from './moves.ts'
import {
  findQueue,
  type IdempotencyRow,
  isSameQueue,
  isStale,
  type MessageRow,
  type ModelState,
  newName,
  nextNumber,
  type Place,
} from './state.ts'
import type { Watchers } from './watchers.ts'

export function messageMoves(state: ModelState, watchers: Watchers): Moves<MessageStore> {
  return {
    append({ queue, clientId, messages, idempotency, now }) {
      if (isStale(state, queue)) return STALE
      const earlier = idempotency && findRecord(state, queue, idempotency, now)
      if (earlier) return earlier.digest === idempotency.digest ? { ids: [...earlier.ids] } : 'conflict'
      const rows = messages.map(({ body, ttlSeconds, delaySeconds }): MessageRow => {
        const arrival = nextNumber(state)
        return {
          id: newName('message', arrival),
          queue: keyOf(queue),
          body,
          createdAt: now,
          clientId,
          ttlSeconds,
          expiresAt: now + ttlSeconds * 1000,
          visibleAt: now + delaySeconds * 1000,
          arrival,
          claimId: null,
          claimCount: 0,
          cameFrom: null,
        }
      })
      state.messages.push(...rows)
      // Decision: as a marker the id of a message works in the queue that it was posted to, wherever it has moved since.
      for (const { id, arrival } of rows) addMarker(state, queue, id, { visibleAt: now, arrival })
      const ids = rows.map((row) => row.id)
      if (idempotency) state.idempotencyRecords.push({ ...idempotency, queue: keyOf(queue), ids })
      watchers.notify(queue)
      return { ids }
    },

    list({ queue, after, limit, hideClientId, includeClaimed, includeDelayed, now }) {
      if (isStale(state, queue)) return STALE
      const compare = includeDelayed ? byArrival : byPlace
      const start = state.markers.find((row) => row.marker === after && isSameQueue(row.queue, queue))
      const page = liveMessages(state, queue, now)
        .filter((message) => includeDelayed || isVisible(message, now))
        .filter((message) => includeClaimed || !isClaimed(state, message, now))
        .filter((message) => message.clientId !== hideClientId)
        .filter((message) => start === undefined || compare(message, start) > 0)
        .sort(compare)
        .slice(0, limit)
      const last = page.at(-1)
      return {
        messages: page.map((message) => toMessage(state, message, now)),
        marker: last ? addMarker(state, queue, newName('page', nextNumber(state)), last) : null,
      }
    },

    get({ queue, ids, now }) {
      if (isStale(state, queue)) return STALE
      return findMessages(state, queue, ids, now).map((message) => toMessage(state, message, now))
    },

    delete({ queue, id, claimId, now }) {
      if (isStale(state, queue)) return STALE
      const message = findMessage(state, queue, id, now)
      if (!message) return 'absent'
      const holder = holderOf(state, message, now)
      const mayGo = claimId === null ? holder === null : holder?.id === claimId
      if (mayGo) {
        remove(state, [message])
        return 'deleted'
      }
      if (claimId === null) return 'held'
      if (holder === null) return 'not-claimed'
      return holdsAny(state, queue, claimId, now) ? 'held' : 'claim-not-live'
    },

    deleteMany({ queue, ids, claimIds, now }) {
      if (isStale(state, queue)) return STALE
      const messages = findMessages(state, queue, ids, now)
      const mayGo = (message: MessageRow) => {
        const holder = holderOf(state, message, now)
        return holder !== null && claimIds?.includes(holder.id)
      }
      if (claimIds && !messages.every(mayGo)) return 'held'
      remove(state, messages)
      return 'deleted'
    },

    pop({ queue, limit, deadLetter, now }) {
      if (isStale(state, queue)) return STALE
      const { taken, moved } = takeOrBury(state, { queue, limit, deadLetter, now })
      remove(state, taken)
      if (deadLetter && moved > 0) watchers.notify({ ...keyOf(queue), name: deadLetter.queue })
      return taken.map((message) => toMessage(state, message, now))
    },

    purge({ queue: handle }) {
      if (isStale(state, handle)) return STALE
      const stays = (row: { queue: QueueKey }) => !isSameQueue(row.queue, handle)
      state.messages = state.messages.filter(stays)
      state.claims = state.claims.filter(stays)
      state.idempotencyRecords = state.idempotencyRecords.filter(stays)
      return 'purged'
    },

    // Decisions: by ids they move in the order asked for, each once; messages whose old queue is gone do not count against
    // the limit; the old queue goes by its name; a message that was moved back came from nowhere any more.
    redrive({ queue, ids, limit, now }) {
      if (isStale(state, queue)) return STALE
      const movable = claimableMessages(state, queue, now).filter(
        ({ cameFrom }) => cameFrom !== null && findQueue(state, { ...keyOf(queue), name: cameFrom }),
      )
      const chosen = ids
        ? [...new Set(ids)].flatMap((id) => movable.find((message) => message.id === id) ?? [])
        : movable.slice(0, limit)
      return chosen.map((message) => {
        const name = message.cameFrom ?? queue.name
        moveTo(state, message, name, now)
        message.cameFrom = null
        watchers.notify(message.queue)
        return { id: message.id, queue: name }
      })
    },
  }
}

function keyOf({ project, kind, name }: QueueKey): QueueKey {
  return { project, kind, name }
}

function findRecord(
  state: ModelState,
  queue: QueueKey,
  { key }: IdempotencyKey,
  now: Instant,
): IdempotencyRow | undefined {
  return state.idempotencyRecords.find(
    (record) => isSameQueue(record.queue, queue) && record.key === key && now < record.expiresAt,
  )
}

/** In the order asked for, each once. */
function findMessages(state: ModelState, queue: QueueKey, ids: readonly string[], now: Instant): MessageRow[] {
  return [...new Set(ids)].flatMap((id) => findMessage(state, queue, id, now) ?? [])
}

function holdsAny(state: ModelState, queue: QueueKey, claimId: string, now: Instant): boolean {
  return liveMessages(state, queue, now).some((message) => holderOf(state, message, now)?.id === claimId)
}

function remove(state: ModelState, messages: readonly MessageRow[]): void {
  state.messages = state.messages.filter((message) => !messages.includes(message))
}

function addMarker(state: ModelState, queue: QueueKey, marker: string, { visibleAt, arrival }: Place): string {
  state.markers.push({ queue: keyOf(queue), marker, visibleAt, arrival })
  return marker
}
