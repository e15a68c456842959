import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Instant, Message } from '../../model/model.ts'
import { instantBits, type Sealer, type Unsealed } from '../sealed-id.ts'
import { limited } from './limited.ts'
import { NEVER, type QueueState } from './queue-states.ts'

/** Where a message is, and what deleting it takes to know. */
export interface MessageSpot {
  /** Of `message`, or of `delayed` when it has no place yet. */
  readonly rowid: number
  readonly place: number | null
  readonly claim: number | null
  readonly bytes: number
}

/** A message as it is read back. */
export interface MessageRow extends Omit<MessageSpot, 'bytes'> {
  readonly expires_at: Instant
  readonly created_at: Instant
  readonly claim_count: number
  readonly ttl: number
  /** What its id tells, where that is not the incarnation of the queue and the place. */
  readonly born_incarnation: number | null
  readonly born: number | null
  readonly client: string
  readonly body: string
}

export interface ListedRow extends MessageRow {
  /** Its number from its POST, where that is not its place. */
  readonly posted: number | null
}

export interface Page {
  readonly rows: readonly ListedRow[]
  /** The position behind which the next page begins; null when there is nothing more. */
  readonly end: number | null
}

export interface Birth {
  readonly incarnation: number
  readonly number: number
}

/** What `message.claim` holds when no claim does. */
export const NO_CLAIM = 2 ** 32

const CLAIM = `nullif(claim, ${NO_CLAIM}) - ${NO_CLAIM} AS claim`
const SHOWN = `rowid, place, ${CLAIM}, expires_at, created_at, claim_count, ttl, born_incarnation, born, client, body`
export const LISTED = `${SHOWN}, posted`
const DELAYED = `rowid, NULL AS place, NULL AS claim, expires_at, created_at, 0 AS claim_count, ttl, born_incarnation, ifnull(born, number) AS born, client, body`
export const LISTED_DELAYED = `${DELAYED}, number AS posted`
const SPOT = `rowid, place, ${CLAIM}, octet_length(body) AS bytes, expires_at, created_at`
const DELAYED_SPOT = 'rowid, NULL AS place, NULL AS claim, octet_length(body) AS bytes, expires_at, created_at'

interface PageForm {
  /** By order of posting, otherwise by place. */
  readonly isByPosting: boolean
  /** Each message has its own. */
  readonly withMarkers: boolean
}

interface ListedPage {
  readonly messages: Message[]
  readonly marker: string | null
}

/** Reads messages, by id and in order. */
export class MessageRows {
  readonly #sealer: Sealer
  readonly #shown: Lookups
  readonly #spots: Lookups
  readonly #byPlace: StatementSync
  readonly #behind: (limit: number) => StatementSync
  readonly #freeBehind: (limit: number) => StatementSync
  readonly #returnedBehind: (limit: number) => StatementSync
  readonly #delayedBehind: (limit: number) => StatementSync
  readonly #postedBehind: (limit: number) => StatementSync
  readonly #freePostedBehind: (limit: number) => StatementSync
  readonly #oldest: StatementSync
  readonly #newest: StatementSync
  readonly #nextDelayed: StatementSync
  readonly #lastDelayed: StatementSync

  constructor(db: DatabaseSync, sealer: Sealer) {
    this.#sealer = sealer
    this.#shown = lookups(db, SHOWN, DELAYED)
    this.#spots = lookups(db, SPOT, DELAYED_SPOT)
    this.#byPlace = db.prepare(`SELECT ${LISTED} FROM message WHERE bucket = ? AND place = ?`)
    const listed = `SELECT ${LISTED} FROM message WHERE bucket = ?1 AND expires_at > ?3`
    const posted = (isFree: 0 | 1) =>
      `${listed} AND (claim = ${NO_CLAIM}) = ${isFree} AND posted > ?2 AND posted IS NOT NULL`
    this.#behind = limited(db, `${listed} AND place > ?2 ORDER BY place`)
    this.#freeBehind = limited(db, `${listed} AND place > ?2 AND claim = ${NO_CLAIM} ORDER BY place`)
    this.#returnedBehind = limited(
      db,
      `SELECT ${LISTED} FROM message INDEXED BY message_returned
       WHERE bucket = ?1 AND place > ?2 AND expires_at > ?3 AND place < ?4 AND claim = ${NO_CLAIM} AND claim_count > 0
       ORDER BY place`,
    )
    this.#delayedBehind = limited(
      db,
      `SELECT ${LISTED_DELAYED} FROM delayed
       WHERE bucket = ?1 AND number > ?2 AND expires_at > ?3 ORDER BY number`,
    )
    this.#freePostedBehind = limited(db, `${posted(1)} ORDER BY posted`)
    this.#postedBehind = limited(db, `${posted(1)} UNION ALL ${posted(0)} ORDER BY posted`)
    const edge = (order: string) =>
      db.prepare(
        `SELECT ${SHOWN} FROM message WHERE bucket = ?1 AND place >= ?2 AND expires_at > ?3 ORDER BY place ${order} LIMIT 1`,
      )
    this.#oldest = edge('ASC')
    this.#newest = edge('DESC')
    const delayedEdge = (order: string) =>
      db.prepare(
        `SELECT ${DELAYED} FROM delayed WHERE bucket = ?1 AND expires_at > ?2
         ORDER BY due_at ${order}, number ${order} LIMIT 1`,
      )
    this.#nextDelayed = delayedEdge('ASC')
    this.#lastDelayed = delayedEdge('DESC')
  }

  byPlace({ bucket }: QueueState, place: number): ListedRow | null {
    return (this.#byPlace.get(bucket, place) as ListedRow | undefined) ?? null
  }

  /** Those of the ids that name a message of the queue, each once. */
  byIds(state: QueueState, ids: readonly string[], now: Instant): MessageRow[] {
    return [...new Set(ids)]
      .map((id) => this.#byId<MessageRow>(this.#shown, state, id, now))
      .filter((row) => row !== null)
  }

  /** Where the message of that id is, if it is in the queue. */
  spot(state: QueueState, id: string, now: Instant): MessageSpot | null {
    return this.#byId<MessageSpot>(this.#spots, state, id, now)
  }

  /** Those of the ids that name a message of the queue, each once. */
  spots(state: QueueState, ids: readonly string[], now: Instant): MessageSpot[] {
    return [...new Set(ids)].map((id) => this.spot(state, id, now)).filter((spot) => spot !== null)
  }

  /** The oldest visible messages that no claim holds: what came back stands before what was never claimed. */
  firstVisible(state: QueueState, now: Instant, limit: number): ListedRow[] {
    const returned = this.#returned(state, 0, now, limit)
    state.firstReturned = returned[0]?.place ?? NEVER
    if (returned.length === limit) return returned
    const fresh = this.#fresh(state, 0, now, limit - returned.length)
    state.fresh = fresh[0]?.place ?? state.last + 1
    return returned.length === 0 ? fresh : [...returned, ...fresh]
  }

  /** `taken`, the first that are visible, are held now or gone. */
  took(state: QueueState, taken: readonly MessageRow[]): void {
    const { fresh } = state
    for (const row of taken) {
      const behind = (row.place as number) + 1
      if (behind > fresh) state.fresh = behind
      else state.firstReturned = behind
    }
  }

  /** Messages behind a place, in that order. */
  page(state: QueueState, includeClaimed: boolean, after: number, now: Instant, limit: number): Page {
    const rows = includeClaimed ? this.#all(state, after, now, limit) : this.#free(state, after, now, limit)
    return { rows, end: rows.length < limit ? null : (rows.at(-1)?.place as number) }
  }

  /** Messages behind a position in the order of posting, delayed ones too. */
  postedPage(state: QueueState, includeClaimed: boolean, after: number, now: Instant, limit: number): Page {
    if (!state.delays) return this.page(state, includeClaimed, after, now, limit)
    const posted = includeClaimed ? this.#postedBehind : this.#freePostedBehind
    const parts = [
      this.#delayedBehind(limit).all(state.bucket, after, now),
      posted(limit).all(state.bucket, after, now),
    ] as unknown as ListedRow[][]
    const placed = this.page(state, includeClaimed, after, now, limit)
    // One that was delayed is here a second time, at its place.
    parts.push(placed.rows.filter((row) => row.posted === null))
    // Behind the last row of a full part there may be more of it.
    const ends = parts
      .slice(0, 2)
      .flatMap((part) => (part.length < limit ? [] : [positionOf(part.at(-1) as ListedRow)]))
    if (placed.end !== null) ends.push(placed.end)
    const end = Math.min(...ends, NEVER)
    const rows = parts
      .flat()
      .filter((row) => positionOf(row) <= end)
      .sort((a, b) => positionOf(a) - positionOf(b))
    return { rows, end: end === NEVER ? null : end }
  }

  /** First and last by place, claimed and delayed ones included; nothing when the queue is empty. */
  edges(state: QueueState, now: Instant): MessageRow[] {
    const { bucket, live } = state
    const oldest = this.#oldest.get(bucket, live, now) ?? this.#nextDelayed.get(bucket, now)
    const newest = this.#lastDelayed.get(bucket, now) ?? this.#newest.get(bucket, live, now)
    return [oldest, newest].filter((row) => row !== undefined) as unknown as MessageRow[]
  }

  toMessages(rows: readonly MessageRow[], state: QueueState): Message[] {
    return toMessages(rows, this.#sealer.sealAll(unsealedNames(rows, state)))
  }

  /** A page of a listing, with the marker of its last message, or those of all. */
  toPage(rows: readonly ListedRow[], state: QueueState, { isByPosting, withMarkers }: PageForm): ListedPage {
    if (rows.length === 0) return { messages: [], marker: null }
    const unsealed = unsealedNames(rows, state)
    const unsealedMarker = isByPosting ? unsealedPosting : unsealedPlace
    for (const row of withMarkers ? rows : rows.slice(-1)) unsealed.push(unsealedMarker(row, state.incarnation))
    // One call for all: the call costs more than the sealing.
    const sealed = this.#sealer.sealAll(unsealed)
    const messages = toMessages(rows, sealed)
    const markers = sealed.slice(-rows.length)
    return {
      messages: withMarkers ? messages.map((one, i) => ({ ...one, marker: markers[i] as string })) : messages,
      marker: sealed.at(-1) as string,
    }
  }

  /** Whether the message of that id is in the queue, or has expired there and is still stored. */
  isKnown(state: QueueState, birth: Birth): boolean {
    return find(this.#spots, state, birth) !== null
  }

  idOf(row: MessageRow, state: QueueState): string {
    return this.#sealer.seal(unsealedId(row, state))
  }

  #byId<T>(lookups: Lookups, state: QueueState, id: string, now: Instant): T | null {
    const opened = this.#sealer.open('message', id)
    if (opened === null) return null
    const row = find(lookups, state, opened)
    if (row === null || row.expires_at <= now || instantBits(row.created_at) !== opened.createdAtBits) return null
    return row as T
  }

  #free(state: QueueState, after: number, now: Instant, limit: number): ListedRow[] {
    const returned = this.#returned(state, after, now, limit)
    return returned.length === limit
      ? returned
      : [...returned, ...this.#fresh(state, after, now, limit - returned.length)]
  }

  #returned({ bucket, firstReturned, fresh }: QueueState, after: number, now: Instant, limit: number): ListedRow[] {
    if (firstReturned === NEVER) return []
    return this.#returnedBehind(limit).all(bucket, Math.max(after, firstReturned - 1), now, fresh) as never
  }

  #fresh(state: QueueState, after: number, now: Instant, limit: number): ListedRow[] {
    const { bucket, fresh, live, last } = state
    const from = Math.max(after, fresh - 1, live - 1)
    return from >= last ? [] : (this.#freeBehind(limit).all(bucket, from, now) as never)
  }

  #all({ bucket, live, last }: QueueState, after: number, now: Instant, limit: number): ListedRow[] {
    if (after >= last) return []
    return this.#behind(limit).all(bucket, Math.max(after, live - 1), now) as never
  }
}

/** Where a message stands in the order of posting. */
function positionOf({ posted, place }: ListedRow): number {
  return posted ?? (place as number)
}

export function unsealedClaim(claim: number, { incarnation }: QueueState): Unsealed {
  return { kind: 'claim', number: claim, incarnation, createdAt: 0 }
}

export function unsealedId(row: MessageRow, state: QueueState): Unsealed {
  return {
    kind: 'message',
    number: row.born ?? (row.place as number),
    incarnation: row.born_incarnation ?? state.incarnation,
    createdAt: row.created_at,
  }
}

/** Ids of the messages, and behind them those of the claims that hold them. */
function unsealedNames(rows: readonly MessageRow[], state: QueueState): Unsealed[] {
  const unsealed = rows.map((row) => unsealedId(row, state))
  for (const { claim } of rows) if (claim !== null) unsealed.push(unsealedClaim(claim, state))
  return unsealed
}

/** `sealed`: what `unsealedNames` answers for the rows. */
function toMessages(rows: readonly MessageRow[], sealed: readonly string[]): Message[] {
  let nextClaimId = rows.length
  return rows.map((row, i) => ({
    id: sealed[i] as string,
    body: row.body,
    clientId: row.client,
    ttlSeconds: row.ttl,
    createdAt: row.created_at,
    claimId: row.claim === null ? null : (sealed[nextClaimId++] as string),
    claimCount: row.claim_count,
  }))
}

/** A marker by place. */
export function unsealedPlace({ place }: ListedRow, incarnation: number): Unsealed {
  return { kind: 'marker', number: place as number, incarnation, createdAt: 0 }
}

/** A marker in the order of posting. */
export function unsealedPosting(row: ListedRow, incarnation: number): Unsealed {
  return { kind: 'posting', number: positionOf(row), incarnation, createdAt: 0 }
}

export function birthOf({ born_incarnation, born, place }: MessageRow, { incarnation }: QueueState): Birth {
  return { incarnation: born_incarnation ?? incarnation, number: born ?? (place as number) }
}

/** Statements that find a message by what its id tells, all with the same columns. */
interface Lookups {
  readonly byPlace: StatementSync
  readonly byBirth: StatementSync
  readonly delayed: StatementSync
  readonly delayedByBirth: StatementSync
}

function lookups(db: DatabaseSync, columns: string, delayedColumns: string): Lookups {
  return {
    byPlace: db.prepare(`SELECT ${columns} FROM message WHERE bucket = ? AND place = ? AND born IS NULL`),
    byBirth: db.prepare(`SELECT ${columns} FROM message WHERE bucket = ? AND born_incarnation = ? AND born = ?`),
    delayed: db.prepare(`SELECT ${delayedColumns} FROM delayed WHERE bucket = ? AND number = ? AND born IS NULL`),
    delayedByBirth: db.prepare(
      `SELECT ${delayedColumns} FROM delayed WHERE bucket = ? AND born_incarnation = ? AND born = ?`,
    ),
  }
}

function find(
  { byPlace, byBirth, delayed, delayedByBirth }: Lookups,
  { bucket, incarnation }: QueueState,
  birth: Birth,
): Pick<MessageRow, 'expires_at' | 'created_at'> | null {
  const isFromHere = birth.incarnation === incarnation
  const row =
    (isFromHere ? byPlace.get(bucket, birth.number) : undefined) ??
    byBirth.get(bucket, birth.incarnation, birth.number) ??
    (isFromHere ? delayed.get(bucket, birth.number) : undefined) ??
    delayedByBirth.get(bucket, birth.incarnation, birth.number)
  return (row as Pick<MessageRow, 'expires_at' | 'created_at'> | undefined) ?? null
}
