import { createHash } from 'node:crypto'
import type { QueueKey } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { type Connection, connect } from './connection.ts'

export interface ListeningOptions {
  /** Of the server itself: a connection pooler in transaction mode passes no notifications on. */
  readonly uri: string
  readonly schema: string
  readonly clock: Clock
  /** News in a slot, or reason to believe that some were missed. */
  readonly onNews: (slot: number) => void
}

const RETRY_MS = 1_000
/** How long a slot stays listened to after the last watcher left: the next long poll is likely to come soon. */
const LINGER_MS = 10_000

/** As the SQL function `watch_slot`. */
export function slotOf({ project, kind, name }: QueueKey): number {
  return createHash('sha256').update(`${project}\u001f${kind}\u001f${name}`).digest()[0] as number
}

/**
 * The one connection that listens, made when somebody watches. Queues share 256 slots. Whoever listens to a slot holds a
 * shared lock of it on the server, by which writers know that a notification is wanted; it goes with the connection.
 */
export class Listening {
  readonly #options: ListeningOptions
  /** How many watch each slot; 0 while it lingers. */
  readonly #wanted = new Map<number, number>()
  readonly #locked = new Set<number>()
  #connection: Connection | null = null
  #isWorking = false
  #isClosed = false
  #timer: Timer | null = null

  constructor(options: ListeningOptions) {
    this.#options = options
  }

  /** Answers whether it is listened to already. If not, `onNews` follows as soon as it is. */
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
    // Writers that looked before have the gate until they commit: what they bring, the first news below shows.
    await client.query(
      "SELECT pg_advisory_lock(hashtext('gate ' || $1), $2), pg_advisory_unlock(hashtext('gate ' || $1), $2)",
      [schema, slot],
    )
    if (this.#connection?.client !== client || !this.#connection.isOpen) throw new Error('the connection was lost')
    this.#locked.add(slot)
    this.#options.onNews(slot)
  }

  async #unlock(slot: number): Promise<void> {
    this.#locked.delete(slot)
    const { client } = await this.#open()
    await client.query("SELECT pg_advisory_unlock_shared(hashtext('watched ' || $1), $2)", [this.#options.schema, slot])
  }

  async #open(): Promise<Connection> {
    if (this.#connection?.isOpen) return this.#connection
    const { uri, schema, onNews } = this.#options
    const connection = await connect(uri, () => this.#onLost())
    if (this.#isClosed) connection.destroy()
    this.#connection = connection
    connection.client.on('notification', ({ payload }) => onNews(Number(payload)))
    await connection.client.query(`LISTEN "zaqar ${schema}"`)
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
