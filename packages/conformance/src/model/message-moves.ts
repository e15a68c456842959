import type { ArrivingMessage, IdempotencyKey, Instant, MessageStore, QueueKey, WholeMessage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { enterWhatIsDue } from './feed.ts'
import { forgetGone, goneFrom, keepIfGone } from './gone.ts'
import {
  byArrival,
  byPlace,
  claimableMessages,
  depart,
  findMessage,
  holderOf,
  isClaimed,
  isVisible,
  liveMessages,
  moveTo,
  remove,
  takeOrBury,
  toMessage,
} from './message-rules.ts'
import type { Moves } from './moves.ts'
import {
  addMarker,
  empty,
  findMarker,
  findQueue,
  type IdempotencyRow,
  isSameQueue,
  isStale,
  type MessageRow,
  type ModelState,
  markUsed,
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
          delaySeconds,
          isToEnter: true,
        }
      })
      state.messages.push(...rows)
      enterWhatIsDue(state, now)
      markUsed(state, queue)
      // Decision: as a marker the id of a message works in the queue that it was posted to, wherever it has moved
      // since.
      for (const { id, arrival } of rows) addMarker(state, queue, id, { visibleAt: now, arrival })
      const ids = rows.map((row) => row.id)
      if (idempotency) state.idempotencyRecords.push({ ...idempotency, queue: keyOf(queue), ids })
      watchers.notify(queue)
      watchers.notifyWork()
      return { ids }
    },

    // Decision: a message that a claim held when it was removed shows among the gone ones whoever asks.
    list({ queue, after, limit, hideClientId, includeClaimed, includeDelayed, includeGone, withMarkers, now }) {
      if (isStale(state, queue)) return STALE
      const compare = includeDelayed ? byArrival : byPlace
      const start = findMarker(state, queue, after)
      const page = [...liveMessages(state, queue, now), ...(includeGone ? goneFrom(state, queue, now) : [])]
        .filter((message) => includeDelayed || isVisible(message, now))
        .filter((message) => includeClaimed || !isClaimed(state, message, now))
        .filter((message) => message.clientId !== hideClientId)
        .filter((message) => start === undefined || compare(message, start) > 0)
        .sort(compare)
        .slice(0, limit)
      const last = page.at(-1)
      return {
        messages: page.map((message) => ({
          ...toMessage(state, message, now),
          ...(withMarkers && { marker: addPageMarker(state, queue, message, false) }),
        })),
        marker: last ? addPageMarker(state, queue, last, false) : null,
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
        remove(state, [message], now)
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
      remove(state, messages, now)
      return { deleted: messages.length }
    },

    pop({ queue, limit, deadLetter, now }) {
      if (isStale(state, queue)) return STALE
      const { taken, moved } = takeOrBury(state, { queue, limit, deadLetter, now })
      remove(state, taken, now)
      if (deadLetter && moved > 0) watchers.notify({ ...keyOf(queue), name: deadLetter.queue })
      return taken.map((message) => toMessage(state, message, now))
    },

    purge({ queue }) {
      if (isStale(state, queue)) return STALE
      empty(state, queue)
      return 'purged'
    },

    // Decisions: by ids they move in the order asked for, each once; messages whose old queue is gone do not count
    // against the limit; the old queue goes by its name; a message that was moved back came from nowhere any more.
    redrive({ queue, ids, limit, elsewhere = [], now }) {
      if (isStale(state, queue)) return STALE
      const movable = claimableMessages(state, queue, now).filter(
        ({ cameFrom }) =>
          cameFrom !== null &&
          cameFrom !== queue.name &&
          (elsewhere.includes(cameFrom) || findQueue(state, { ...keyOf(queue), name: cameFrom })),
      )
      const chosen = ids
        ? [...new Set(ids)].flatMap((id) => movable.find((message) => message.id === id) ?? [])
        : movable.slice(0, limit)
      return chosen.map((message) => {
        const name = message.cameFrom ?? queue.name
        keepIfGone(state, message, now)
        message.cameFrom = null
        if (elsewhere.includes(name)) depart(state, message, name)
        else {
          moveTo(state, message, name, now)
          watchers.notify(message.queue)
        }
        return { id: message.id, queue: name }
      })
    },

    origins({ queue, ids, limit, now }) {
      if (isStale(state, queue)) return STALE
      const came = ids
        ? findMessages(state, queue, ids, now)
        : claimableMessages(state, queue, now).filter(({ cameFrom }) => cameFrom !== null)
      const names = (ids ? came : came.slice(0, limit)).flatMap(({ cameFrom }) => cameFrom ?? [])
      return [...new Set(names)]
    },

    end({ queue, now }) {
      if (isStale(state, queue)) return STALE
      return addEnd(state, queue, now)
    },

    // Decision: a message that is exported while a claim holds it is free where it arrives.
    export({ queue, after, limit, now }) {
      if (isStale(state, queue)) return STALE
      const all = liveMessages(state, queue, now)
      const standing = all.filter((message) => isVisible(message, now)).sort(byPlace)
      const delayed = all.filter((message) => !isVisible(message, now)).sort(byArrival)
      const start = findMarker(state, queue, after)
      const rest =
        start === undefined
          ? [...standing, ...delayed]
          : start.isPosting
            ? delayed.filter((message) => byArrival(message, start) > 0)
            : [...standing.filter((message) => byPlace(message, start) > 0), ...delayed]
      const page = rest.slice(0, limit)
      const last = page.at(-1)
      return {
        messages: page.map((message) => toWholeMessage(state, message, now)),
        marker: last ? addPageMarker(state, queue, last, !isVisible(last, now)) : null,
        end: addEnd(state, queue, now),
      }
    },

    import({ queue, messages, end, now }) {
      if (isStale(state, queue)) return STALE
      goOnAs(state, queue, end)
      const isSame = end !== null && findMarker(state, queue, end) !== undefined
      for (const message of messages) {
        if (isPassedOver(state, queue, message, now)) continue
        const arrival = nextNumber(state)
        const [place, posting] = [message.marker, message.posting].map((marker) =>
          isSame ? findMarker(state, queue, marker) : undefined,
        )
        forgetGone(state, queue, message.id)
        const visibleAt = place?.visibleAt ?? Math.max(message.visibleAt, now)
        state.messages.push({
          id: message.id,
          body: message.body,
          clientId: message.clientId,
          ttlSeconds: message.ttlSeconds,
          createdAt: message.createdAt,
          expiresAt: message.expiresAt,
          claimCount: message.claimCount,
          cameFrom: message.cameFrom,
          claimId: null,
          queue: keyOf(queue),
          arrival: posting?.arrival ?? arrival,
          visibleAt,
          delaySeconds: Math.floor((message.visibleAt - message.createdAt) / 1000),
          isToEnter: visibleAt > now,
        })
        markUsed(state, queue)
      }
      watchers.notify(queue)
      watchers.notifyWork()
      return 'stored'
    },

    departures({ after, limit, now }) {
      const start = state.departures.findIndex(({ id }) => id === after) + 1
      return state.departures
        .slice(start)
        .filter(({ message }) => now < message.expiresAt)
        .slice(0, limit)
    },

    departed({ ids }) {
      state.departures = state.departures.filter(({ id }) => !ids.includes(id))
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

/** The same place has the same marker. */
function addPageMarker(state: ModelState, queue: QueueKey, { visibleAt, arrival }: Place, isPosting: boolean): string {
  const marker = `${isPosting ? 'posting' : 'place'}-${visibleAt}-${arrival}-${incarnationOf(state, queue)}`
  return findMarker(state, queue, marker)?.marker ?? addMarker(state, queue, marker, { visibleAt, arrival }, isPosting)
}

/** Behind everything that is visible; nothing stands before the end of a queue that never had a message. */
function addEnd(state: ModelState, queue: QueueKey, now: Instant): string {
  const arrival = findQueue(state, queue)?.isUsed ? state.counter : 0
  const marker = `end-${now}-${arrival}-${incarnationOf(state, queue)}`
  return addMarker(state, queue, marker, { visibleAt: now, arrival })
}

function incarnationOf(state: ModelState, queue: QueueKey): string | undefined {
  return findQueue(state, queue)?.incarnation
}

/** A queue that never had a message may become the one of which that is the end. */
function goOnAs(state: ModelState, key: QueueKey, end: string | null): void {
  const queue = findQueue(state, key)
  const row = state.markers.find(({ marker }) => marker === end)
  if (!queue || queue.isUsed || !row) return
  queue.incarnation = row.incarnation
  queue.isUsed = row.arrival > 0
}

function isPassedOver(state: ModelState, queue: QueueKey, message: ArrivingMessage, now: Instant): boolean {
  const { departure } = message
  if (departure !== undefined) {
    const hasArrived = state.arrivals.some((row) => row.departure === departure && isSameQueue(row.queue, queue))
    if (hasArrived) return true
    state.arrivals.push({ queue: keyOf(queue), departure })
  }
  return message.expiresAt <= now || findMessage(state, queue, message.id, now) !== null
}

function toWholeMessage(state: ModelState, message: MessageRow, now: Instant): WholeMessage {
  const { id, body, clientId, ttlSeconds, createdAt, expiresAt, claimCount, cameFrom } = message
  const isDelayed = !isVisible(message, now)
  return {
    id,
    body,
    clientId,
    ttlSeconds,
    createdAt,
    visibleAt: isDelayed ? message.visibleAt : createdAt,
    expiresAt,
    claimCount,
    cameFrom,
    marker: isDelayed ? null : addPageMarker(state, message.queue, message, false),
    posting: addPageMarker(state, message.queue, message, true),
  }
}
