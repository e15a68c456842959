import type { DeadLetterPolicy, Instant, Message, QueueKey } from 'zaqar/storage'
import { forgetGone, keepIfGone } from './gone.ts'
import {
  addQueue,
  type ClaimRow,
  endOf,
  findQueue,
  isSameQueue,
  type MessageRow,
  type ModelState,
  markUsed,
  newName,
  nextNumber,
  type Place,
} from './state.ts'

export function isLive(message: MessageRow, now: Instant): boolean {
  return now < message.expiresAt
}

export function isVisible(message: MessageRow, now: Instant): boolean {
  return isLive(message, now) && message.visibleAt <= now
}

/** The live messages of the queue, delayed and claimed ones too, in no order. */
export function liveMessages(state: ModelState, queue: QueueKey, now: Instant): MessageRow[] {
  return state.messages.filter((message) => isSameQueue(message.queue, queue) && isLive(message, now))
}

export function findMessage(state: ModelState, queue: QueueKey, id: string, now: Instant): MessageRow | null {
  return liveMessages(state, queue, now).find((message) => message.id === id) ?? null
}

/** What a claim or a pop may take, oldest first. */
export function claimableMessages(state: ModelState, queue: QueueKey, now: Instant): MessageRow[] {
  return liveMessages(state, queue, now)
    .filter((message) => isVisible(message, now) && !isClaimed(state, message, now))
    .sort(byPlace)
}

/** The live claim that holds the message, or null. */
export function holderOf(state: ModelState, message: MessageRow, now: Instant): ClaimRow | null {
  return state.claims.find((claim) => claim.id === message.claimId && now < endOf(claim)) ?? null
}

export function isClaimed(state: ModelState, message: MessageRow, now: Instant): boolean {
  return holderOf(state, message, now) !== null
}

export function byPlace(a: Place, b: Place): number {
  return a.visibleAt - b.visibleAt || a.arrival - b.arrival
}

export function byArrival(a: Place, b: Place): number {
  return a.arrival - b.arrival
}

export function toMessage(state: ModelState, message: MessageRow, now: Instant): Message {
  const { id, body, clientId, ttlSeconds, createdAt, claimCount } = message
  return { id, body, clientId, ttlSeconds, createdAt, claimId: holderOf(state, message, now)?.id ?? null, claimCount }
}

/** One that would expire before the claim ends lives for claim ttl + grace from now on. */
export function lengthen(
  message: MessageRow,
  { ttlSeconds, graceSeconds, now }: { ttlSeconds: number; graceSeconds: number; now: Instant },
): void {
  if (message.expiresAt >= now + ttlSeconds * 1000) return
  message.ttlSeconds = ttlSeconds + graceSeconds
  message.expiresAt = now + message.ttlSeconds * 1000
}

/**
 * The first `limit` messages that may be handed out. Those on the way that were claimed too often move to the dead
 * letter queue instead; `moved` tells how many.
 */
export function takeOrBury(
  state: ModelState,
  {
    queue,
    limit,
    deadLetter,
    now,
  }: { queue: QueueKey; limit: number; deadLetter: DeadLetterPolicy | null; now: Instant },
): { taken: MessageRow[]; moved: number } {
  const policy = deadLetter?.queue === queue.name ? null : deadLetter
  const taken: MessageRow[] = []
  let moved = 0
  for (const message of claimableMessages(state, queue, now)) {
    if (taken.length === limit) break
    if (policy && message.claimCount >= policy.maxClaimCount) {
      bury(state, message, policy, now)
      moved += 1
    } else {
      taken.push(message)
    }
  }
  return { taken, moved }
}

function bury(state: ModelState, message: MessageRow, policy: DeadLetterPolicy, now: Instant): void {
  const target = { ...message.queue, name: policy.queue }
  const departs =
    policy.elsewhere || (policy.version ?? findQueue(state, target)?.version) !== findQueue(state, target)?.version
  keepIfGone(state, message, now)
  if (!departs && !findQueue(state, target)) addQueue(state, target, '{}')
  message.cameFrom = message.queue.name
  if (policy.ttlSeconds !== null) message.expiresAt = now + policy.ttlSeconds * 1000
  if (departs) depart(state, message, policy.queue)
  else moveTo(state, message, policy.queue, now)
}

/** By who consumes them. */
export function remove(state: ModelState, messages: readonly MessageRow[], now: Instant): void {
  for (const message of messages) keepIfGone(state, message, now)
  state.messages = state.messages.filter((message) => !messages.includes(message))
}

/** To the end of another queue of the project: unclaimed, visible, and as if it had never been claimed. */
export function moveTo(state: ModelState, message: MessageRow, name: string, now: Instant): void {
  message.queue = { ...message.queue, name }
  forgetGone(state, message.queue, message.id)
  message.visibleAt = now
  message.arrival = nextNumber(state)
  message.ttlSeconds = restOfLife(message)
  message.claimId = null
  message.claimCount = 0
  markUsed(state, message.queue)
}

/** On its way to a queue of the project that lies in another store. */
export function depart(state: ModelState, message: MessageRow, name: string): void {
  state.messages = state.messages.filter((other) => other !== message)
  const { id, body, clientId, createdAt, expiresAt, cameFrom, queue } = message
  const life = { ttlSeconds: restOfLife(message), createdAt, visibleAt: createdAt, expiresAt }
  state.departures.push({
    id: newName('departure', nextNumber(state)),
    queue: { ...queue, name },
    message: { id, body, clientId, ...life, claimCount: 0, cameFrom, marker: null, posting: null },
  })
}

/** Less its age, what is left of its life, which a claim may have lengthened. Seconds. */
function restOfLife({ expiresAt, createdAt }: MessageRow): number {
  return Math.floor((expiresAt - createdAt) / 1000)
}
