import { randomInt } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Instant, Queue, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import { type QueueHandle, STALE, type Stale } from '../contract.ts'
import type { LatestInstant } from './latest-instant.ts'

/** What this process remembers of a queue. It is the only one that writes the file, so what it remembers is true. */
export interface QueueState {
  readonly key: QueueKey
  /** Its identity until it is deleted. Never used again. */
  readonly number: number
  version: string
  bucket: number
  /** The name of the bucket in ids. */
  incarnation: number
  subscriptionBucket: number
  /** The highest number given to a message or claim; places are numbers. */
  last: number
  /** Every message before this place was claimed at least once, has expired, or is gone. */
  fresh: number
  /** No live message has a lower place. Saves passing over expired ones again until the sweeper has removed them. */
  live: number
  /** No live message that came back from a claim has a lower place. */
  firstReturned: number
  /** Messages that no claim holds, delayed ones and expired ones that are still stored too. */
  free: number
  held: number
  /** Of the bodies of all these, and of idempotency records, in UTF-8. */
  bytes: number
  /** Whether it may hold messages that are or were delayed: otherwise places are in the order of posting. */
  delays: boolean
  /** That many messages that expired until then are still stored. */
  expired: { readonly until: Instant; readonly count: number }
  /**
   * Nothing happens before these instants: no delay is over, no claim ends, no message or idempotency record expires.
   */
  dueAt: Instant
  endsAt: Instant
  expiresAt: Instant
  /** The highest number that was given in the feed; and that of the last message in it, 0: it is empty. */
  numbered: number
  fed: number
  /** Whether subscriptions listen: messages enter the feed. At least where some do. */
  listens: boolean
  /** Whether one that listens is neither leased nor resting. At least where one is. */
  hasFree: boolean
  /** From when on its subscriptions are worth a look, as `work` has it. */
  workAt: Instant
  /** Who has come that far in the feed looks whether it can be trimmed. */
  trimAt: number
  /** Of a queue that serves nobody here: it has been fenced on its way to another store, or is a copy from there. */
  fence: Fence | null
  /** Differs from what is stored. */
  dirty: boolean
}

export interface Fence {
  readonly role: 'leaving' | 'arriving'
  readonly token: string
  readonly until: Instant
}

export function isFence(answer: unknown): answer is Fence {
  return typeof answer === 'object' && answer !== null && 'token' in answer
}

export const NEVER: Instant = Number.MAX_SAFE_INTEGER
const NONE_EXPIRED = { until: -1, count: 0 }
/** Of a bucket in which nothing is yet. */
const EMPTY = {
  last: 0,
  fresh: 1,
  live: 1,
  firstReturned: NEVER,
  free: 0,
  held: 0,
  bytes: 0,
  delays: false,
  expired: NONE_EXPIRED,
  dueAt: NEVER,
  endsAt: NEVER,
  expiresAt: NEVER,
}

interface QueueRow {
  readonly number: number
  readonly version: number
  readonly bucket: number
  readonly incarnation: number
  readonly subscription_bucket: number
  readonly last: number
  readonly fresh: number
  readonly free: number
  readonly held: number
  readonly bytes: number
  readonly acted_at: Instant
  readonly first_returned: number | null
  readonly delays: 0 | 1
  readonly numbered: number
  readonly fed: number
  readonly listens: 0 | 1
  readonly work_at: Instant
  readonly role: Fence['role'] | null
  readonly token: string | null
  readonly until: Instant | null
}

/** The next instants of a bucket, for `foresee`. */
interface Bounds {
  readonly due: Instant
  readonly end: Instant
  readonly expiry: Instant
}

/** At some hundred bytes for names, and a few numbers: a megabyte or two in all. */
const REMEMBERED = 10_000
const INCARNATIONS = 2 ** 48 - 1

export class QueueStates {
  readonly #latest: LatestInstant
  readonly #states = new Map<string, QueueState>()
  #dirty: QueueState[] = []
  readonly #select
  readonly #insert
  readonly #nextVersion
  readonly #metadata
  readonly #putMetadata
  readonly #deleteMetadata
  readonly #deleteArrivals
  readonly #deleteWork
  readonly #deleteMove
  readonly #update
  readonly #updateBuckets
  readonly #delete
  readonly #takeBucket
  readonly #drop
  readonly #bounds

  constructor(db: DatabaseSync, latest: LatestInstant) {
    this.#latest = latest
    this.#select = db.prepare(
      `SELECT number, version, bucket, incarnation, subscription_bucket, last, fresh, free, held, bytes, acted_at,
         (SELECT min(place) FROM message m INDEXED BY message_returned
            WHERE m.bucket = q.bucket AND claim = 4294967296 AND claim_count > 0) AS first_returned,
         EXISTS (SELECT 1 FROM delayed d WHERE d.bucket = q.bucket)
           OR EXISTS (SELECT 1 FROM message m INDEXED BY message_posted
                      WHERE m.bucket = q.bucket AND posted IS NOT NULL) AS delays,
         numbered, ifnull((SELECT max(f.number) FROM feed f WHERE f.queue = q.number), 0) AS fed,
         EXISTS (SELECT 1 FROM subscription s INDEXED BY subscription_ready
                 WHERE s.bucket = q.subscription_bucket AND is_listening = 1) AS listens,
         ifnull((SELECT wakes_at FROM work w WHERE w.queue = q.number), ${NEVER}) AS work_at,
         role, token, until
       FROM queue q LEFT JOIN moving ON moving.queue = q.number WHERE project = ? AND kind = ? AND name = ?`,
    )
    this.#insert = db.prepare(
      `INSERT INTO queue (project, kind, name, version, bucket, incarnation, subscription_bucket)
       VALUES (?, ?, ?, 1, ?, ?, ?)`,
    )
    this.#nextVersion = db.prepare('UPDATE queue SET version = version + 1 WHERE number = ? RETURNING version')
    this.#metadata = db.prepare('SELECT text FROM metadata WHERE queue = ?')
    this.#putMetadata = db.prepare('INSERT OR REPLACE INTO metadata (queue, text) VALUES (?, ?)')
    this.#deleteMetadata = db.prepare('DELETE FROM metadata WHERE queue = ?')
    this.#deleteArrivals = db.prepare('DELETE FROM arrival WHERE queue = ?')
    this.#deleteWork = db.prepare('DELETE FROM work WHERE queue = ?')
    this.#deleteMove = ['moving', 'tracked', 'touched'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE queue = ?`),
    )
    this.#update = db.prepare(
      'UPDATE queue SET last = ?, fresh = ?, free = ?, held = ?, bytes = ?, numbered = ?, acted_at = ? WHERE number = ?',
    )
    this.#updateBuckets = db.prepare(
      `UPDATE queue SET bucket = ?1, incarnation = ?2, subscription_bucket = ?3,
         subscription_bytes = CASE WHEN subscription_bucket = ?3 THEN subscription_bytes ELSE 0 END
       WHERE number = ?4`,
    )
    this.#delete = db.prepare('DELETE FROM queue WHERE number = ?')
    this.#takeBucket = db.prepare('UPDATE service SET last_bucket = last_bucket + 1 RETURNING last_bucket AS bucket')
    this.#drop = db.prepare('INSERT INTO dropped (bucket) VALUES (?)')
    const least = (table: string, instant: string, condition = 'true') =>
      `ifnull((SELECT min(${instant}) FROM ${table} WHERE bucket = ?1 AND ${condition}), ${NEVER})`
    this.#bounds = db.prepare(
      `SELECT min(${least('delayed', 'due_at')}, ${least('delayed', 'expires_at', 'expires_at <= due_at')}) AS due,
              ${least('claim', 'ends_at')} AS end,
              min(${least('message', 'expires_at')}, ${least('idempotency', 'expires_at')}) AS expiry`,
    )
  }

  find(key: QueueKey): QueueState | null {
    const id = queueId(key)
    const known = this.#states.get(id)
    if (known) return known
    const state = this.#read(key)
    if (state !== null) this.#states.set(id, state)
    return state
  }

  /** Reads anew what is remembered of the queue. */
  reload(state: QueueState): void {
    this.#store(state)
    Object.assign(state, this.#read(state.key), { dirty: state.dirty })
  }

  /** The queue as the caller saw it, or `STALE`. */
  open(handle: QueueHandle): QueueState | Stale {
    const state = this.find(handle)
    return state !== null && state.fence === null && state.version === handle.version ? state : STALE
  }

  create(key: QueueKey, metadata: string): QueueState {
    const buckets = [this.newBucket(), newIncarnation(), this.newBucket()] as const
    const { lastInsertRowid } = this.#insert.run(key.project, key.kind, key.name, ...buckets)
    this.#putMetadata.run(lastInsertRowid, metadata)
    return this.find(key) as QueueState
  }

  /** The queue as callers know it. Its metadata are read anew each time: they may be large. */
  toQueue({ key, number, version }: QueueState): Queue {
    return { ...key, version, metadata: (this.#metadata.get(number) as { text: string }).text }
  }

  updateSettings(state: QueueState, metadata: string): void {
    const { version } = this.#nextVersion.get(state.number) as { version: number }
    state.version = `${state.number}.${version}`
    this.#putMetadata.run(state.number, metadata)
  }

  /** Empties the queue: its messages or its subscriptions, or both, are left to the sweeper. */
  replaceBuckets(state: QueueState, which: { messages: boolean; subscriptions: boolean }): void {
    if (which.messages) {
      this.drop(state.bucket)
      Object.assign(state, EMPTY, { bucket: this.newBucket(), incarnation: newIncarnation() })
    }
    if (which.subscriptions) {
      this.drop(state.subscriptionBucket)
      state.subscriptionBucket = this.newBucket()
      state.listens = false
      state.hasFree = false
    }
    this.#updateBuckets.run(state.bucket, state.incarnation, state.subscriptionBucket, state.number)
    this.touch(state)
  }

  /** The queue, which never had a message, is what had that incarnation elsewhere. */
  goOnAs(state: QueueState, incarnation: number): void {
    state.incarnation = incarnation
    this.#updateBuckets.run(state.bucket, incarnation, state.subscriptionBucket, state.number)
  }

  delete(state: QueueState): void {
    this.drop(state.bucket)
    this.drop(state.subscriptionBucket)
    this.#delete.run(state.number)
    this.#deleteMetadata.run(state.number)
    this.#deleteArrivals.run(state.number)
    this.#deleteWork.run(state.number)
    this.endMove(state)
    this.#states.delete(queueId(state.key))
  }

  /** Forgets that the queue was on its way, and what was noted. */
  endMove({ number }: QueueState): void {
    for (const statement of this.#deleteMove) statement.run(number)
  }

  newBucket(): number {
    return (this.#takeBucket.get() as { bucket: number }).bucket
  }

  /** Leaves to the sweeper what hangs on the bucket. */
  drop(bucket: number): void {
    this.#drop.run(bucket)
  }

  /** Looks up the next instants of the queue. */
  foresee(state: QueueState): void {
    const { due, end, expiry } = this.#bounds.get(state.bucket) as unknown as Bounds
    state.dueAt = due
    state.endsAt = end
    state.expiresAt = expiry
  }

  /** Call after changing what is stored, or an instant in the queue. */
  touch(state: QueueState): void {
    if (state.dirty) return
    state.dirty = true
    this.#dirty.push(state)
  }

  /** Lets queries of this turn see the counts as they are by now. */
  storeCounts(): void {
    for (const state of this.#dirty) this.#store(state)
  }

  /** Stores what has changed; answers the queues. */
  flush(): readonly QueueState[] {
    const changed = this.#dirty
    this.#dirty = []
    for (const state of changed) {
      this.#store(state)
      state.dirty = false
    }
    if (this.#states.size > REMEMBERED) this.#forgetSome()
    return changed
  }

  forget(): void {
    this.#dirty = []
    this.#states.clear()
  }

  #read(key: QueueKey): QueueState | null {
    const row = this.#select.get(key.project, key.kind, key.name) as QueueRow | undefined
    if (!row) return null
    this.#latest.notBefore(row.acted_at)
    const { role, token, until } = row
    const state: QueueState = {
      ...EMPTY,
      key: { project: key.project, kind: key.kind, name: key.name },
      number: row.number,
      version: `${row.number}.${row.version}`,
      bucket: row.bucket,
      incarnation: row.incarnation,
      subscriptionBucket: row.subscription_bucket,
      last: row.last,
      fresh: row.fresh,
      firstReturned: row.first_returned ?? NEVER,
      delays: row.delays === 1,
      free: row.free,
      held: row.held,
      bytes: row.bytes,
      numbered: row.numbered,
      fed: row.fed,
      listens: row.listens === 1,
      hasFree: row.listens === 1,
      workAt: row.work_at,
      trimAt: 0,
      fence: role === null || token === null ? null : { role, token, until: until ?? 0 },
      dirty: false,
    }
    this.foresee(state)
    return state
  }

  #store({ last, fresh, free, held, bytes, numbered, number }: QueueState): void {
    this.#update.run(last, fresh, free, held, bytes, numbered, this.#latest.value, number)
  }

  #forgetSome(): void {
    for (const id of this.#states.keys()) {
      if (this.#states.size <= REMEMBERED / 2) return
      this.#states.delete(id)
    }
  }
}

/** By chance: no other queue in any store has the same. */
function newIncarnation(): number {
  return randomInt(INCARNATIONS)
}
