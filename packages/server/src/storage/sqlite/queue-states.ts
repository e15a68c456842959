import type { DatabaseSync } from 'node:sqlite'
import type { Instant, Queue, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import { type QueueHandle, STALE, type Stale } from '../contract.ts'

/** What this process remembers of a queue. It is the only one that writes the file, so what it remembers is true. */
export interface QueueState {
  readonly key: QueueKey
  readonly id: number
  readonly version: string
  bucket: number
  subscriptionBucket: number
  free: number
  claimed: number
  /** Of the bodies of all these, and of idempotency records, in UTF-8. */
  bytes: number
  /**
   * The first undelayed message that no claim holds and that has not expired stands here or behind; null: not known. Saves passing over expired
   * messages again and again until the sweeper has removed them.
   */
  head: { readonly instant: Instant; readonly place: number } | null
  /** That many messages that expired until then are still stored. */
  expired: { readonly until: Instant; readonly count: number }
  /** Whether it may hold messages that were posted with a delay. */
  delays: boolean
  /** Nothing in the bucket ends before this instant. May be too early, never too late. */
  nextEnd: Instant
  /** The counts differ from the stored ones. */
  dirty: boolean
}

interface QueueRow {
  id: number
  revision: number
  bucket: number
  subscription_bucket: number
  free: number
  claimed: number
  bytes: number
  delays: number
  next_end: number | null
}

const NONE_EXPIRED = { until: -1, count: 0 }

/** At some hundred bytes for names, and a few numbers: a megabyte or two in all. */
const REMEMBERED = 10_000

export class QueueStates {
  readonly #states = new Map<string, QueueState>()
  readonly #dirty: QueueState[] = []
  readonly #select
  readonly #insert
  readonly #revise
  readonly #metadata
  readonly #putMetadata
  readonly #deleteMetadata
  readonly #updateCounts
  readonly #updateBuckets
  readonly #delete
  readonly #insertBucket
  readonly #abandonBucket

  constructor(db: DatabaseSync) {
    this.#select = db.prepare(
      `SELECT id, revision, bucket, subscription_bucket, free, claimed, bytes,
         EXISTS (SELECT 1 FROM messages d WHERE d.bucket = q.bucket AND d.delayed = 1) AS delays,
         min(ifnull((SELECT min(expires_at) FROM messages m WHERE m.bucket = q.bucket), 9e15),
             ifnull((SELECT min(expires_at) FROM claims c WHERE c.bucket = q.bucket), 9e15),
             ifnull((SELECT min(expires_at) FROM idempotency i WHERE i.bucket = q.bucket), 9e15)) AS next_end
       FROM queues q WHERE project = ? AND kind = ? AND name = ?`,
    )
    this.#insert = db.prepare(
      `INSERT INTO queues (project, kind, name, revision, bucket, subscription_bucket, free, claimed)
       VALUES (?, ?, ?, 1, ?, ?, 0, 0)`,
    )
    this.#revise = db.prepare('UPDATE queues SET revision = revision + 1 WHERE id = ?')
    this.#metadata = db.prepare('SELECT text FROM metadata WHERE queue = ?')
    this.#putMetadata = db.prepare('INSERT OR REPLACE INTO metadata (queue, text) VALUES (?, ?)')
    this.#deleteMetadata = db.prepare('DELETE FROM metadata WHERE queue = ?')
    this.#updateCounts = db.prepare('UPDATE queues SET free = ?, claimed = ?, bytes = ? WHERE id = ?')
    this.#updateBuckets = db.prepare(
      `UPDATE queues SET bucket = ?1, subscription_bucket = ?2, free = 0, claimed = 0, bytes = 0,
         subscription_bytes = CASE WHEN subscription_bucket = ?2 THEN subscription_bytes ELSE 0 END
       WHERE id = ?3`,
    )
    this.#delete = db.prepare('DELETE FROM queues WHERE id = ?')
    this.#insertBucket = db.prepare('INSERT INTO buckets (owner) VALUES (1)')
    this.#abandonBucket = db.prepare('UPDATE buckets SET owner = NULL WHERE id = ?')
  }

  find(key: QueueKey): QueueState | null {
    const id = queueId(key)
    const known = this.#states.get(id)
    if (known) return known
    const row = this.#select.get(key.project, key.kind, key.name) as QueueRow | undefined
    if (!row) return null
    const state: QueueState = {
      key: { project: key.project, kind: key.kind, name: key.name },
      id: row.id,
      version: `${row.id}.${row.revision}`,
      bucket: row.bucket,
      subscriptionBucket: row.subscription_bucket,
      free: row.free,
      claimed: row.claimed,
      bytes: row.bytes,
      head: null,
      expired: NONE_EXPIRED,
      delays: row.delays === 1,
      nextEnd: row.next_end ?? 0,
      dirty: false,
    }
    this.#states.set(id, state)
    return state
  }

  /** The queue as the caller saw it, or `STALE`. */
  open(handle: QueueHandle): QueueState | Stale {
    const state = this.find(handle)
    return state !== null && state.version === handle.version ? state : STALE
  }

  create(key: QueueKey, metadata: string): QueueState {
    const buckets = [this.#newBucket(), this.#newBucket()] as const
    const { lastInsertRowid } = this.#insert.run(key.project, key.kind, key.name, ...buckets)
    this.#putMetadata.run(lastInsertRowid, metadata)
    return this.find(key) as QueueState
  }

  /** The queue as callers know it. Its metadata are read anew each time: they may be large. */
  toQueue({ key, id, version }: QueueState): Queue {
    return { ...key, version, metadata: (this.#metadata.get(id) as { text: string }).text }
  }

  updateSettings(state: QueueState, metadata: string): QueueState {
    this.#flush(state)
    this.#revise.run(state.id)
    this.#putMetadata.run(state.id, metadata)
    this.#states.delete(queueId(state.key))
    return this.find(state.key) as QueueState
  }

  /** Empties the queue: its messages or its subscriptions, or both, are left to the sweeper. */
  replaceBuckets(state: QueueState, which: { messages: boolean; subscriptions: boolean }): void {
    if (which.messages) {
      this.#abandonBucket.run(state.bucket)
      state.bucket = this.#newBucket()
      state.head = null
      state.expired = NONE_EXPIRED
      state.delays = false
      state.free = 0
      state.claimed = 0
      state.bytes = 0
    }
    if (which.subscriptions) {
      this.#abandonBucket.run(state.subscriptionBucket)
      state.subscriptionBucket = this.#newBucket()
    }
    this.#updateBuckets.run(state.bucket, state.subscriptionBucket, state.id)
    this.touch(state)
  }

  delete(state: QueueState): void {
    this.#abandonBucket.run(state.bucket)
    this.#abandonBucket.run(state.subscriptionBucket)
    this.#delete.run(state.id)
    this.#deleteMetadata.run(state.id)
    this.#states.delete(queueId(state.key))
  }

  /** Call after changing a count. */
  touch(state: QueueState): void {
    if (state.dirty) return
    state.dirty = true
    this.#dirty.push(state)
  }

  /** Lets queries of this turn see the counts as they are by now. */
  storeCounts(): void {
    for (const state of this.#dirty) this.#updateCounts.run(state.free, state.claimed, state.bytes, state.id)
  }

  /** Stores the changed counts; answers whether there were any. */
  flush(): boolean {
    const any = this.#dirty.length > 0
    for (const state of this.#dirty) this.#flush(state)
    this.#dirty.length = 0
    if (this.#states.size > REMEMBERED) this.#forgetSome()
    return any
  }

  forget(): void {
    this.#dirty.length = 0
    this.#states.clear()
  }

  #flush(state: QueueState): void {
    if (!state.dirty) return
    this.#updateCounts.run(state.free, state.claimed, state.bytes, state.id)
    state.dirty = false
  }

  #forgetSome(): void {
    for (const id of this.#states.keys()) {
      if (this.#states.size <= REMEMBERED / 2) return
      this.#states.delete(id)
    }
  }

  #newBucket(): number {
    return Number(this.#insertBucket.run().lastInsertRowid)
  }
}
