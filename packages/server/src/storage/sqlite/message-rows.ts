import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Instant, Message } from '../../model/model.ts'
import { instantBits, type Sealer, type Unsealed } from '../sealed-id.ts'
import { limited } from './limited.ts'
import type { QueueState } from './queue-states.ts'

/** A message as it is read back, without what only filters look at. */
export interface MessageRow {
  readonly number: number
  readonly place: number
  readonly visible_at: Instant
  readonly expires_at: Instant
  readonly claim: number | null
  readonly claim_count: number
  readonly ttl: number
  readonly created_at: Instant
  readonly born: number
  readonly client: string
  readonly body: string
  /** Of the claim that holds it. */
  readonly claimed_at: Instant | null
}

const COLUMNS = 'number, place, visible_at, expires_at, claim, claim_count, ttl, created_at, born, client, body'
const CLAIMED_AT = '(SELECT c.created_at FROM claims c WHERE c.number = claim) AS claimed_at'
const SHOWN = `${COLUMNS}, ${CLAIMED_AT}`

export interface ListedRow extends MessageRow, Cursor {}

/** A point in one of the two orders of a queue: by place, or by posting. */
export interface Cursor {
  readonly instant: Instant
  readonly place: number
}

/** Before everything. */
export const BEGINNING: Cursor = { instant: -1, place: -1 }

/** Reads messages in order, each page from two to four indexes that SQLite merges; and by number. */
export class MessageRows {
  readonly #sealer: Sealer
  readonly #byNumber: StatementSync
  readonly #firstVisible: (limit: number) => StatementSync
  readonly #firstUndelayed: (limit: number) => StatementSync
  readonly #pages: Record<string, (limit: number) => StatementSync>
  readonly #oldest: StatementSync
  readonly #newest: StatementSync

  constructor(db: DatabaseSync, sealer: Sealer) {
    this.#sealer = sealer
    this.#byNumber = db.prepare(`SELECT ${COLUMNS}, ${CLAIMED_AT} FROM messages WHERE number = ? AND bucket = ?`)
    this.#firstVisible = limited(db, firstVisible(['0', '1'], `${COLUMNS}, delayed, NULL AS claimed_at`))
    this.#firstUndelayed = limited(db, firstVisible(['0'], `${COLUMNS}, delayed, NULL AS claimed_at`))
    this.#pages = {
      visible: limited(db, visiblePage(['0'], SHOWN)),
      'visible claimed': limited(db, visiblePage(['0', '1'], SHOWN)),
      delayed: limited(db, postedPage(['0'], SHOWN)),
      'delayed claimed': limited(db, postedPage(['0', '1'], SHOWN)),
    }
    this.#oldest = db.prepare(edge('ASC'))
    this.#newest = db.prepare(edge('DESC'))
  }

  byNumber(bucket: number, number: number): MessageRow | null {
    return (this.#byNumber.get(number, bucket) as MessageRow | undefined) ?? null
  }

  /** The message of that id, if it stands in the queue. */
  byId(state: QueueState, id: string, now: Instant): MessageRow | null {
    const opened = this.#sealer.open('message', id)
    if (opened === null) return null
    const row = this.byNumber(state.bucket, opened.number)
    const same =
      row !== null &&
      row.expires_at > now &&
      row.created_at === opened.incarnation &&
      instantBits(row.born) === opened.createdAtBits
    return same ? row : null
  }

  /** Those of the ids that name a message of the queue, each once. */
  byIds(state: QueueState, ids: readonly string[], now: Instant): MessageRow[] {
    return [...new Set(ids)].map((id) => this.byId(state, id, now)).filter((row) => row !== null)
  }

  /** The oldest visible messages that no claim holds. */
  firstVisible(state: QueueState, now: Instant, limit: number): MessageRow[] {
    const { instant, place } = state.head ?? BEGINNING
    const query = state.delays ? this.#firstVisible(limit) : this.#firstUndelayed(limit)
    const first = query.all(state.bucket, now, instant, place) as unknown as (MessageRow & { delayed: number })[]
    const head = first.find((row) => row.delayed === 0)
    if (head) state.head = { instant: head.visible_at, place: head.place }
    return first
  }

  /** The next messages behind `after`, by place or, with delayed ones, by order of posting. */
  page(
    state: QueueState,
    { includeClaimed, includeDelayed }: { includeClaimed: boolean; includeDelayed: boolean },
    after: Cursor,
    now: Instant,
    limit: number,
  ): ListedRow[] {
    const order = `${includeDelayed ? 'delayed' : 'visible'}${includeClaimed ? ' claimed' : ''}`
    const page = (this.#pages[order] as (limit: number) => StatementSync)(limit)
    const free = laterOf(after, beforeHead(state))
    return page.all(state.bucket, after.instant, after.place, now, free.instant, free.place) as never
  }

  /** First and last by place, claimed and delayed ones included; nothing when the queue is empty. */
  edges(state: QueueState, now: Instant): MessageRow[] {
    const { instant, place } = beforeHead(state)
    return [this.#oldest, this.#newest]
      .map((edge) => edge.get(state.bucket, now, instant, place) as { number: number } | undefined)
      .filter((row) => row !== undefined)
      .map(({ number }) => this.byNumber(state.bucket, number) as MessageRow)
  }

  toMessages(rows: readonly MessageRow[], bucket: number): Message[] {
    const claimed = rows.filter((row) => row.claim !== null)
    const sealed = this.#sealer.sealAll([
      ...rows.map(unsealedId),
      ...claimed.map((row) => ({
        kind: 'claim' as const,
        createdAt: bucket,
        number: row.claim as number,
        incarnation: row.claimed_at as Instant,
      })),
    ])
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

  idOf(row: Pick<MessageRow, 'born' | 'number' | 'created_at'>): string {
    return this.#sealer.seal(unsealedId(row))
  }
}

function unsealedId(row: Pick<MessageRow, 'born' | 'number' | 'created_at'>): Unsealed {
  return { kind: 'message', createdAt: row.born, number: row.number, incarnation: row.created_at }
}

/** The last point before the head of the queue, as far as that is known. */
function beforeHead({ head }: QueueState): Cursor {
  return head === null ? BEGINNING : { instant: head.instant, place: head.place - 1 }
}

function laterOf(a: Cursor, b: Cursor): Cursor {
  return a.instant > b.instant || (a.instant === b.instant && a.place > b.place) ? a : b
}

type Flag = '0' | '1'

/** The head of `visiblePage`, on the path of every claim; of undelayed messages from a given place on. */
function firstVisible(delayed: readonly Flag[], columns: string): string {
  const part = (d: Flag) =>
    `SELECT ${columns} FROM messages
     WHERE bucket = ?1 AND held = 0 AND delayed = ${d} AND visible_at <= ?2 AND expires_at > ?2
       AND (visible_at, place) >= ${d === '0' ? '(?3, ?4)' : '(-1, -1)'}`
  return `${delayed.map(part).join(' UNION ALL ')} ORDER BY visible_at, place`
}

/** Where a part of a page begins: behind the cursor, and what nobody holds and nothing delayed also not before the head. */
function start(held: Flag, delayed: Flag): string {
  return held === '0' && delayed === '0' ? '(?5, ?6)' : '(?2, ?3)'
}

/** By place. Undelayed and delayed messages have an index each, so that the second order needs no index of its own. */
function visiblePage(held: readonly Flag[], columns: string): string {
  const part = (h: Flag, d: Flag) =>
    `SELECT ${columns}, visible_at AS instant, place FROM messages
     WHERE bucket = ?1 AND held = ${h} AND delayed = ${d}
       AND (visible_at, place) > ${start(h, d)} AND visible_at <= ?4 AND expires_at > ?4`
  return `${held.flatMap((h) => [part(h, '0'), part(h, '1')]).join(' UNION ALL ')} ORDER BY instant, place`
}

/** By order of posting: an undelayed message became visible when it was posted. */
function postedPage(held: readonly Flag[], columns: string): string {
  const part = (h: Flag, d: Flag, posted: string) =>
    `SELECT ${columns}, ${posted} AS instant, place FROM messages
     WHERE bucket = ?1 AND held = ${h} AND delayed = ${d} AND (${posted}, place) > ${start(h, d)} AND expires_at > ?4`
  const parts = held.flatMap((h) => [part(h, '0', 'visible_at'), part(h, '1', 'created_at')])
  return `${parts.join(' UNION ALL ')} ORDER BY instant, place`
}

function edge(direction: 'ASC' | 'DESC'): string {
  const part = (held: Flag, delayed: Flag) =>
    `SELECT number, visible_at, place FROM messages
     WHERE bucket = ?1 AND held = ${held} AND delayed = ${delayed} AND expires_at > ?2
       AND (visible_at, place) > ${held === '0' && delayed === '0' ? '(?3, ?4)' : '(-1, -1)'}`
  return `${[part('0', '0'), part('0', '1'), part('1', '0'), part('1', '1')].join(' UNION ALL ')}
    ORDER BY visible_at ${direction}, place ${direction} LIMIT 1`
}
