import type { Instant, Pool } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import {
  type CensusStore,
  type QueueEngine,
  QueueMoving,
  type QueueStore,
  type Registry,
  StorageFull,
  StorageUnavailable,
  StorageUnreached,
} from '../contract.ts'
import { tellListeners } from '../tell-listeners.ts'

/** What keeps the queues of a pool. One without `usage` and census counts nothing. */
export interface PoolEngine extends QueueEngine {
  readonly queues: QueueEngine['queues'] & Partial<Pick<QueueStore, 'usage'>>
  readonly census?: CensusStore
}

export interface PoolAddresses {
  /** Whether the pool is the store of the service itself, which is open. */
  isOwn(pool: Pool): boolean
  /** @throws StorageUnavailable when it cannot be opened, or must not */
  openPool(pool: Pool): Promise<PoolEngine>
}

/** How one pool does, for those who watch the service. */
export interface PoolState {
  readonly name: string
  /** Whether it could be reached when it was last asked; null where nobody has needed it yet. */
  readonly isUp: boolean | null
  /** Moves on its queues in this process, and those of them that failed because it could not be reached. */
  readonly moves: number
  readonly failures: number
}

const REFRESH_MS = 2_000
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000
/** One that could not be reached gets no new queues for so long, unless it is reached before. */
const AVOIDED_MS = 5_000
const PAGE = 1_000

interface Member {
  readonly pool: Pool
  engine: PoolEngine | null
  opening: Promise<PoolEngine> | null
  /** Why it could not be opened. Until `retryAt` that is the answer. */
  failure: StorageUnreached | null
  retryAt: number
  retryMs: number
  /** It is open, and could not be reached when it was last asked, which was then. */
  awayAt: Instant | null
  moves: number
  failures: number
}

/**
 * The engines of the pools that the registry names: opened when they are first needed, closed when the pool is gone or
 * has another address. A pool that is down holds nobody up: until it is tried again, whoever wants it is told so at once.
 */
export class PoolEngines {
  readonly own: PoolEngine
  readonly #registry: Pick<Registry, 'pools'>
  readonly #addresses: PoolAddresses
  readonly #clock: Clock
  readonly #members = new Map<string, Member>()
  readonly #listeners = new Set<(name: string) => void>()
  #timer: Timer | null = null
  #isClosed = false

  constructor(own: PoolEngine & Pick<Registry, 'pools'>, addresses: PoolAddresses, clock: Clock) {
    this.own = own
    this.#registry = own
    this.#addresses = addresses
    this.#clock = clock
  }

  /** The engine, if it is open; that of the service itself for no name. */
  opened(name: string | undefined): PoolEngine | null {
    if (name === undefined) return this.own
    return this.#members.get(name)?.engine ?? null
  }

  /**
   * Null when there is no such pool.
   * @throws StorageUnreached when it is down
   */
  async open(name: string | undefined): Promise<PoolEngine | null> {
    if (name === undefined) return this.own
    const member = this.#members.get(name) ?? (await this.#find(name))
    return member && this.#engineOf(member)
  }

  /** Runs a move on the pool and counts it. `absent`: what is answered where there is no such pool. */
  async run<T>(name: string | undefined, absent: T, move: (engine: PoolEngine) => Promise<T>): Promise<T> {
    const member = name === undefined ? undefined : this.#members.get(name)
    if (member) member.moves += 1
    try {
      return await this.ask(name, async () => {
        // As a rule it is open, and nothing need be waited for.
        const engine = member?.engine ?? (await this.open(name))
        return engine === null ? absent : move(engine)
      })
    } catch (error) {
      if (member && isAway(error)) member.failures += 1
      throw error
    }
  }

  /** Does something on the pool, and remembers whether it could be reached. */
  async ask<T>(name: string | undefined, act: () => Promise<T>): Promise<T> {
    const member = name === undefined ? undefined : this.#members.get(name)
    try {
      const answer = await act()
      if (member) member.awayAt = null
      return answer
    } catch (error) {
      if (member && isAway(error)) member.awayAt = this.#clock.now()
      throw error
    }
  }

  /** What those that are open answer, without those that cannot be reached. What is not open may be the next time. */
  async askAll<T>(question: (engine: PoolEngine) => Promise<T> | undefined): Promise<T[]> {
    void this.openAll()
    const answers = await Promise.all(
      this.allOpened().map(({ name, engine }) => this.ask(name, async () => question(engine)).catch(() => undefined)),
    )
    return answers.filter((answer) => answer !== undefined)
  }

  /** Those that could not be reached a moment ago. */
  away(): string[] {
    const now = this.#clock.now()
    return [...this.#members].flatMap(([name, { engine, failure, retryAt, awayAt }]) => {
      const isAway = engine === null ? failure !== null && now < retryAt : awayAt !== null && now < awayAt + AVOIDED_MS
      return isAway ? name : []
    })
  }

  /** Those that are open, by name, and that of the service itself without one. */
  allOpened(): { name: string | undefined; engine: PoolEngine }[] {
    const opened = [...this.#members].flatMap(([name, { engine }]) =>
      engine === null || engine === this.own ? [] : { name, engine },
    )
    return [{ name: undefined, engine: this.own }, ...opened]
  }

  /** Opens what is not open. Resolves when that was tried. */
  async openAll(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => this.#engineOf(member).catch(() => null)))
  }

  names(): string[] {
    return [...this.#members.keys()]
  }

  states(): PoolState[] {
    return [...this.#members].map(([name, { engine, failure, awayAt, moves, failures }]) => {
      const isUp = engine !== null ? awayAt === null : failure !== null ? false : null
      return { name, isUp, moves, failures }
    })
  }

  /** Calls `listener` with the name of each pool that was opened, or closed. Answers the function that ends it. */
  onChange(listener: (name: string) => void): () => void {
    const entry = (name: string) => listener(name)
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  /** Reads which pools there are, now and from time to time. */
  async start(): Promise<void> {
    await this.refresh()
    this.#refreshLater()
  }

  /** Takes in what has become of the pools. @throws StorageUnavailable */
  async refresh(): Promise<void> {
    const found = new Set<string>()
    for (let after: string | null = null; ; ) {
      const page: Pool[] = await this.#registry.pools.listPools({ project: '', after, limit: PAGE })
      for (const pool of page) {
        found.add(pool.name)
        this.#note(pool)
      }
      if (page.length < PAGE) break
      after = page.at(-1)?.name ?? null
    }
    for (const name of this.names()) if (!found.has(name)) this.#drop(name)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#listeners.clear()
    await Promise.all(
      [...this.#members.values()].map(async ({ opening, engine }) => {
        const open = engine ?? (await opening?.catch(() => null))
        if (open && open !== this.own) await open.close()
      }),
    )
    this.#members.clear()
    await this.own.close()
  }

  #refreshLater(): void {
    if (this.#isClosed) return
    this.#timer = this.#clock.at(this.#clock.now() + REFRESH_MS, () => {
      // When the registry is in trouble, the pools are what they were.
      this.refresh()
        .catch(() => undefined)
        .finally(() => this.#refreshLater())
    })
  }

  async #find(name: string): Promise<Member | null> {
    if (this.#isClosed) throw closed()
    const pool = await this.#registry.pools.getPool({ project: '', name })
    return pool && this.#note(pool)
  }

  #note(pool: Pool): Member {
    const known = this.#members.get(pool.name)
    if (known && known.pool.uri === pool.uri && known.pool.options === pool.options) return known
    if (known) this.#drop(pool.name)
    const member = {
      pool,
      engine: this.#addresses.isOwn(pool) ? this.own : null,
      opening: null,
      failure: null,
      retryAt: 0,
      retryMs: FIRST_RETRY_MS,
      awayAt: null,
      moves: 0,
      failures: 0,
    }
    this.#members.set(pool.name, member)
    return member
  }

  #drop(name: string): void {
    const member = this.#members.get(name)
    this.#members.delete(name)
    const close = async () => {
      const engine = member?.engine ?? (await member?.opening)
      if (engine !== this.own) await engine?.close()
    }
    // What could not be opened need not be closed.
    close().catch(() => undefined)
    this.#tell(name)
  }

  #engineOf(member: Member): Promise<PoolEngine> {
    if (this.#isClosed) return Promise.reject(closed())
    if (member.engine) return Promise.resolve(member.engine)
    if (member.opening) return member.opening
    if (member.failure && this.#clock.now() < member.retryAt) return Promise.reject(member.failure)
    member.opening = this.#openMember(member)
    return member.opening
  }

  async #openMember(member: Member): Promise<PoolEngine> {
    const { pool } = member
    try {
      const engine = await this.#addresses.openPool(pool)
      Object.assign(member, { engine, opening: null, failure: null, retryMs: FIRST_RETRY_MS })
      this.#tell(pool.name)
      return engine
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const failure = new StorageUnreached(`pool ${pool.name}: ${reason}`, { cause: error })
      const retryAt = this.#clock.now() + member.retryMs
      Object.assign(member, {
        opening: null,
        failure,
        retryAt,
        retryMs: Math.min(2 * member.retryMs, LONGEST_RETRY_MS),
      })
      throw failure
    }
  }

  #tell(name: string): void {
    tellListeners([...this.#listeners].map((listener) => () => listener(name)))
  }
}

function closed(): StorageUnavailable {
  return new StorageUnavailable('the storage is closed')
}

/** A full store is there, and so is one that a queue is leaving. */
function isAway(error: unknown): boolean {
  return error instanceof StorageUnavailable && !(error instanceof StorageFull || error instanceof QueueMoving)
}
