import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import {
  type Abilities,
  type QueueEngine,
  type QueueKey,
  type Storage,
  StorageUnavailable,
  StorageUnreached,
} from 'zaqar/storage'
import type { Harness, ManualClock, OpenedStore, StoreParts } from 'zaqar-conformance'
import { moveQueue } from '../../src/storage/pooled/move-queue.ts'
import { openPooled, type PooledOptions, type PooledStorage } from '../../src/storage/pooled/open-pooled.ts'

/** Opens one store of several; all that it is opened for see the same ids. */
export type OpenPart = (idKey: Uint8Array | undefined) => Promise<Storage>

/** The store of the service, and one for each pool. */
export interface Parts {
  readonly own: OpenPart
  readonly pools: readonly [OpenPart, OpenPart]
  drop(): Promise<void>
}

const POOLS = ['a', 'b'] as const

/** Longer than the queues of a sequence take. */
const DRAIN_PATIENCE_MS = 1_000

/** Of a composite whose store is no pool itself, without flavors; an error behind the scenes ends the test. */
export const plainTerms = {
  isOwn: () => false,
  usesOwn: false,
  flavorOf: () => null,
  relocationReports: { began() {}, ended() {}, troubled() {} },
  report(error) {
    throw error
  },
} satisfies Partial<PooledOptions>

/** The composite as the kit wants it: on two pools, which take turns in getting queues. */
export function pooledHarness(abilities: Abilities, prepare: (clock: ManualClock) => Promise<Parts>): Harness {
  return {
    abilities: { ...abilities, engine: 'pooled', carriesDepartures: true },
    async open(clock): Promise<OpenedStore> {
      const parts = await prepare(clock)
      const house = new House(parts, clock)
      const open = () => house.open()
      return {
        storage: await open(),
        reopen: open,
        ...(abilities.severalProcesses && { openSecondClient: open }),
        parts: house,
        drop: () => parts.drop(),
      }
    },
  }
}

/** The composites that are open on the same stores, and what befalls the pools. */
class House implements StoreParts {
  readonly count = POOLS.length
  readonly noticedMilliseconds = 2_000
  readonly #parts: Parts
  readonly #clock: ManualClock
  readonly #nodes = new Set<PooledStorage>()
  #away: string | null = null
  #turn = 0
  /** Something stands in the way of the drain that is under way. */
  #troubled: () => void = () => undefined

  constructor(parts: Parts, clock: ManualClock) {
    this.#parts = parts
    this.#clock = clock
  }

  async open(): Promise<Storage> {
    const node = await this.#openNode()
    this.#nodes.add(node)
    const close = () => {
      this.#nodes.delete(node)
      return node.close()
    }
    return { ...this.#knownAtOnce(carriedAtOnce(this.#hearing(node)), node), close }
  }

  async partOf(key: QueueKey): Promise<number | null> {
    const placement = await this.#node.placements.get({ key })
    return placement && POOLS.indexOf(placement.pool as (typeof POOLS)[number])
  }

  async move({ project, kind, name }: QueueKey): Promise<void> {
    const { placements, engines } = this.#node
    const key = { project, kind, name }
    const placement = await placements.get({ key })
    if (placement === null) return
    const pool = async (name: string) => {
      const engine = await engines.open(name)
      assert(engine)
      return { name, engine }
    }
    const from = await pool(placement.pool)
    const to = await pool(otherThan(placement.pool))
    await moveQueue({ key, from, to, placements, clock: this.#clock, newToken: randomUUID }).catch((error) => {
      if (!(error instanceof StorageUnavailable && this.#away !== null)) throw error
    })
  }

  async drain(part: number): Promise<void> {
    const { relocations, relocator, pools } = this.#node
    const pool = POOLS[part] as string
    // What does not go now would be tried again when time has passed.
    this.#troubled = () => {
      assert(this.#away !== null, 'nothing stands in the way of a drain')
      void relocations.cancel({ pool, now: this.#clock.now() })
    }
    await relocations.begin({ pool, rate: null, now: this.#clock.now() })
    await relocator.look()
    const patience = performance.now() + DRAIN_PATIENCE_MS
    for (let isCancelled = false; [...this.#nodes].some((node) => node.relocator.underWay > 0); await turn()) {
      // A queue that changed just then would be tried again when time has passed.
      if (isCancelled || performance.now() < patience) continue
      isCancelled = true
      await relocations.cancel({ pool, now: this.#clock.now() })
    }
    await pools.updatePool({ project: '', name: pool, weight: 1 })
  }

  fail(part: number): void {
    this.#away = POOLS[part] as string
  }

  async recover(): Promise<void> {
    this.#away = null
    for (const { carrier } of this.#nodes) for (const pool of [undefined, ...POOLS]) await carrier.nudge(pool)
  }

  /** A lease is asked for when the node has heard of all work that there was by then, as the kit expects it of one store. */
  #hearing(node: PooledStorage): PooledStorage {
    const { deliveries, engines } = node
    const lease: typeof deliveries.lease = async (p) => {
      const told = engines.allOpened().filter(({ engine }) => engine.abilities.severalProcesses)
      await Promise.all(told.map(({ name, engine }) => (name === this.#away ? null : hearAll(engine, p.now))))
      return deliveries.lease(p)
    }
    return { ...node, deliveries: { ...deliveries, lease } }
  }

  /**
   * Where a queue lies that is new, or may be, every node knows when the move is answered. A node that keeps what is
   * removed from a queue which another one makes hears of that a moment later, and what was removed before is not kept.
   */
  #knownAtOnce(storage: Storage, node: PooledStorage): Storage {
    const { queues, messages, claims } = storage
    const known = async <T>(key: QueueKey, answer: Promise<T>): Promise<T> => {
      const answered = await answer
      const now = this.#clock.now()
      const others = [...this.#nodes].filter((other) => other !== node)
      await Promise.all(others.map((other) => other.queues.get({ key, now }).catch(unlessUnreached)))
      return answered
    }
    const buried = <T>({ queue, deadLetter }: Burying, answer: Promise<T>): Promise<T> =>
      deadLetter === null ? answer : known({ ...queue, name: deadLetter.queue }, answer)
    return {
      ...storage,
      queues: { ...queues, create: (p) => known(p.key, queues.create(p)) },
      messages: { ...messages, pop: (p) => buried(p, messages.pop(p)) },
      claims: {
        ...claims,
        create: (p) => buried(p, claims.create(p)),
        exchange: (p) => buried(p, claims.exchange(p)),
      },
    }
  }

  get #node(): PooledStorage {
    const [node] = this.#nodes
    assert(node)
    return node
  }

  /** Both pools are registered, and open. */
  async #openNode(): Promise<PooledStorage> {
    const { own: openOwn, pools } = this.#parts
    const own = await openOwn(undefined)
    for (const name of POOLS) {
      const pool = { name, uri: `test:${name}`, weight: 1, options: '{}', flavor: null }
      await own.pools.putPool({ project: '', pool })
    }
    const storage = await openPooled({
      ...plainTerms,
      own,
      openPool: async ({ name }) => {
        const open = pools[POOLS.indexOf(name as (typeof POOLS)[number])]
        assert(open)
        return awayAtTimes(await open(own.idKey), () => this.#away === name)
      },
      clock: this.#clock,
      draw: () => (this.#turn++ % POOLS.length) / POOLS.length,
      relocationReports: { ...plainTerms.relocationReports, troubled: () => this.#troubled() },
    })
    await storage.engines.openAll()
    return storage
  }
}

type Burying = Pick<Parameters<Storage['claims']['create']>[0], 'queue' | 'deadLetter'>

function unlessUnreached(error: unknown): void {
  if (!(error instanceof StorageUnreached)) throw error
}

function otherThan(pool: string): string {
  return pool === POOLS[0] ? POOLS[1] : POOLS[0]
}

/** Resolves when the engine has heard all that its server has told so far: that comes in order. */
async function hearAll(engine: QueueEngine, now: number): Promise<void> {
  const key: QueueKey = { project: 'nobody', kind: 'queue', name: 'told' }
  const heard = Promise.withResolvers<void>()
  const end = engine.watchSubscriptions(key, heard.resolve)
  const { queue } = await engine.queues.create({ key, metadata: '{}', now })
  await engine.queues.delete({ queue, now })
  await heard.promise
  end()
}

/** Dead letters and redrives are there when the move that sent them is answered, as the kit expects it of one store. */
function carriedAtOnce(storage: PooledStorage): Storage {
  const { messages, claims, carrier } = storage
  const carried = async <T>(pool: string | undefined, answer: Promise<T>): Promise<T> => {
    const answered = await answer
    await carrier.nudge(pool)
    return answered
  }
  return {
    ...storage,
    messages: {
      ...messages,
      pop: (p) => carried(p.queue.pool, messages.pop(p)),
      redrive: (p) => carried(p.queue.pool, messages.redrive(p)),
    },
    claims: {
      ...claims,
      create: (p) => carried(p.queue.pool, claims.create(p)),
      exchange: (p) => carried(p.queue.pool, claims.exchange(p)),
    },
  }
}

/** What is asked of the store while it is away fails, and does nothing. */
function awayAtTimes(storage: Storage, isAway: () => boolean): Storage {
  const guarded = <Store extends object>(store: Store): Store =>
    Object.fromEntries(
      Object.entries(store).map(([name, method]) => [
        name,
        async (p: unknown) => {
          if (isAway()) throw new StorageUnreached('the store is away')
          return method(p)
        },
      ]),
    ) as Store
  const { queues, messages, claims, subscriptions, deliveries, moves } = storage
  return {
    ...storage,
    queues: guarded(queues),
    messages: guarded(messages),
    claims: guarded(claims),
    subscriptions: guarded(subscriptions),
    deliveries: guarded(deliveries),
    ...(moves && { moves: guarded(moves) }),
  }
}
