import { createHash } from 'node:crypto'
import type { Instant, QueueKey } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { type Connection, connect } from './connection.ts'

export interface News {
  /** Whether there may be something new in the queue; otherwise only the next instant has come nearer. */
  readonly isNews: boolean
  /** When there will be news by itself, as things are now: null when nothing is to come. */
  readonly next: Instant | null
}

export interface ListeningOptions {
  /** Of the server itself: a connection pooler in transaction mode passes no notifications on. */
  readonly uri: string
  readonly schema: string
  readonly clock: Clock
  readonly onNews: (hash: string, news: News) => void
  /** Subscriptions of the queue have changed, or gone. */
  readonly onSubscriptions: (hash: string) => void
  /** Any of both, of any queue of the slot, may have been missed. */
  readonly onMissed: (slot: number) => void
  /** Some queue may have work earlier than was known. Also where news of that may have been missed. */
  readonly onWork: () => void
}

const RETRY_MS = 1_000
/** How long a slot stays listened to after the last watcher left: the next long poll is likely to come soon. */
const LINGER_MS = 10_000

/** What notifications call a queue, as the SQL function `tell` has it. */
export function hashOf({ project, kind, name }: QueueKey): string {
  const text = `${kind} ${Buffer.byteLength(name)} ${name} ${project}`
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

export function slotOf(hash: string): number {
  return Number.parseInt(hash.slice(0, 2), 16)
}

/**
 * The one connection that listens, made when somebody watches. Queues share 256 slots. Whoever listens to a slot holds
 * a shared lock of it on the server, by which writers know that a notification is wanted; it goes with the connection.
 * Notifications come in the order of the commits.
 */
export class Listening {
  readonly #options: ListeningOptions
  /** How many watch each slot; 0 while it lingers. */
  readonly #wanted = new Map<number, number>()
  readonly #locked = new Set<number>()
  #wantsWork = false
  #connection: Connection | null = null
  #isWorking = false
  #isClosed = false
  #timer: Timer | null = null

  constructor(options: ListeningOptions) {
    this.#options = options
  }

  /** Answers whether it is listened to already. If not, `onMissed` follows as soon as it is. */
  add(slot: number): boolean {
    this.#wanted.set(slot, (this.#wanted.get(slot) ?? 0) + 1)
    if (this.#locked.has(slot)) return true
    void this.#work()
    return false
  }

  remove(slot: number): void {
    this.#wanted.set(slot, (this.#wanted.get(slot) ?? 1) - 1)
    this.#timer ??= this.#options.clock.at(this.#options.clock.now() + LINGER_MS, () => this.#forgetUnwanted())
  }

  /** From now on `onWork` is called; for the first time as soon as it is listened to. */
  listenForWork(): void {
    this.#wantsWork = true
    void this.#work()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#connection?.destroy()
  }

  #forgetUnwanted(): void {
    this.#timer = null
    for (const [slot, count] of this.#wanted) if (count === 0) this.#wanted.delete(slot)
    void this.#work()
  }

  /** Brings locks in line with wishes, one statement at a time. */
  async #work(): Promise<void> {
    if (this.#isWorking || this.#isClosed) return
    this.#isWorking = true
    try {
      if (this.#wantsWork) await this.#open()
      for (let slot = this.#nextMissing(); slot !== undefined; slot = this.#nextMissing()) await this.#lock(slot)
      for (const slot of [...this.#locked]) if (!this.#wanted.has(slot)) await this.#unlock(slot)
    } catch {
      this.#connection?.destroy()
      this.#retrySoon()
    } finally {
      this.#isWorking = false
    }
    // Wishes may have come while the last locks went.
    if (this.#connection?.isOpen && this.#nextMissing() !== undefined) void this.#work()
  }

  #nextMissing(): number | undefined {
    return this.#wanted.keys().find((slot) => !this.#locked.has(slot))
  }

  async #lock(slot: number): Promise<void> {
    const { client } = await this.#open()
    const { schema } = this.#options
    await client.query("SELECT pg_advisory_lock_shared(hashtext('watched ' || $1), $2)", [schema, slot])
    // Writers that looked before have the gate until they commit: what they bring, who looks now sees.
    await client.query(
      "SELECT pg_advisory_lock(hashtext('gate ' || $1), $2), pg_advisory_unlock(hashtext('gate ' || $1), $2)",
      [schema, slot],
    )
    if (this.#connection?.client !== client || !this.#connection.isOpen) throw new Error('the connection was lost')
    this.#locked.add(slot)
    this.#options.onMissed(slot)
  }

  async #unlock(slot: number): Promise<void> {
    this.#locked.delete(slot)
    const { client } = await this.#open()
    await client.query("SELECT pg_advisory_unlock_shared(hashtext('watched ' || $1), $2)", [this.#options.schema, slot])
  }

  async #open(): Promise<Connection> {
    if (this.#connection?.isOpen) return this.#connection
    const { uri, schema, onNews, onSubscriptions, onWork } = this.#options
    const connection = await connect(uri, () => this.#onLost())
    if (this.#isClosed) connection.destroy()
    this.#connection = connection
    connection.client.on('notification', ({ payload = '' }) => {
      if (payload === 'work') return onWork()
      const [hash = '', what, next] = payload.split(' ')
      if (what === 'subscriptions') return onSubscriptions(hash)
      onNews(hash, { isNews: what === 'news', next: next === undefined ? null : Number(next) })
    })
    await connection.client.query(`LISTEN "zaqar ${schema}"`)
    if (this.#wantsWork) onWork()
    return connection
  }

  #onLost(): void {
    this.#locked.clear()
    this.#retrySoon()
  }

  #retrySoon(): void {
    if (this.#isClosed) return
    const { clock } = this.#options
    clock.at(clock.now() + RETRY_MS, () => void this.#work())
  }
}
