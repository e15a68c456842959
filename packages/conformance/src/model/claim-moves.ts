import type { Claim, ClaimStore, Instant, QueueKey } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import {
  byPlace,
  findMessage,
  holderOf,
  lengthen,
  liveMessages,
  remove,
  takeOrBury,
  toMessage,
} from './message-rules.ts'
import type { Moves } from './moves.ts'
import { type ClaimRow, isSameQueue, isStale, type MessageRow, type ModelState, newName, nextNumber } from './state.ts'
import type { Watchers } from './watchers.ts'

type Terms = Parameters<ClaimStore['create']>[0]

export function claimMoves(state: ModelState, watchers: Watchers): Moves<ClaimStore> {
  function take({ queue, clientId, key, limit, ttlSeconds, graceSeconds, deadLetter, now }: Terms): Claim | null {
    const earlier = key === undefined ? null : findClaimOfKey(state, queue, key, now)
    if (earlier) return toClaim(state, earlier.claim, earlier.messages, now)
    const { project, kind, name } = queue
    const { taken, moved } = takeOrBury(state, { queue, limit, deadLetter, now })
    if (deadLetter && moved > 0) watchers.notify({ project, kind, name: deadLetter.queue })
    if (taken.length === 0) return null
    const claim: ClaimRow = {
      id: newName('claim', nextNumber(state)),
      queue: { project, kind, name },
      clientId: clientId ?? null,
      key,
      ttlSeconds,
      renewedAt: now,
    }
    state.claims.push(claim)
    for (const message of taken) {
      message.claimId = claim.id
      message.claimCount += 1
      lengthen(message, { ttlSeconds, graceSeconds, now })
    }
    watchers.notify(queue)
    return toClaim(state, claim, taken, now)
  }

  return {
    create(terms) {
      return isStale(state, terms.queue) ? STALE : take(terms)
    },

    exchange({ finished, ...terms }) {
      const { queue, now } = terms
      if (isStale(state, queue)) return STALE
      const found = finished.flatMap(({ id, claimId }) => {
        const message = findMessage(state, queue, id, now)
        return message ? [{ message, claimId }] : []
      })
      const kept = found.filter(({ message, claimId }) => holderOf(state, message, now)?.id !== claimId)
      if (kept.length > 0) return { kept: [...new Set(kept.map(({ message }) => message.id))] }
      const ids = new Set(found.map(({ message }) => message.id))
      remove(state, [...new Set(found.map(({ message }) => message))], now)
      const gone = new Set(finished.map(({ id }) => id)).difference(ids)
      return { claim: take(terms), gone: [...gone] }
    },

    get({ queue, claimId, now }) {
      if (isStale(state, queue)) return STALE
      const found = findLiveClaim(state, queue, claimId, now)
      return found && toClaim(state, found.claim, found.messages, now)
    },

    list({ queue, after, limit, now }) {
      if (isStale(state, queue)) return STALE
      const ofQueue = state.claims.filter((claim) => isSameQueue(claim.queue, queue))
      const behind = ofQueue.slice(ofQueue.findIndex(({ id }) => id === after) + 1)
      const live = behind.flatMap(({ id }) => findLiveClaim(state, queue, id, now) ?? [])
      const claims = live.slice(0, limit).map(({ claim, messages }) => {
        const { id, ttlSeconds, renewedAt, clientId } = claim
        return { id, ttlSeconds, renewedAt, messages: messages.length, clientId }
      })
      return { claims, marker: live.length > limit ? (claims.at(-1)?.id ?? null) : null }
    },

    renew({ queue, claimId, ttlSeconds, graceSeconds, now }) {
      if (isStale(state, queue)) return STALE
      const found = findLiveClaim(state, queue, claimId, now)
      if (!found) return false
      found.claim.ttlSeconds = ttlSeconds
      found.claim.renewedAt = now
      for (const message of found.messages) lengthen(message, { ttlSeconds, graceSeconds, now })
      watchers.notify(queue)
      return true
    },

    release({ queue, claimId, now }) {
      if (isStale(state, queue)) return STALE
      const claim = state.claims.find((row) => row.id === claimId && isSameQueue(row.queue, queue))
      // The row stays, since listings may go on behind it.
      if (claim) Object.assign(claim, { ttlSeconds: 0, renewedAt: now })
      watchers.notify(queue)
      return undefined
    },
  }
}

interface LiveClaim {
  readonly claim: ClaimRow
  readonly messages: MessageRow[]
}

function findClaimOfKey(state: ModelState, queue: QueueKey, key: string, now: Instant): LiveClaim | null {
  const made = state.claims.filter((row) => row.key === key && isSameQueue(row.queue, queue))
  return made.map(({ id }) => findLiveClaim(state, queue, id, now)).find((found) => found !== null) ?? null
}

/** A claim is live until its time is over or its last message is gone. */
function findLiveClaim(state: ModelState, queue: QueueKey, claimId: string, now: Instant): LiveClaim | null {
  const claim = state.claims.find((row) => row.id === claimId && isSameQueue(row.queue, queue))
  if (!claim) return null
  const messages = liveMessages(state, queue, now)
    .filter((message) => holderOf(state, message, now) === claim)
    .sort(byPlace)
  return messages.length === 0 ? null : { claim, messages }
}

function toClaim(state: ModelState, claim: ClaimRow, messages: readonly MessageRow[], now: Instant): Claim {
  const { id, ttlSeconds, renewedAt } = claim
  return { id, ttlSeconds, renewedAt, messages: messages.map((message) => toMessage(state, message, now)) }
}
