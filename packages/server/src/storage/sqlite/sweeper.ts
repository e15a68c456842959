import type { Instant, QueueKey } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { Engine } from './engine.ts'
import { Unfinished } from './turns.ts'

const PAUSE_MS = 500
/** Slices of queues that the start looks over: some milliseconds, and 0.1 µs for each message that has expired. */
const FIRST_SLICES = 10
const QUEUES_PER_TURN = 200
/** Rows of dropped buckets that one turn removes: about a millisecond. */
const ROWS_PER_TURN = 250
const BUCKET_TABLES = ['message', 'delayed', 'claim', 'idempotency', 'subscription', 'owed', 'failure', 'log'] as const

/**
 * Frees the space of what has expired, was purged or deleted, a slice in each turn, so that no request waits for it.
 * Nothing that anybody sees depends on it.
 */
export class Sweeper {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #moves
  readonly #dueQueues
  readonly #lastOf
  readonly #removeSubscriptions
  readonly #removeDepartures
  readonly #removeFailures
  readonly #dropped
  readonly #removeRows
  readonly #removeBucket
  #timer: Timer | null = null
  #stopped = false

  constructor(engine: Engine, clock: Clock, moves: { sweep(now: Instant): void }) {
    this.#engine = engine
    this.#moves = moves
    this.#clock = clock
    const { db } = engine
    const someQueues = `SELECT * FROM queue WHERE number > $after ORDER BY number LIMIT ${QUEUES_PER_TURN}`
    this.#lastOf = db.prepare(`SELECT max(number) AS number FROM (${someQueues})`)
    this.#dueQueues = db.prepare(
      `SELECT project, kind, name FROM (${someQueues}) q
       WHERE EXISTS (SELECT 1 FROM message m WHERE m.bucket = q.bucket AND m.expires_at <= $now)
          OR EXISTS (SELECT 1 FROM delayed d WHERE d.bucket = q.bucket AND d.due_at <= $now)
          OR EXISTS (SELECT 1 FROM delayed d WHERE d.bucket = q.bucket AND d.expires_at <= $now AND d.expires_at <= d.due_at)
          OR EXISTS (SELECT 1 FROM claim c WHERE c.bucket = q.bucket AND c.ends_at <= $now)
          OR EXISTS (SELECT 1 FROM idempotency i WHERE i.bucket = q.bucket AND i.expires_at <= $now)`,
    )
    this.#removeSubscriptions = db.prepare(
      `DELETE FROM subscription WHERE number IN
         (SELECT s.number FROM (${someQueues}) q JOIN subscription s ON s.bucket = q.subscription_bucket
          WHERE s.expires_at <= $now LIMIT ${ROWS_PER_TURN})`,
    )
    this.#removeDepartures = db.prepare(
      `DELETE FROM departure WHERE rowid IN (SELECT rowid FROM departure WHERE expires_at <= ? LIMIT ${ROWS_PER_TURN})`,
    )
    this.#removeFailures = db.prepare(
      `DELETE FROM failure WHERE rowid IN (SELECT rowid FROM failure WHERE expires_at <= ? LIMIT ${ROWS_PER_TURN})`,
    )
    this.#dropped = db.prepare('SELECT bucket FROM dropped LIMIT 1')
    this.#removeRows = BUCKET_TABLES.map((table) => removeSome(engine, table))
    this.#removeBucket = db.prepare('DELETE FROM dropped WHERE bucket = ?')
  }

  /** Passes over what expired while the store was closed, so that no request has to. */
  lookOver(): void {
    const { states, settling, latest } = this.#engine
    const now = latest.notBefore(this.#clock.now())
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
    const { figures } = this.#engine
    const begun = figures.elapsed()
    this.#engine.gone.sweep(this.#clock.now())
    await this.#engine.turns.submit(() => this.#moves.sweep(this.#clock.now()))
    for (let after: number | null = 0; after !== null && !this.#stopped; ) after = await this.#sweepQueues(after)
    while (!this.#stopped && (await this.#sweepBucket()));
    for (let after: number | null = 0; after !== null && !this.#stopped; ) after = await this.#sweepFeeds(after)
    figures.swept(begun)
  }

  /** Removes from feeds what everybody has behind him. */
  #sweepFeeds(after: number): Promise<number | null> {
    const { turns, feed } = this.#engine
    return turns.submit(() => feed.sweep(after))
  }

  /** Settles the queues behind `after`; the id to go on behind, or null at the end. */
  async #sweepQueues(after: number): Promise<number | null> {
    const { turns, states, settling, latest } = this.#engine
    const now = this.#clock.now()
    const { due, last } = await turns.submit(() => {
      this.#removeDepartures.run(now)
      this.#removeFailures.run(now)
      this.#removeSubscriptions.run({ $after: after, $now: now })
      return { due: this.#dueBehind(after, now), last: this.#lastBehind(after) }
    })
    for (const key of due) {
      await turns.submit(() => {
        const state = states.find(key)
        return state === null || settling.sweep(state, latest.notBefore(now)) ? null : new Unfinished()
      })
    }
    return last
  }

  #dueBehind(after: number, now: Instant): QueueKey[] {
    return this.#dueQueues.all({ $after: after, $now: now }) as unknown as QueueKey[]
  }

  #lastBehind(after: number): number | null {
    return (this.#lastOf.get({ $after: after }) as { number: number | null }).number
  }

  /** Removes a slice of a dropped bucket; false when there is none. */
  #sweepBucket(): Promise<boolean> {
    return this.#engine.turns.submit(() => {
      const dropped = this.#dropped.get() as { bucket: number } | undefined
      if (dropped === undefined) return false
      const removed = this.#removeRows.some((remove) => remove.run(dropped.bucket).changes > 0)
      if (!removed) this.#removeBucket.run(dropped.bucket)
      return true
    })
  }
}

function removeSome({ db }: Engine, table: (typeof BUCKET_TABLES)[number]) {
  const key = {
    message: 'rowid',
    delayed: 'rowid',
    claim: '(bucket, number)',
    idempotency: '(bucket, key)',
    subscription: 'number',
    owed: 'rowid',
    failure: 'rowid',
    log: '(bucket, number)',
  }[table]
  const columns = key.replace(/[()]/g, '')
  return db.prepare(
    `DELETE FROM ${table} WHERE ${key} IN (SELECT ${columns} FROM ${table} WHERE bucket = ? LIMIT ${ROWS_PER_TURN})`,
  )
}
