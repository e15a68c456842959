import type { Instant, QueueKey } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { Engine } from './engine.ts'
import { Unfinished } from './turns.ts'

const PAUSE_MS = 500
/** Slices of queues that the start looks over: some milliseconds, and 0.1 µs for each message that has expired. */
const FIRST_SLICES = 10
const QUEUES_PER_TURN = 200
/** Rows of abandoned buckets that one turn removes: about a millisecond. */
const ROWS_PER_TURN = 250
const BUCKET_TABLES = ['messages', 'claims', 'idempotency', 'subscriptions'] as const

/**
 * Frees the space of what has expired, was purged or deleted, a slice in each turn, so that no request waits for it. Nothing that anybody
 * sees depends on it.
 */
export class Sweeper {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #dueQueues
  readonly #lastOf
  readonly #removeSubscriptions
  readonly #abandoned
  readonly #removeRows
  readonly #removeBucket
  #timer: Timer | null = null
  #stopped = false

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
    const { db } = engine
    const someQueues = `SELECT * FROM queues WHERE id > $after ORDER BY id LIMIT ${QUEUES_PER_TURN}`
    this.#lastOf = db.prepare(`SELECT max(id) AS id FROM (${someQueues})`)
    this.#dueQueues = db.prepare(
      `SELECT project, kind, name FROM (${someQueues}) q
       WHERE EXISTS (SELECT 1 FROM messages m WHERE m.bucket = q.bucket AND m.expires_at <= $now)
          OR EXISTS (SELECT 1 FROM claims c WHERE c.bucket = q.bucket AND c.expires_at <= $now)
          OR EXISTS (SELECT 1 FROM idempotency i WHERE i.bucket = q.bucket AND i.expires_at <= $now)`,
    )
    this.#removeSubscriptions = db.prepare(
      `DELETE FROM subscriptions WHERE (bucket, id) IN
         (SELECT s.bucket, s.id FROM (${someQueues}) q JOIN subscriptions s ON s.bucket = q.subscription_bucket
          WHERE s.expires_at <= $now LIMIT ${ROWS_PER_TURN})`,
    )
    this.#abandoned = db.prepare('SELECT id FROM buckets WHERE owner IS NULL ORDER BY id LIMIT 1')
    this.#removeRows = BUCKET_TABLES.map((table) => removeSome(engine, table))
    this.#removeBucket = db.prepare('DELETE FROM buckets WHERE id = ?')
  }

  /** Passes over what expired while the store was closed, so that no request has to. */
  lookOver(): void {
    const { states, settling, numbers } = this.#engine
    const now = numbers.notBefore(this.#clock.now())
    let after: number | null = 0
    for (let slice = 0; slice < FIRST_SLICES && after !== null; slice++, after = this.#lastBehind(after)) {
      for (const key of this.#dueBehind(after, now)) {
        const state = states.find(key)
        if (state !== null) settling.overlookExpired(state, now)
      }
    }
  }

  start(): void {
    if (this.#stopped) return
    this.#timer = this.#clock.at(this.#clock.now() + PAUSE_MS, () => {
      // A storage that is closed or in trouble has nothing to sweep; the next round tries again.
      this.#round()
        .catch(() => {})
        .then(() => this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #round(): Promise<void> {
    for (let after: number | null = 0; after !== null && !this.#stopped; ) after = await this.#sweepQueues(after)
    while (!this.#stopped && (await this.#sweepBucket()));
  }

  /** Settles the queues behind `after`; the id to go on behind, or null at the end. */
  async #sweepQueues(after: number): Promise<number | null> {
    const { turns, states, settling, numbers } = this.#engine
    const now = this.#clock.now()
    const { due, last } = await turns.submit(() => {
      this.#removeSubscriptions.run({ $after: after, $now: now })
      return { due: this.#dueBehind(after, now), last: this.#lastBehind(after) }
    })
    for (const key of due) {
      await turns.submit(() => {
        const state = states.find(key)
        return state === null || settling.sweep(state, numbers.notBefore(now)) ? null : new Unfinished()
      })
    }
    return last
  }

  #dueBehind(after: number, now: Instant): QueueKey[] {
    return this.#dueQueues.all({ $after: after, $now: now }) as unknown as QueueKey[]
  }

  #lastBehind(after: number): number | null {
    return (this.#lastOf.get({ $after: after }) as { id: number | null }).id
  }

  /** Removes a slice of an abandoned bucket; false when there is none. */
  #sweepBucket(): Promise<boolean> {
    return this.#engine.turns.submit(() => {
      const bucket = this.#abandoned.get() as { id: number } | undefined
      if (bucket === undefined) return false
      const removed = this.#removeRows.some((remove) => remove.run(bucket.id).changes > 0)
      if (!removed) this.#removeBucket.run(bucket.id)
      return true
    })
  }
}

function removeSome({ db }: Engine, table: (typeof BUCKET_TABLES)[number]) {
  const key = {
    messages: 'number',
    claims: 'number',
    idempotency: '(bucket, key)',
    subscriptions: '(bucket, id)',
  }[table]
  const columns = key.replace(/[()]/g, '')
  return db.prepare(
    `DELETE FROM ${table} WHERE ${key} IN (SELECT ${columns} FROM ${table} WHERE bucket = ? LIMIT ${ROWS_PER_TURN})`,
  )
}
