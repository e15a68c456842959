import type { Json } from '../../model/model.ts'
import { StorageUnavailable } from '../contract.ts'
import type { EngineFigures } from '../engine-figures.ts'
import { type Connection, connect } from './connection.ts'
import { endsConnection, isLockedOut, isRolledBack, maySucceedAgain, toFailure } from './failures.ts'

/** Bounds of one transaction. */
const GROUP_MOVES = 64
const GROUP_BYTES = 1 << 20
/** More than this waiting on one connection means that the server does not keep up. */
const WAITING_MOVES = 10_000
const ATTEMPTS_ALONE = 8

export interface PendingMove {
  /** The move and its parameters as JSON text. */
  readonly text: string
  /**
   * Moves of one transaction run in the order of this, which is the same on every node, so no two wait for each other.
   */
  readonly lockKey: string
  /** Shares its transaction with no other. */
  readonly isAlone: boolean
  readonly resolve: (answer: Json) => void
  readonly reject: (error: unknown) => void
}

export interface LaneOptions {
  readonly uri: string
  readonly schema: string
  /** The server's session may be another for each transaction, so nothing can be prepared in it. */
  readonly isPooled: boolean
  readonly figures: EngineFigures
}

/**
 * One connection and the moves that wait for it. What arrives while a group is under way makes up the next group: one
 * round trip, one transaction, one commit.
 */
export class Lane {
  readonly #uri: string
  readonly #figures: EngineFigures
  readonly #statement: { readonly text: string; readonly name?: string }
  #connection: Connection | null = null
  #waiting: PendingMove[] = []
  #running: Promise<void> | null = null

  constructor({ uri, schema, isPooled, figures }: LaneOptions) {
    this.#uri = uri
    this.#figures = figures
    this.#statement = {
      text: `SELECT unnest("${schema}".run($1)) AS answer`,
      ...(!isPooled && { name: 'run' }),
    }
  }

  get load(): number {
    return this.#waiting.length + (this.#running ? 1 : 0)
  }

  /** Moves before their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  get isConnected(): boolean {
    return this.#connection?.isOpen === true
  }

  submit(move: PendingMove): void {
    if (this.#waiting.length >= WAITING_MOVES) {
      move.reject(new StorageUnavailable('PostgreSQL does not keep up with the requests'))
      return
    }
    this.#waiting.push(move)
    // What else this turn of the event loop brings shares the first group.
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#runAll())
  }

  /** Waits for the moves under way. */
  async close(): Promise<void> {
    await this.#running
    await this.#connection?.client.end().catch(() => undefined)
    this.#connection = null
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#runGroup(this.#takeGroup())
    this.#running = null
  }

  #takeGroup(): PendingMove[] {
    let bytes = 0
    let count = 0
    for (const { text, isAlone } of this.#waiting) {
      bytes += text.length
      if (count > 0 && (isAlone || count === GROUP_MOVES || bytes > GROUP_BYTES)) break
      count += 1
      if (isAlone) break
    }
    const group = this.#waiting.splice(0, count)
    // A stable sort: moves of one queue keep their order.
    return group.sort((a, b) => (a.lockKey < b.lockKey ? -1 : a.lockKey > b.lockKey ? 1 : 0))
  }

  async #runGroup(group: readonly PendingMove[]): Promise<void> {
    try {
      const answers = await this.#run(group)
      for (const [i, move] of group.entries()) move.resolve(answers[i] ?? null)
    } catch (error) {
      const canRunAgain = group.length > 1 ? isRolledBack(error) && !endsConnection(error) : maySucceedAgain(error)
      if (canRunAgain) await this.#runOneByOne(group)
      else for (const { reject } of group) reject(toFailure(error))
    }
  }

  /** One that fails must not undo its neighbours, nor may it hold them up for longer than it must. */
  async #runOneByOne(group: readonly PendingMove[]): Promise<void> {
    /** What ended the connection; none of those left was begun. */
    let trouble: unknown = null
    const lockedOut = new Map<string, unknown>()
    for (const move of group) {
      const foreseen = trouble ?? lockedOut.get(move.lockKey)
      const failure = foreseen ?? (await this.#runAlone(move))
      if (failure === null) continue
      move.reject(toFailure(failure))
      if (isLockedOut(failure)) lockedOut.set(move.lockKey, failure)
      else if (endsConnection(failure)) trouble = failure
    }
  }

  /** Answers what it failed with, or null. */
  async #runAlone(move: PendingMove): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        const [answer] = await this.#run([move])
        move.resolve(answer ?? null)
        return null
      } catch (error) {
        if (!maySucceedAgain(error) || attempt === ATTEMPTS_ALONE) return error
        await this.#giveWay(attempt)
      }
    }
  }

  /** A random while on the server, so that those who met do not meet again. */
  async #giveWay(attempt: number): Promise<void> {
    await this.#connection?.client
      .query('SELECT pg_sleep(random() * 0.005 * $1)', [2 ** attempt])
      .catch(() => undefined)
  }

  async #run(group: readonly PendingMove[]): Promise<Json[]> {
    if (!this.#connection?.isOpen) this.#connection = await connect(this.#uri)
    try {
      const moves = `[${group.map((move) => move.text).join(',')}]`
      const { client } = this.#connection
      const begun = this.#figures.elapsed()
      const { rows } = await client.query<{ answer: Json }>({ ...this.#statement, values: [moves] })
      if (this.#connection.isUnconfirmed) throw new StorageUnavailable('no standby has confirmed the commit')
      this.#figures.committed(group.length, begun)
      return rows.map((row) => row.answer)
    } catch (error) {
      this.#figures.failed += 1
      if (endsConnection(error)) {
        this.#connection?.destroy()
        this.#connection = null
      }
      throw error
    }
  }
}
