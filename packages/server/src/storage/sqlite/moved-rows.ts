import type { SQLInputValue, StatementSync } from 'node:sqlite'
import type { Instant, Json, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import { GONE_MS, type MovedRecord, type RecordKind } from '../contract.ts'
import type { Engine } from './engine.ts'
import { birthOf, type ListedRow, NO_CLAIM } from './message-rows.ts'
import { NEVER, type QueueState } from './queue-states.ts'
import { foresee, type SubscriptionRow } from './subscription-rows.ts'

type Row = Readonly<Record<string, Json>>

/** What was stored at a key before. */
interface Before {
  readonly claim?: number
  readonly bytes: number
}

/** Rows as records that another store understands, and records as rows. */
export class MovedRows {
  readonly #engine: Engine
  readonly #metadata
  readonly #putMetadata
  readonly #putCopied
  readonly #setFresh
  readonly #removeMessage
  readonly #putMessage
  readonly #removeDelayed
  readonly #putDelayed
  readonly #removeClaim
  readonly #putClaim
  readonly #removeRecord
  readonly #putRecord
  readonly #removeArrival
  readonly #putArrival
  readonly #hasDeparted
  readonly #removeDeparture
  readonly #putDeparture
  readonly #removeFed
  readonly #putFed
  readonly #removeOwed
  readonly #putOwed
  readonly #removeFailure
  readonly #putFailure
  readonly #removeLog
  readonly #putLog
  readonly #freeSubscriber
  readonly #setFailed
  readonly #stores: Readonly<Record<RecordKind, Store>>
  readonly #releases = new Map<string, () => void>()

  constructor(engine: Engine) {
    this.#engine = engine
    const { db, gone } = engine
    const insert = (table: string, columns: readonly string[]) =>
      db.prepare(
        `INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((name) => `$${name}`).join(', ')})`,
      )
    const remove = (table: string, where: string) => db.prepare(`DELETE FROM ${table} WHERE ${where}`)
    const message = ['created_at', 'expires_at', 'ttl', 'client', 'body']
    const birth = ['born_incarnation', 'born']
    const told = ['number', 'since', ...birth, 'created_at', 'ttl', 'delay', 'client', 'body']
    this.#metadata = db.prepare('SELECT text FROM metadata WHERE queue = ?')
    this.#putMetadata = db.prepare('UPDATE metadata SET text = ? WHERE queue = ?')
    this.#putCopied = db.prepare("INSERT OR REPLACE INTO tracked (what, number, queue) VALUES ('copied', ?, ?)")
    this.#setFresh = db.prepare('UPDATE moving SET first_fresh = min(ifnull(first_fresh, ?1), ?1) WHERE queue = ?2')
    this.#removeMessage = db.prepare(
      'DELETE FROM message WHERE bucket = ? AND place = ? RETURNING claim, octet_length(body) AS bytes',
    )
    this.#putMessage = insert('message', [
      ...['bucket', 'place', 'claim', 'claim_count', 'posted', 'came_from', ...birth, ...message],
    ])
    this.#removeDelayed = db.prepare(
      'DELETE FROM delayed WHERE bucket = ? AND number = ? RETURNING octet_length(body) AS bytes',
    )
    this.#putDelayed = insert('delayed', ['bucket', 'number', 'due_at', ...birth, ...message])
    this.#removeClaim = remove('claim', 'bucket = ? AND number = ?')
    this.#putClaim = insert('claim', [
      ...['bucket', 'number', 'ends_at', 'ttl', 'renewed_at', 'holds', 'places', 'key', 'client'],
    ])
    this.#removeRecord = db.prepare(
      `DELETE FROM idempotency WHERE bucket = ? AND key = ?
       RETURNING octet_length(key) + octet_length(digest) AS bytes`,
    )
    this.#putRecord = insert('idempotency', ['bucket', 'key', 'digest', 'expires_at', 'created_at', 'first', 'count'])
    this.#removeArrival = remove('arrival', 'queue = ? AND incarnation = ?')
    this.#putArrival = insert('arrival', ['queue', 'incarnation', 'number'])
    this.#hasDeparted = db.prepare('SELECT 1 FROM departure WHERE incarnation = ? AND number = ?')
    this.#removeDeparture = remove('departure', 'incarnation = ? AND number = ?')
    this.#putDeparture = insert('departure', [
      ...['incarnation', 'number', 'project', 'name', 'came_from', ...birth, ...message],
    ])
    this.#removeFed = remove('feed', 'queue = ? AND number = ?')
    this.#putFed = insert('feed', ['queue', ...told])
    this.#removeOwed = remove('owed', 'bucket = ? AND number = ?')
    this.#putOwed = insert('owed', ['bucket', 'due_at', 'attempts', ...told])
    this.#removeFailure = remove('failure', 'bucket = ? AND place = ?')
    this.#putFailure = insert('failure', ['bucket', 'place', 'failed_at', 'expires_at', 'attempts', ...told])
    this.#removeLog = remove('log', 'bucket = ? AND number = ?')
    this.#putLog = insert('log', ['bucket', 'number', 'text'])
    this.#freeSubscriber = db.prepare(
      `UPDATE subscription SET subscriber = 'moved:' || number WHERE bucket = ? AND subscriber = ? AND id <> ?`,
    )
    this.#setFailed = db.prepare('UPDATE subscription SET failed = failed + ? WHERE number = ?')
    this.#stores = {
      queue: (state, _, row: QueueColumns) => this.#storeQueue(state, row),
      subscription: (state, [id]: [string], row, now) => this.#storeSubscription(state, id, row, now),
      line: (state, [id]: [string]) => this.#dropLine(state, id),
      message: (state, [place]: [number], row) => this.#storeMessage(state, place, row),
      delayed: (state, [number]: [number], row) => this.#storeDelayed(state, number, row),
      claim: (state, [number]: [number], row) => this.#storeClaim(state, number, row),
      idempotency: (state, [key]: [string], row) => this.#storeRecord(state, key, row),
      arrival: ({ number: queue }, [incarnation]: [number], row) => {
        this.#removeArrival.run(queue, incarnation)
        this.#put(this.#putArrival, row, { queue })
      },
      departure: (state, [number]: [number], row) => this.#storeDeparture(state, number, row),
      feed: ({ number: queue }, [number]: [number], row) => {
        this.#removeFed.run(queue, number)
        this.#put(this.#putFed, row, { queue })
      },
      owed: (state, [id, number]: [string, number], row, now) => this.#storeOwed(state, id, number, row, now),
      failure: (state, [id, place]: [string, number], row) => {
        const bucket = this.#subscription(state, id)?.number
        if (bucket === undefined) return
        const before = this.#removeFailure.run(bucket, place).changes
        this.#put(this.#putFailure, row, { bucket })
        this.#setFailed.run((row === null ? 0 : 1) - Number(before), bucket)
      },
      log: (state, [id, number]: [string, number], row) => {
        const bucket = this.#subscription(state, id)?.number
        if (bucket === undefined) return
        this.#removeLog.run(bucket, number)
        this.#put(this.#putLog, row, { bucket })
      },
      gone: (state, _, row: ListedRow, now) => gone.arrive(state, { ...row, claim: null }, now),
    }
  }

  toQueue(state: QueueState): MovedRecord {
    const { number, incarnation, last, fresh, numbered, key } = state
    const { text: metadata } = this.#metadata.get(number) as { text: string }
    const row = { metadata, incarnation, last, fresh, numbered, is_kept: this.#engine.gone.isKept(key) }
    return { of: 'queue', key: [], row }
  }

  /** `id`: of the subscription that the row hangs on. */
  toRecord(of: RecordKind, id: string | null, row: Row, { fresh }: QueueState): MovedRecord {
    const key = keyOf(of, id, row)
    if (of === 'message') {
      return { of, key, row: { ...row, is_returned: row.claim === null && (row.place as number) < fresh } }
    }
    if (of === 'claim') return { of, key, row: { ...row, places: JSON.parse(row.places as string) } }
    if (of === 'subscription') {
      const { failures, failing_since, paused_until, confirmed, is_listening, ...rest } = row as Record<string, Json>
      const health = failures === null ? null : { failures, failingSince: failing_since, pausedUntil: paused_until }
      return { of, key, row: { ...rest, confirmed: confirmed === 1, is_listening: is_listening === 1, health } as Row }
    }
    return { of, key, row }
  }

  toGone(row: ListedRow): MovedRecord {
    const { place, posted, born_incarnation, born, claim_count, created_at, expires_at, ttl, client, body } = row
    const columns = { place, posted, born_incarnation, born, claim_count, created_at, expires_at, ttl, client, body }
    return { of: 'gone', key: [place as number], row: columns }
  }

  /** Stores it in a copy, in place of what has its key. */
  store(state: QueueState, { of, key, row }: MovedRecord, now: Instant): void {
    this.#stores[of](state, key as never, row as never, now)
  }

  /** Keeps what is removed from the copy for those who followed the queue, until they follow it here. */
  keepOn(key: QueueKey): void {
    const { clock } = this.#engine
    clock.at(clock.now() + GONE_MS, () => this.keepNoLonger(key))
  }

  keepNoLonger(key: QueueKey): void {
    this.#releases.get(queueId(key))?.()
    this.#releases.delete(queueId(key))
  }

  #put(statement: StatementSync, row: Row | null, more: Record<string, SQLInputValue>): void {
    if (row !== null) statement.run({ ...(row as Record<string, SQLInputValue>), ...more })
  }

  #storeQueue(state: QueueState, { metadata, incarnation, last, fresh, numbered, is_kept }: QueueColumns): void {
    const { gone, states } = this.#engine
    this.#putMetadata.run(metadata, state.number)
    if (incarnation !== state.incarnation) states.goOnAs(state, incarnation)
    this.#putCopied.run(incarnation, state.number)
    state.last = Math.max(state.last, last)
    state.fresh = Math.max(state.fresh, fresh)
    state.numbered = Math.max(state.numbered, numbered)
    const id = queueId(state.key)
    if (is_kept && !this.#releases.has(id)) this.#releases.set(id, gone.keep(state.key))
  }

  #storeMessage(state: QueueState, place: number, row: Row | null): void {
    const { bucket } = state
    const before = this.#removeMessage.get(bucket, place) as Before | undefined
    if (before !== undefined) count(state, before.claim === NO_CLAIM, -1, before.bytes)
    if (row === null) return
    const { claim, is_returned, ...columns } = row
    this.#put(this.#putMessage, columns, { bucket, claim: NO_CLAIM + ((claim as number | null) ?? 0) })
    count(state, claim === null, 1, Buffer.byteLength(row.body as string))
    if (is_returned && row.claim_count === 0) this.#setFresh.run(place, state.number)
    this.#engine.gone.returning(state, birthOf(row as unknown as ListedRow, state))
  }

  #storeDelayed(state: QueueState, number: number, row: Row | null): void {
    const { bucket } = state
    const before = this.#removeDelayed.get(bucket, number) as Before | undefined
    if (before !== undefined) count(state, true, -1, before.bytes)
    if (row === null) return
    const { claim_count, came_from, ...columns } = row
    this.#put(this.#putDelayed, columns, { bucket })
    count(state, true, 1, Buffer.byteLength(row.body as string))
  }

  #storeClaim({ bucket }: QueueState, number: number, row: Row | null): void {
    this.#removeClaim.run(bucket, number)
    if (row === null || row.holds === 0) return
    this.#put(this.#putClaim, row, { bucket, places: JSON.stringify(row.places) })
  }

  #storeRecord(state: QueueState, key: string, row: Row | null): void {
    const before = this.#removeRecord.get(state.bucket, key) as Before | undefined
    state.bytes -= before?.bytes ?? 0
    if (row === null) return
    this.#put(this.#putRecord, row, { bucket: state.bucket })
    state.bytes += Buffer.byteLength(key) + Buffer.byteLength(row.digest as string)
  }

  #storeDeparture({ incarnation, key }: QueueState, number: number, row: Row | null): void {
    if (row === null) this.#removeDeparture.run(incarnation, number)
    else if (this.#hasDeparted.get(incarnation, number) === undefined) {
      this.#put(this.#putDeparture, row, { incarnation, project: key.project })
    }
  }

  #storeSubscription(state: QueueState, id: string, row: Row | null, now: Instant): void {
    const { subscriptions, states } = this.#engine
    const { subscriptionBucket: bucket } = state
    if (row === null) {
      subscriptions.removeById(bucket, id)
      return
    }
    const columns = row as unknown as SubscriptionColumns
    const { health, lease, busy_until, confirmed, is_listening, ...same } = columns
    const known = subscriptions.byId(bucket, id, -1)
    // Another one that had the subscriber has been changed too, and comes yet.
    this.#freeSubscriber.run(bucket, columns.subscriber, id)
    const one: SubscriptionRow = {
      ...(known ?? { number: states.newBucket(), line: states.newBucket(), bucket, retry_at: NEVER, failed: 0 }),
      ...same,
      confirmed: confirmed ? 1 : 0,
      is_listening: is_listening ? 1 : 0,
      lease,
      lease_ends_at: lease === 0 ? 0 : busy_until,
      rests_until: lease === 0 ? busy_until : 0,
      failures: health?.failures ?? null,
      failing_since: health?.failingSince ?? null,
      paused_until: health?.pausedUntil ?? null,
      is_free: 1,
      wakes_at: 0,
    }
    foresee(one, now)
    if (known === null) subscriptions.put(one)
    else subscriptions.update(one)
  }

  /** Null: it comes yet, and with it all that hangs on it. */
  #subscription({ subscriptionBucket }: QueueState, id: string): SubscriptionRow | null {
    return this.#engine.subscriptions.byId(subscriptionBucket, id, -1)
  }

  #dropLine(state: QueueState, id: string): void {
    const { subscriptions, states } = this.#engine
    const one = this.#subscription(state, id)
    if (one === null) return
    states.drop(one.line)
    subscriptions.update({ ...one, line: states.newBucket(), retry_at: NEVER })
  }

  #storeOwed(state: QueueState, id: string, number: number, row: Row | null, now: Instant): void {
    const one = this.#subscription(state, id)
    if (one === null) return
    this.#removeOwed.run(one.line, number)
    if (row === null) return
    this.#put(this.#putOwed, row, { bucket: one.line })
    one.retry_at = Math.min(one.retry_at, row.due_at as number)
    foresee(one, now)
    this.#engine.subscriptions.putOff(one)
  }
}

/** Stores one in a copy; null removes what has the key. */
type Store = (state: QueueState, key: never, row: never, now: Instant) => void

interface QueueColumns {
  readonly metadata: string
  readonly incarnation: number
  readonly last: number
  readonly fresh: number
  readonly numbered: number
  readonly is_kept: boolean
}

type SubscriptionColumns = Pick<
  SubscriptionRow,
  | 'id'
  | 'subscriber'
  | 'ttl'
  | 'renewed_at'
  | 'expires_at'
  | 'options'
  | 'vault'
  | 'position'
  | 'lease'
  | 'log_from'
  | 'log_end'
> & {
  readonly confirmed: boolean
  readonly is_listening: boolean
  readonly busy_until: Instant
  readonly health: {
    readonly failures: number
    readonly failingSince: Instant
    readonly pausedUntil: Instant | null
  } | null
}

const KEY = {
  subscription: 'id',
  message: 'place',
  failure: 'place',
  idempotency: 'key',
  arrival: 'incarnation',
} as Readonly<Partial<Record<RecordKind, string>>>

function keyOf(of: RecordKind, id: string | null, row: Row): readonly (string | number)[] {
  const key = row[KEY[of] ?? 'number'] as string | number
  return id === null ? [key] : [id, key]
}

function count(state: QueueState, isFree: boolean, more: 1 | -1, bytes: number): void {
  if (isFree) state.free += more
  else state.held += more
  state.bytes += more * bytes
}
