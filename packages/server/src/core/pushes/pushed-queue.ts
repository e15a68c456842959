import type { Instant, QueueKey, Subscription } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import type { QueueHandle, Storage } from '../../storage/contract.ts'
import type { QueueDirectory } from '../queue-directory.ts'
import type { ConnectionPush } from './connection-push.ts'
import type { Deadlines, Timed } from './deadlines.ts'

export interface PushedQueueParts {
  readonly storage: Pick<Storage, 'subscriptions' | 'watchSubscriptions'>
  readonly queues: QueueDirectory
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** Runs what reads, when there is room for it. */
  run<T>(job: () => Promise<T>): Promise<T>
  /** The subscription was seen like this; null: it is gone. */
  onRow(push: ConnectionPush, row: Subscription | null): void
  onFailure(error: unknown): void
}

/** Subscriptions that are read one by one; more are read in pages of so many, with all others of the queue. */
const PAGE = 100
/** After a failure, in milliseconds. */
const RETRY_MS = 1_000
/** Rows are read for a tenth of the time, however often they change, while reading them takes no longer than usual. */
const REST = 9
const LONGEST_REST_MS = 2_000
/** After so many were listed it rests for a millisecond at least. */
const LISTED_EACH_MS = 10
/** Changes are looked at after this time even while this process itself removes subscriptions. */
const LONGEST_REMOVING_MS = 1_000

/** The subscriptions of one queue whose messages go to connections of this process: looks when they change. */
export class PushedQueue implements Timed {
  readonly #key: QueueKey
  readonly #parts: PushedQueueParts
  readonly #onEnd: () => void
  readonly #unwatch: () => void
  readonly #pushes = new Set<ConnectionPush>()
  /** Those that may be other than they are known. */
  #stale = new Set<ConnectionPush>()
  /** How often it was told of changes. */
  changes = 0
  #count = 0
  #isReading = false
  #restsUntil: Instant = 0
  /** Subscriptions that this process removes at present. */
  #removals = 0
  /** Of the first change that has not been looked at. */
  #changedAt: Instant | null = null

  /** `onEnd` is called when all have left. */
  constructor(key: QueueKey, parts: PushedQueueParts, onEnd: () => void) {
    this.#key = key
    this.#parts = parts
    this.#onEnd = onEnd
    this.#unwatch = parts.storage.watchSubscriptions(key, () => {
      this.changes += 1
      this.#changedAt ??= parts.clock.now()
      this.reread(this.#pushes)
    })
  }

  /** Before the subscription is made: from now on its changes are seen. */
  enter(): void {
    this.#count += 1
  }

  /** `seen`: `changes` before its subscription was made. */
  add(push: ConnectionPush, seen: number): void {
    this.#pushes.add(push)
    if (this.changes !== seen) this.reread([push])
  }

  /** Who has entered leaves, with the push or without having made one. */
  leave(push: ConnectionPush | null): void {
    if (push !== null) {
      this.#pushes.delete(push)
      this.#stale.delete(push)
    }
    this.#count -= 1
    if (this.#count > 0) return
    this.#unwatch()
    this.#parts.deadlines.delete(this)
    this.#onEnd()
  }

  reread(pushes: Iterable<ConnectionPush>): void {
    for (const push of pushes) this.#stale.add(push)
    this.#readWhenRested()
  }

  /** While `remove` is under way, changes are that, as a rule: one look for many such is enough. Does not fail. */
  async removing(remove: () => Promise<void>): Promise<void> {
    this.#removals += 1
    await remove()
    this.#removals -= 1
    if (this.#count > 0) this.#readWhenRested()
  }

  onTime(): void {
    this.#readWhenRested()
  }

  #readWhenRested(): void {
    const { clock, deadlines } = this.#parts
    if (this.#isReading || this.#stale.size === 0) return
    const removesUntil = this.#removals > 0 && this.#changedAt !== null ? this.#changedAt + LONGEST_REMOVING_MS : 0
    const restsUntil = Math.max(this.#restsUntil, removesUntil)
    if (clock.now() < restsUntil) deadlines.set(this, restsUntil)
    else void this.#read()
  }

  async #read(): Promise<void> {
    const { clock, run, onRow, onFailure } = this.#parts
    this.#isReading = true
    const pushes = this.#stale
    this.#stale = new Set()
    this.#changedAt = null
    try {
      const rows = await run(async () => {
        const start = clock.now()
        const rows = await (pushes.size > PAGE ? this.#listed(start) : this.#each(pushes, start))
        const end = clock.now()
        const listed = pushes.size > PAGE ? pushes.size / LISTED_EACH_MS : 0
        this.#restsUntil = end + Math.min(Math.max(REST * (end - start), Math.floor(listed)), LONGEST_REST_MS)
        return rows
      })
      for (const push of pushes) if (!push.hasEnded) onRow(push, rows.get(push.id) ?? null)
    } catch (error) {
      onFailure(error)
      for (const push of pushes) if (!push.hasEnded) this.#stale.add(push)
      this.#restsUntil = clock.now() + RETRY_MS
    }
    this.#isReading = false
    if (this.#count > 0) this.#readWhenRested()
  }

  async #each(pushes: ReadonlySet<ConnectionPush>, now: Instant): Promise<Map<string, Subscription>> {
    const { storage, queues } = this.#parts
    const get = (id: string) => queues.use(this.#key, now, (queue) => storage.subscriptions.get({ queue, id, now }))
    const rows = await Promise.all([...pushes].map(({ id }) => get(id)))
    return byId(rows.filter((row) => row !== null))
  }

  async #listed(now: Instant): Promise<Map<string, Subscription>> {
    const { storage, queues } = this.#parts
    const found: Subscription[] = []
    for (let after: string | null = null; ; ) {
      const from: string | null = after
      const list = (queue: QueueHandle) => storage.subscriptions.list({ queue, after: from, limit: PAGE, now })
      const page: Subscription[] = (await queues.use(this.#key, now, list)) ?? []
      found.push(...page)
      if (page.length < PAGE) return byId(found)
      after = page.at(-1)?.id ?? null
    }
  }
}

function byId(rows: readonly Subscription[]): Map<string, Subscription> {
  return new Map(rows.map((row) => [row.id, row]))
}
