import type { DatabaseSync } from 'node:sqlite'
import type { Failure, Instant, Notification, NotifiedMessage } from '../../model/model.ts'
import type { Batch, Outcome } from '../contract.ts'
import { parseRef, refOf } from '../notification-refs.ts'
import { failuresOf, type Sealer } from '../sealed-id.ts'
import { limited } from './limited.ts'
import { NEVER, type QueueState, type QueueStates } from './queue-states.ts'
import type { DeliveryRow, SubscriptionRow } from './subscription-rows.ts'

/** Rows that one turn finds due. */
const DUE_PER_TURN = 250

interface MessageColumns {
  readonly born_incarnation: number
  readonly born: number
  readonly created_at: Instant
  readonly ttl: number
  readonly delay: number
  readonly client: string
  readonly body: string
}

interface FeedRow extends MessageColumns {
  readonly number: number
  readonly since: Instant
}

type OwedRow = Omit<FeedRow, 'born'> & {
  /** Null: an announcement, which has no more than a body of the other columns of a message. */
  readonly born: number | null
  readonly attempts: string | null
}

interface FailureRow extends MessageColumns {
  readonly place: number
  readonly since: Instant
  readonly attempts: string
  readonly failed_at: Instant
}

/** Which failures are to be owed again; see the contract. */
interface Replayed {
  readonly messageIds: readonly string[] | null
  readonly since: Instant | null
  readonly limit: number
}

const MESSAGE = 'born_incarnation, born, created_at, ttl, delay, client, body'
/** What `owed`, `feed` and `failure` have in common. */
const COPIED = `number, since, ${MESSAGE}`

/** What subscriptions are owed: their parts of the feed, and what was put aside for each; and what is recorded of it. */
export class Owed {
  readonly #states: QueueStates
  readonly #sealer: Sealer
  readonly #behind
  readonly #due
  readonly #findDue
  readonly #least
  readonly #postponeNew
  readonly #postpone
  readonly #remove
  readonly #failNew
  readonly #fail
  readonly #trimFailures
  readonly #failures
  readonly #failedSince
  readonly #putAnnouncement
  readonly #removeAnnouncements
  readonly #keepAnnouncements
  readonly #owe
  readonly #removeFailure
  readonly #addToLog
  readonly #trimLog
  readonly #log

  constructor(db: DatabaseSync, states: QueueStates, sealer: Sealer) {
    this.#states = states
    this.#sealer = sealer
    this.#behind = limited(db, `SELECT ${COPIED} FROM feed WHERE queue = ? AND number > ? ORDER BY number`)
    this.#due = limited(db, `SELECT ${COPIED}, attempts FROM owed WHERE bucket = ? AND due_at = 0 ORDER BY number`)
    this.#findDue = db.prepare(
      `UPDATE owed SET due_at = 0 WHERE rowid IN
         (SELECT rowid FROM owed WHERE bucket = ? AND due_at > 0 AND due_at <= ? LIMIT ${DUE_PER_TURN})`,
    )
    this.#least = db.prepare('SELECT min(due_at) AS at FROM owed WHERE bucket = ?')
    this.#postponeNew = db.prepare(
      `INSERT INTO owed (bucket, due_at, attempts, ${COPIED})
       SELECT ?, ?, ?, ${COPIED} FROM feed WHERE queue = ? AND number = ?`,
    )
    this.#postpone = db.prepare('UPDATE owed SET due_at = ?, attempts = ? WHERE bucket = ? AND number = ?')
    this.#remove = db.prepare('DELETE FROM owed WHERE bucket = ? AND number = ?')
    const fail = `INSERT INTO failure (bucket, place, failed_at, expires_at, attempts, ${COPIED}) SELECT ?, ?, ?, ?, ?, ${COPIED}`
    this.#failNew = db.prepare(`${fail} FROM feed WHERE queue = ? AND number = ?`)
    this.#fail = db.prepare(`${fail} FROM owed WHERE bucket = ? AND number = ? AND born IS NOT NULL`)
    this.#trimFailures = db.prepare(
      `DELETE FROM failure WHERE bucket = ?1 AND place <=
         (SELECT place FROM failure INDEXED BY failure_bucket WHERE bucket = ?1 AND expires_at > ?2
          ORDER BY place DESC LIMIT 1 OFFSET ?3)`,
    )
    this.#failures = limited(
      db,
      `SELECT place, since, attempts, failed_at, ${MESSAGE} FROM failure
       WHERE bucket = ? AND place > ? AND expires_at > ? ORDER BY place`,
    )
    this.#failedSince = db.prepare(
      `SELECT place, born_incarnation, born, created_at FROM failure
       WHERE bucket = ? AND expires_at > ? AND failed_at >= ? ORDER BY place`,
    )
    this.#putAnnouncement = db.prepare('INSERT INTO owed (bucket, number, due_at, since, body) VALUES (?, ?, 0, ?, ?)')
    this.#removeAnnouncements = db.prepare(
      'DELETE FROM owed INDEXED BY owed_announcement WHERE bucket = ? AND born IS NULL',
    )
    this.#keepAnnouncements = db.prepare(
      'UPDATE owed INDEXED BY owed_announcement SET bucket = ? WHERE bucket = ? AND born IS NULL',
    )
    this.#owe = db.prepare(
      `INSERT INTO owed (bucket, due_at, ${COPIED}) SELECT ?, 0, ${COPIED} FROM failure WHERE bucket = ? AND place = ?`,
    )
    this.#removeFailure = db.prepare('DELETE FROM failure WHERE bucket = ? AND place = ?')
    this.#addToLog = db.prepare('INSERT INTO log (bucket, number, text) VALUES (?, ?, ?)')
    this.#trimLog = db.prepare('DELETE FROM log WHERE bucket = ? AND number < ?')
    this.#log = db.prepare('SELECT text FROM log WHERE bucket = ? ORDER BY number')
  }

  /** Before `next`: finds what has become due. False: there is more, so `next` has to wait for another turn. */
  findDue(row: DeliveryRow, now: Instant): boolean {
    return row.retry_at > now || this.#findDue.run(row.line, now).changes < DUE_PER_TURN
  }

  /**
   * The next notifications. When there are none, `position` and `retry_at` of the row are as far as they can be.
   * `pages` are of the feed, by where they begin: who has come as far as another gets what was read for that one.
   */
  next(state: QueueState, row: DeliveryRow, batch: Batch, now: Instant, pages: Map<number, Page>): Page {
    const due = row.retry_at > now ? NOTHING : this.#duePage(row, batch)
    const page = due.isFull ? due : this.#withNew(due, state, row, batch, pages)
    if (page.notifications.length === 0) {
      if (row.retry_at < NEVER) row.retry_at = this.#leastOf(row)
      if (row.position < state.fed) row.position = state.fed
    }
    return page
  }

  /** Says what became of one notification. */
  note(state: QueueState, row: DeliveryRow, outcome: Outcome, now: Instant): void {
    const ref = parseRef(outcome.ref)
    if (ref === null) return
    const { number, isAnnouncement } = ref
    if (isAnnouncement || number <= row.position) this.#noteOwed(state, row, number, outcome, now)
    else if (row.is_listening === 1) this.#noteNew(state, row, number, outcome, now)
  }

  /** In place of what was announced before and is still owed. */
  announce(row: DeliveryRow, number: number, text: string, now: Instant): void {
    this.#removeAnnouncements.run(row.line)
    this.#putAnnouncement.run(row.line, number, now, text)
    row.retry_at = 0
  }

  /** It is owed no message any more. */
  dropMessages(row: DeliveryRow): void {
    if (row.retry_at === NEVER) return
    const line = this.#states.newBucket()
    this.#keepAnnouncements.run(line, row.line)
    this.#states.drop(row.line)
    row.line = line
    row.retry_at = this.#leastOf(row)
  }

  keepFailures(row: DeliveryRow, most: number, now: Instant): void {
    if (row.failed <= most) return
    this.#trimFailures.run(row.number, now, most)
    row.failed = most
  }

  /** Those behind `after`, a marker; behind what is no marker of the subscription come all. */
  failures({ key }: QueueState, row: SubscriptionRow, after: string | null, limit: number, now: Instant): FailurePage {
    const incarnation = failuresOf(key, row.id)
    const opened = after === null ? null : this.#sealer.open('failure', after)
    const place = opened?.incarnation === incarnation ? opened.number : 0
    const rows = this.#failures(limit).all(row.number, place, now) as unknown as FailureRow[]
    const messages = this.#toMessages(rows)
    const failures = rows.map(({ since, attempts, failed_at }, i) => ({
      message: messages[i] as NotifiedMessage,
      since,
      attempts,
      failedAt: failed_at,
    }))
    const last = rows.at(-1)
    if (last === undefined) return { failures, marker: null }
    const unsealed = { kind: 'failure', number: last.place, incarnation, createdAt: 0 } as const
    return { failures, marker: this.#sealer.seal(unsealed) }
  }

  /** Answers the ids of the messages that are owed again. */
  replay(row: DeliveryRow, { messageIds, since, limit }: Replayed, now: Instant): string[] {
    const rows = this.#failedSince.all(row.number, now, since ?? 0) as unknown as FailureRow[]
    const considered = messageIds === null ? rows.slice(0, limit) : rows
    const ids = this.#idsOf(considered)
    const wanted = messageIds && new Set(messageIds)
    return ids.filter((id, i) => {
      if (wanted !== null && !wanted.has(id)) return false
      const { place } = considered[i] as FailureRow
      this.#owe.run(row.line, row.number, place)
      this.#removeFailure.run(row.number, place)
      row.failed -= 1
      row.retry_at = 0
      return true
    })
  }

  addToLog(row: DeliveryRow, texts: readonly string[], most: number): void {
    for (const text of texts) {
      this.#addToLog.run(row.number, row.log_end, text)
      row.log_end += 1
    }
    if (row.log_end - row.log_from <= most) return
    row.log_from = row.log_end - most
    this.#trimLog.run(row.number, row.log_from)
  }

  log({ number }: DeliveryRow): string[] {
    return (this.#log.all(number) as { text: string }[]).map(({ text }) => text)
  }

  #noteOwed(state: QueueState, row: DeliveryRow, number: number, outcome: Outcome, now: Instant): void {
    if (row.retry_at === NEVER) return
    const { line } = row
    if (outcome.became === 'postponed') {
      this.#postpone.run(dueAt(outcome.until, now), outcome.attempts, line, number)
    } else {
      if (outcome.became === 'failed') {
        const { expiresAt, attempts } = outcome
        const place = this.#takePlace(state)
        row.failed += Number(this.#fail.run(row.number, place, now, expiresAt, attempts, line, number).changes)
      }
      this.#remove.run(line, number)
    }
    row.retry_at = this.#leastOf(row)
  }

  #noteNew(state: QueueState, row: DeliveryRow, number: number, outcome: Outcome, now: Instant): void {
    if (outcome.became === 'postponed') {
      const due = dueAt(outcome.until, now)
      this.#postponeNew.run(row.line, due, outcome.attempts, state.number, number)
      row.retry_at = Math.min(row.retry_at, due)
    } else if (outcome.became === 'failed') {
      const { expiresAt, attempts } = outcome
      this.#failNew.run(row.number, this.#takePlace(state), now, expiresAt, attempts, state.number, number)
      row.failed += 1
    }
    row.position = number
  }

  /** Behind all that failed before. */
  #takePlace(state: QueueState): number {
    state.numbered += 1
    this.#states.touch(state)
    return state.numbered
  }

  #leastOf({ line }: DeliveryRow): Instant {
    return (this.#least.get(line) as { at: Instant | null }).at ?? NEVER
  }

  #duePage({ line }: DeliveryRow, batch: Batch): Page {
    const owed = this.#due(batch.notifications).iterate(line)
    const { rows, bytes, isFull } = readBatch<OwedRow>(owed, batch, 0)
    const messages = this.#toMessages(rows.filter(isMessage))
    let nextMessage = 0
    const notifications = rows.map(({ number, since, attempts, born, body }): Notification => {
      if (born === null) {
        return { ref: refOf(number, 'announcement'), content: { kind: 'announcement', text: body }, since, attempts }
      }
      const message = messages[nextMessage++] as NotifiedMessage
      return { ref: refOf(number, 'message'), content: { kind: 'message', message }, since, attempts }
    })
    return { notifications, bytes, isFull }
  }

  /** What is new comes behind what is due, in one batch with it. */
  #withNew(due: Page, state: QueueState, row: DeliveryRow, batch: Batch, pages: Map<number, Page>): Page {
    if (row.is_listening === 0 || row.position >= state.fed) return due
    const isAlone = due.notifications.length === 0
    const known = isAlone ? pages.get(row.position) : undefined
    if (known !== undefined) return known
    const limit = batch.notifications - due.notifications.length
    const rows = this.#behind(limit).iterate(state.number, row.position)
    const { rows: read, bytes, isFull } = readBatch<FeedRow>(rows, { ...batch, notifications: limit }, due.bytes)
    const messages = this.#toMessages(read)
    const fresh = read.map(
      ({ number, since }, i): Notification => ({
        ref: refOf(number, 'message'),
        content: { kind: 'message', message: messages[i] as NotifiedMessage },
        since,
        attempts: null,
      }),
    )
    const page = { notifications: [...due.notifications, ...fresh], bytes, isFull }
    if (isAlone) pages.set(row.position, page)
    return page
  }

  #idsOf(rows: readonly MessageColumns[]): string[] {
    return this.#sealer.sealAll(
      rows.map(({ born, born_incarnation, created_at }) => ({
        kind: 'message',
        number: born,
        incarnation: born_incarnation,
        createdAt: created_at,
      })),
    )
  }

  #toMessages(rows: readonly MessageColumns[]): NotifiedMessage[] {
    const ids = this.#idsOf(rows)
    return rows.map(({ body, client, ttl, delay, created_at }, i) => ({
      id: ids[i] as string,
      body,
      clientId: client,
      ttlSeconds: ttl,
      delaySeconds: delay,
      createdAt: created_at,
    }))
  }
}

export interface Page {
  readonly notifications: Notification[]
  /** Of the bodies of these and those before them. */
  readonly bytes: number
  /** A batch has no room for more. */
  readonly isFull: boolean
}

const NOTHING: Page = { notifications: [], bytes: 0, isFull: false }

interface FailurePage {
  readonly failures: Failure[]
  readonly marker: string | null
}

/** Rows until a batch is full, which has so many bytes already. */
function readBatch<Row extends { readonly body: string }>(
  rows: Iterable<unknown>,
  batch: Batch,
  bytesBefore: number,
): { rows: Row[]; bytes: number; isFull: boolean } {
  const chosen: Row[] = []
  let bytes = bytesBefore
  for (const row of rows as Iterable<Row>) {
    chosen.push(row)
    bytes += Buffer.byteLength(row.body)
    if (chosen.length >= batch.notifications || bytes >= batch.bytes) return { rows: chosen, bytes, isFull: true }
  }
  return { rows: chosen, bytes, isFull: false }
}

function isMessage(row: OwedRow): row is OwedRow & MessageColumns {
  return row.born !== null
}

/** As `owed` has it. */
function dueAt(until: Instant, now: Instant): Instant {
  return until <= now ? 0 : until
}
