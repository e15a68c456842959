import type { Departure, Instant, Message, WholeMessage } from '../../model/model.ts'
import type { Identifiers } from './identifiers.ts'

/** A message as the SQL function `shown` answers it. */
export type MessageRow = [
  /** Null where it is that of the queue. */
  idIncarnation: number | null,
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

/** A message as the SQL function `shown_whole` answers it. */
export type WholeRow = [
  idIncarnation: number | null,
  idNumber: number,
  place: number | null,
  posted: number | null,
  body: string,
  ttlSeconds: number,
  createdAt: Instant,
  visibleAt: Instant,
  expiresAt: Instant,
  claimCount: number,
  clientId: string,
  cameFrom: string | null,
]

export type DepartureRow = {
  incarnation: number
  number: number
  project: string
  kind: 'queue' | 'topic'
  name: string
  message: [
    idIncarnation: number,
    idNumber: number,
    body: string,
    ttlSeconds: number,
    createdAt: Instant,
    expiresAt: Instant,
    clientId: string,
    cameFrom: string | null,
  ]
}

export function toMessages(rows: readonly MessageRow[], incarnation: number, identifiers: Identifiers): Message[] {
  const ids = idsOf(rows, incarnation, identifiers)
  // The messages of one answer are mostly held by the same claim.
  const claimIds = new Map<number, string>()
  const claimIdOf = (claim: number) => {
    const id = claimIds.get(claim) ?? identifiers.ofClaim([incarnation, claim])
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

export function toWholeMessages(
  rows: readonly WholeRow[],
  incarnation: number,
  identifiers: Identifiers,
): WholeMessage[] {
  const ids = idsOf(rows, incarnation, identifiers)
  return rows.map(
    ([, , place, posted, body, ttlSeconds, createdAt, visibleAt, expiresAt, claimCount, clientId, cameFrom], i) => ({
      id: ids[i] as string,
      body,
      clientId,
      ttlSeconds,
      createdAt,
      visibleAt,
      expiresAt,
      claimCount,
      cameFrom,
      marker: place === null ? null : identifiers.ofMarker(incarnation, place),
      posting: identifiers.ofPosting(incarnation, posted ?? (place as number)),
    }),
  )
}

export function toDepartures(rows: readonly DepartureRow[], identifiers: Identifiers): Departure[] {
  const ids = identifiers.ofMessages(rows.map(({ message }) => [message[0], message[1], message[4]]))
  return rows.map(({ incarnation, number, project, kind, name, message }, i) => {
    const [, , body, ttlSeconds, createdAt, expiresAt, clientId, cameFrom] = message
    const life = { ttlSeconds, createdAt, visibleAt: createdAt, expiresAt, claimCount: 0 }
    return {
      id: identifiers.ofDeparture([incarnation, number]),
      queue: { project, kind, name },
      message: { id: ids[i] as string, body, clientId, ...life, cameFrom, marker: null, posting: null },
    }
  })
}

/** Where they stand, by place, or in the order of posting. */
export function positionsOf(
  rows: readonly (MessageRow | WholeRow)[],
  incarnation: number,
  identifiers: Identifiers,
  isPosting: boolean,
): string[] {
  const numbers = rows.map(([, , place, posted]) => (isPosting ? (posted ?? place) : place) as number)
  return identifiers.ofPositions(isPosting ? 'posting' : 'marker', incarnation, numbers)
}

function idsOf(
  rows: readonly (MessageRow | WholeRow)[],
  incarnation: number,
  identifiers: Identifiers,
): readonly string[] {
  return identifiers.ofMessages(rows.map((row) => [row[0] ?? incarnation, row[1], row[6]]))
}
