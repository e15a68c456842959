import type { Instant, Message } from '../../model/model.ts'
import { ageOf } from '../message-documents.ts'

/** Documents of messages over a socket, as a JSON array. (contract websocket.md 6.2, 6.3) */
export function messageDocuments(messages: readonly Message[], now: Instant): string {
  return `[${messages.map((message) => messageDocument(message, now)).join(', ')}]`
}

export function messageDocument({ id, claimId, ttlSeconds, createdAt, body }: Message, now: Instant): string {
  const claim = claimId === null ? 'null' : `"${claimId}"`
  return `{"id": "${id}", "claim_id": ${claim}, "ttl": ${ttlSeconds}, "age": ${ageOf(createdAt, now)}, "body": ${body}}`
}
