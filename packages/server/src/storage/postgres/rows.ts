import type { Instant, Message } from '../../model/model.ts'
import type { Identifiers, Identity } from './identifiers.ts'

/** A message as the SQL function `shown` answers it. */
export type MessageRow = [
  idBucket: number,
  idNumber: number,
  /** Null while it is delayed. */
  place: number | null,
  /** Null where it is the place. */
  posted: number | null,
  body: string,
  ttlSeconds: number,
  createdAt: Instant,
  claim: number | null,
  claimCount: number,
  clientId: string,
]

export function toMessages(rows: readonly MessageRow[], bucket: number, identifiers: Identifiers): Message[] {
  const ids = identifiers.ofMessages(rows.map(([idBucket, idNumber]): Identity => [idBucket, idNumber]))
  // The messages of one answer are mostly held by the same claim.
  const claimIds = new Map<number, string>()
  const claimIdOf = (claim: number) => {
    const id = claimIds.get(claim) ?? identifiers.ofClaim([bucket, claim])
    claimIds.set(claim, id)
    return id
  }
  return rows.map(([, , , , body, ttlSeconds, createdAt, claim, claimCount, clientId], i) => ({
    id: ids[i] as string,
    body,
    clientId,
    ttlSeconds,
    createdAt,
    claimId: claim === null ? null : claimIdOf(claim),
    claimCount,
  }))
}
