import type { Instant, Message } from '../model/model.ts'
import type { DoorRequest } from './door.ts'

/** The age in whole seconds. */
export function ageOf(since: Instant, now: Instant): number {
  return Math.max(0, Math.floor((now - since) / 1000))
}

/** The path of the queue or topic that a request is about: `/v2/queues/Q`. */
export function queuePath({ path }: Pick<DoorRequest, 'path'>): string {
  return path.split('/', 4).join('/')
}

export function messagePath(queuePath: string, id: string): string {
  return `${queuePath}/messages/${id}`
}

/** How the messages of a queue are shown. */
export interface MessageView {
  readonly request: Pick<DoorRequest, 'path' | 'messageForm'>
  readonly now: Instant
  /** Whether a claim is what is shown. */
  readonly inClaim?: true
}

/**
 * The documents of messages as a JSON array. No key may ever be added: python-zaqarclient refuses what it does not
 * know. (contract http.md 3.7.1, 1.13)
 */
export function messageDocuments(messages: readonly Message[], view: MessageView): string {
  return `[${messages.map((message) => messageDocument(message, view)).join(', ')}]`
}

// Written out as text, since it is most of what the service sends: bodies are text already, ids and names need no
// escapes.
export function messageDocument(message: Message, view: MessageView): string {
  const { id, claimId, ttlSeconds, createdAt, body } = message
  const isBare = view.request.messageForm === 'bare'
  const claim = claimId === null || (isBare && !view.inClaim) ? '' : `?claim_id=${claimId}`
  const href = `${messagePath(queuePath(view.request), id)}${claim}`
  const common = `"href": "${href}", "ttl": ${ttlSeconds}, "age": ${ageOf(createdAt, view.now)}, "body": ${body}`
  return isBare ? `{${common}}` : `{"id": "${id}", ${common}${checksumPart(message)}}`
}

/** What pop shows. (contract http.md 3.7.6) */
export function poppedDocuments(messages: readonly Message[], view: MessageView): string {
  return `[${messages.map((message) => `{${poppedFields(message, view.now)}${checksumPart(message)}}`).join(', ')}]`
}

/** As upstream stores it. */
export function poppedFields({ id, createdAt, ttlSeconds, body, claimCount }: Message, now: Instant): string {
  const claim = `"claim_id": null, "claim_count": ${claimCount}`
  return `"id": "${id}", "age": ${ageOf(createdAt, now)}, "ttl": ${ttlSeconds}, "body": ${body}, ${claim}`
}

function checksumPart({ checksum }: Message): string {
  return checksum ? `, "checksum": "${checksum}"` : ''
}
