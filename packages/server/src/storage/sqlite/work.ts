import type { DatabaseSync } from 'node:sqlite'
import type { Instant, QueueKey } from '../../model/model.ts'
import { tellListeners } from '../tell-listeners.ts'
import { NEVER, type QueueState } from './queue-states.ts'

/** Queues that one lease looks at in one turn. */
const QUEUES_PER_TURN = 100

/**
 * Which queues have subscriptions that are worth a look, and from when on. It may be too early, never too late. What a
 * queue remembers of it (`workAt`) keeps a POST to a queue that is marked already from writing anything.
 */
export class Work {
  readonly #listeners = new Set<() => void>()
  readonly #put
  readonly #remove
  readonly #due
  readonly #next
  #hasNews = false

  constructor(db: DatabaseSync) {
    this.#put = db.prepare('INSERT OR REPLACE INTO work (queue, wakes_at) VALUES (?, ?)')
    this.#remove = db.prepare('DELETE FROM work WHERE queue = ?')
    this.#due = db.prepare(
      `SELECT project, kind, name FROM work w JOIN queue q ON q.number = w.queue
       WHERE wakes_at <= ? ORDER BY wakes_at LIMIT ${QUEUES_PER_TURN}`,
    )
    this.#next = db.prepare('SELECT min(wakes_at) AS at FROM work')
  }

  watch(listener: () => void): () => void {
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  /** There is something to look at from that instant on, if not before. */
  wake(state: QueueState, at: Instant): void {
    if (at >= state.workAt) return
    this.#store(state, at)
    this.#hasNews = true
  }

  /** Somebody has looked: there is nothing before that instant. */
  looked(state: QueueState, next: Instant): void {
    if (next !== state.workAt) this.#store(state, next)
  }

  /** Those that have waited longest first. */
  due(now: Instant): QueueKey[] {
    return this.#due.all(now) as unknown as QueueKey[]
  }

  /** When the next look may bring something; null: not of itself. */
  next(): Instant | null {
    return (this.#next.get() as { at: Instant | null }).at
  }

  committed(): void {
    if (!this.#hasNews) return
    this.#hasNews = false
    tellListeners(this.#listeners)
  }

  rolledBack(): void {
    this.#hasNews = false
  }

  close(): void {
    this.#listeners.clear()
  }

  #store(state: QueueState, at: Instant): void {
    state.workAt = at
    if (at === NEVER) this.#remove.run(state.number)
    else this.#put.run(state.number, at)
  }
}
