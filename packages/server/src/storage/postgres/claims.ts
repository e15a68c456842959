import type { Instant } from '../../model/model.ts'
import type { ClaimStore, Stale } from '../contract.ts'
import { type Engine, onQueue } from './engine.ts'
import { deadLetterOf } from './messages.ts'
import { type MessageRow, toMessages } from './rows.ts'

type Created = { bucket: number; claim: number; messages: MessageRow[] }
type Found = Created & { ttl: number; renewedAt: Instant }

export function createClaimStore({ lanes, identifiers }: Engine): ClaimStore {
  const visit = lanes.visit.bind(lanes)
  const read = lanes.read.bind(lanes)

  return {
    create({ queue, limit, ttlSeconds, graceSeconds, deadLetter, now }) {
      const parameters = { limit, ttlSeconds, graceSeconds, ...deadLetterOf(queue, deadLetter), now }
      return onQueue(visit<Created | null | Stale>, { move: 'create_claim', queue, parameters }, (answer) => {
        if (answer === null) return null
        const { bucket, claim, messages } = answer as Created
        return {
          id: identifiers.ofClaim([bucket, claim]),
          ttlSeconds,
          renewedAt: now,
          messages: toMessages(messages, bucket, identifiers),
        }
      })
    },

    get({ queue, claimId, now }) {
      const parameters = { claim: identifiers.claim(claimId), now }
      return onQueue(read<Found | false | Stale>, { move: 'get_claim', queue, parameters }, (answer) => {
        if (answer === false) return null
        const { bucket, ttl, renewedAt, messages } = answer as Found
        return { id: claimId, ttlSeconds: ttl, renewedAt, messages: toMessages(messages, bucket, identifiers) }
      })
    },

    renew({ queue, claimId, ttlSeconds, graceSeconds, now }) {
      const parameters = { claim: identifiers.claim(claimId), ttlSeconds, graceSeconds, now }
      return onQueue(visit<boolean | Stale>, { move: 'renew_claim', queue, parameters }, (answer) => answer as boolean)
    },

    release({ queue, claimId, now }) {
      const parameters = { claim: identifiers.claim(claimId), now }
      return onQueue(visit<null | Stale>, { move: 'release_claim', queue, parameters }, () => undefined)
    },
  }
}
