import type { Claim, Instant } from '../../model/model.ts'
import type { ClaimStore, Stale } from '../contract.ts'
import { type Engine, onQueue } from './engine.ts'
import { deadLetterOf } from './messages.ts'
import { type MessageRow, toMessages } from './rows.ts'

type Created = { incarnation: number; claim: number; messages: MessageRow[] }
type Found = Created & { ttl: number; renewedAt: Instant }
/** Positions in what was finished. */
type Exchanged = { claim: Created | Found | null; gone: number[] }
type Kept = { kept: number[] }
type ListedRow = [number: number, ttlSeconds: number, renewedAt: Instant, messages: number, clientId: string | null]
type Listed = { incarnation: number; claims: ListedRow[]; marker: number | null }

export function createClaimStore({ lanes, identifiers }: Engine): ClaimStore {
  const visit = lanes.visit.bind(lanes)
  const read = lanes.read.bind(lanes)

  /** A claim that was made now says nothing of its terms. */
  function toClaim(made: Created | Found | null, ttlSeconds: number, now: Instant): Claim | null {
    if (made === null) return null
    const { incarnation, claim, messages } = made
    return {
      id: identifiers.ofClaim([incarnation, claim]),
      ...('ttl' in made ? { ttlSeconds: made.ttl, renewedAt: made.renewedAt } : { ttlSeconds, renewedAt: now }),
      messages: toMessages(messages, incarnation, identifiers),
    }
  }

  return {
    create({ queue, clientId, key, limit, ttlSeconds, graceSeconds, deadLetter, now }) {
      const parameters = { clientId, key, limit, ttlSeconds, graceSeconds, ...deadLetterOf(queue, deadLetter), now }
      return onQueue(visit<Created | Found | null | Stale>, { move: 'create_claim', queue, parameters }, (answer) =>
        toClaim(answer as Created | Found | null, ttlSeconds, now),
      )
    },

    exchange({ queue, finished, clientId, key, limit, ttlSeconds, graceSeconds, deadLetter, now }) {
      const named = finished.map(({ id, claimId }) => [...identifiers.message(id), ...identifiers.claim(claimId)])
      const terms = { clientId, key, limit, ttlSeconds, graceSeconds, ...deadLetterOf(queue, deadLetter), now }
      const parameters = { finished: named, ...terms }
      return onQueue(visit<Exchanged | Kept | Stale>, { move: 'exchange_claim', queue, parameters }, (answer) => {
        const idsOf = (indexes: readonly number[]) => [...new Set(indexes.map((i) => finished[i]?.id as string))]
        const exchanged = answer as Exchanged | Kept
        if ('kept' in exchanged) return { kept: idsOf(exchanged.kept) }
        return { claim: toClaim(exchanged.claim, ttlSeconds, now), gone: idsOf(exchanged.gone) }
      })
    },

    get({ queue, claimId, now }) {
      const parameters = { claim: identifiers.claim(claimId), now }
      return onQueue(read<Found | false | Stale>, { move: 'get_claim', queue, parameters }, (answer) => {
        if (answer === false) return null
        const { incarnation, ttl, renewedAt, messages } = answer as Found
        return { id: claimId, ttlSeconds: ttl, renewedAt, messages: toMessages(messages, incarnation, identifiers) }
      })
    },

    list({ queue, after, limit, now }) {
      const parameters = { after: after === null ? null : identifiers.claim(after), limit, now }
      return onQueue(read<Listed | Stale>, { move: 'list_claims', queue, parameters }, (answer) => {
        const { incarnation, claims, marker } = answer as Listed
        const idOf = (number: number) => identifiers.ofClaim([incarnation, number])
        return {
          claims: claims.map(([number, ttlSeconds, renewedAt, messages, clientId]) => ({
            id: idOf(number),
            ...{ ttlSeconds, renewedAt, messages, clientId },
          })),
          marker: marker === null ? null : idOf(marker),
        }
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
