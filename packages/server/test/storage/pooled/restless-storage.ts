import {
  type Abilities,
  type Clock,
  type Departure,
  type Lease,
  type MoveStore,
  type Placement,
  type PlacementStore,
  type Queue,
  type QueueEngine,
  type QueueHandle,
  type QueueKey,
  QueueMoving,
  queueId,
  STALE,
  type Stale,
  StorageUnavailable,
} from '../../../src/storage/contract.ts'
import { moveQueue, resolveMoving } from '../../../src/storage/pooled/move-queue.ts'

/** What is true of a queue whichever client looks at it. */
interface Known {
  readonly key: QueueKey
  placement: Placement
  /** What callers take for its version: a move does not change it. */
  shown: string
  /** Of its engine. */
  version: string
}

/** The catalogue of all clients, and what they know of the queues. */
export class Catalogue {
  readonly known = new Map<string, Known>()
  /** Names of queues of other stores: nobody carries what departs to them. */
  readonly foreign = new Set<string>()
  /** Of whom somebody goes through the failures, whose markers do not move. */
  readonly paged = new Set<string>()
  readonly leases = new Map<string, { readonly queue: string; endsAt: number }>()
  #versions = 0
  #random: number

  constructor(seed: number) {
    this.#random = seed
  }

  /** Below `limit`; a generator of its own (Park and Miller), so that a sequence can be run again. */
  random(limit: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647
    return this.#random % limit
  }

  newVersion(): string {
    this.#versions += 1
    return String(this.#versions)
  }

  async get({ key }: { key: QueueKey }): Promise<Placement | null> {
    return this.known.get(queueId(key))?.placement ?? null
  }

  async move({ placement, pool, token = null, target = null }: Parameters<PlacementStore['move']>[0]) {
    const known = this.known.get(queueId(placement))
    if (known === undefined || known.placement.version !== placement.version) return null
    known.placement = { ...placement, pool, token, target, version: this.newVersion() }
    return known.placement
  }
}

class Killed extends Error {}

/** Lets a mover take one step when it is told to, and kills it between two when it is told that. */
class Steps {
  #goOn: (() => void) | null = null
  #arrived: (() => void) | null = null
  #isOver = false
  isKilled = false

  over(): void {
    this.#isOver = true
    this.#arrived?.()
  }

  async before(): Promise<void> {
    this.#arrived?.()
    await new Promise<void>((resolve) => {
      this.#goOn = resolve
    })
    if (this.isKilled) throw new Killed()
  }

  async step(): Promise<void> {
    const goOn = this.#goOn
    if (goOn === null || this.#isOver) return
    this.#goOn = null
    const arrived = new Promise<void>((resolve) => {
      this.#arrived = resolve
    })
    goOn()
    await arrived
  }

  /** Whatever the mover does comes after a step. */
  of<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const method = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return async (...args: unknown[]) => {
          await this.before()
          return Reflect.apply(method, target, args)
        }
      },
    })
  }
}

export interface RestlessPool {
  readonly name: string
  readonly engine: QueueEngine
}

/** Two pools, between which queues move while they are used, and movers die between any two steps. */
export function createRestless(
  pools: readonly RestlessPool[],
  catalogue: Catalogue,
  clock: Clock,
  abilities: Abilities,
): QueueEngine & { moved: number } {
  let mover: Steps | null = null
  const counted = { moved: 0 }

  const engineOf = (name: string) => pools.find((pool) => pool.name === name)?.engine as QueueEngine
  const poolOf = (name: string) => ({ name, engine: engineOf(name) })
  // Of the catalogue moves know no more than this.
  const placements = catalogue as Pick<PlacementStore, 'get' | 'move'> as PlacementStore
  const knownOf = (key: QueueKey) => catalogue.known.get(queueId(key))

  /** A lease is settled here where it was taken, and a marker of failures is read there. */
  function mayMove(key: QueueKey): boolean {
    const id = queueId(key)
    if (catalogue.paged.has(id)) return false
    return [...catalogue.leases.values()].every(({ queue, endsAt }) => queue !== id || endsAt <= clock.now())
  }

  /** Who finds the fence of a mover that was killed finds it when its time is over. */
  const over = <F extends { role: 'leaving' | 'arriving'; token: string; until: number }>({
    role,
    token,
    until,
  }: F) => ({
    ...{ role, token },
    until: mover === null ? 0 : until,
  })

  function begin(): void {
    const all = [...catalogue.known.values()]
    const chosen = all[catalogue.random(Math.max(1, all.length))]
    if (chosen === undefined) return
    const { key, placement } = chosen
    const steps = new Steps()
    const pool = (name: string) => {
      const { moves, queues } = engineOf(name)
      const stepped = steps.of(moves as MoveStore)
      return {
        name,
        engine: {
          queues,
          moves: new Proxy(stepped, {
            get: (target, method) =>
              method === 'fence' && !mayMove(key)
                ? async () => {
                    throw new StorageUnavailable('not now')
                  }
                : Reflect.get(target, method),
          }),
        },
      }
    }
    const to = pools.find(({ name }) => name !== placement.pool) as RestlessPool
    const token = `${abilities.engine}-${catalogue.newVersion()}`
    const move = moveQueue({
      key,
      from: pool(placement.pool),
      to: pool(to.name),
      placements: steps.of(placements),
      clock,
      newToken: () => token,
    })
    mover = steps
    move.then(
      (outcome) => {
        if (outcome === 'moved') counted.moved += 1
        steps.over()
        if (mover === steps) mover = null
      },
      (error) => {
        steps.over()
        if (mover === steps) mover = null
        if (!(error instanceof Killed || error instanceof StorageUnavailable)) throw error
      },
    )
  }

  async function advance(steps: number): Promise<void> {
    for (let left = steps; left > 0; left--) {
      if (mover === null) {
        begin()
        await new Promise(setImmediate)
      }
      if (mover !== null && catalogue.random(40) === 0) {
        // What it is at is left as it is, for ever.
        mover.isKilled = true
        await mover.step()
        mover = null
        continue
      }
      await mover?.step()
    }
  }

  async function find<T>(key: QueueKey, look: (engine: QueueEngine) => Promise<T>): Promise<T | null> {
    for (let looks = 0; ; looks++) {
      const known = knownOf(key)
      if (known === undefined) return null
      const { pool } = known.placement
      try {
        return await look(engineOf(pool))
      } catch (error) {
        if (!(error instanceof QueueMoving)) throw error
        if (looks > 200) throw new Error('It moves for ever')
        const found = { key, pool: poolOf(pool), placements, clock }
        if ((await resolveMoving(found, over(error))) === 'wait') await advance(1)
      }
    }
  }

  async function refresh(known: Known): Promise<boolean> {
    const queue = await find(known.key, (engine) => engine.queues.get({ key: known.key, now: clock.now() }))
    if (queue === null) return false
    const isSame = known.version === queue.version
    known.version = queue.version
    return !isSame
  }

  async function act<T>(
    handle: QueueHandle,
    move: (engine: QueueEngine, handle: QueueHandle) => Promise<T | Stale>,
  ): Promise<T | Stale> {
    await advance(catalogue.random(4))
    for (;;) {
      const known = knownOf(handle)
      if (known === undefined || known.shown !== handle.version) return STALE
      const answer = await move(engineOf(known.placement.pool), { ...handle, version: known.version })
      if (answer !== STALE) {
        await carry()
        // Who waits for news does nothing meanwhile that would let the mover get on.
        await resolveAll(clock.now())
        return answer
      }
      await refresh(known)
    }
  }

  const toShown = (known: Known, queue: Queue): Queue => ({ ...queue, version: known.shown })

  async function create(key: QueueKey, metadata: string, now: number): Promise<{ created: boolean; queue: Queue }> {
    const known = knownOf(key)
    if (known === undefined) {
      const pool = pools[catalogue.random(pools.length)] as RestlessPool
      const placement = {
        ...{ project: key.project, kind: key.kind, name: key.name },
        ...{ pool: pool.name, version: catalogue.newVersion(), isSettled: true, token: null, target: null },
      }
      catalogue.known.set(queueId(key), { key, placement, shown: catalogue.newVersion(), version: '' })
    }
    const answer = await find(key, (engine) => engine.queues.create({ key, metadata, now }))
    const found = knownOf(key)
    if (answer === null || found === undefined) throw new Error('It was placed')
    found.version = answer.queue.version
    return { created: answer.created, queue: toShown(found, answer.queue) }
  }

  /** Dead letters and redrives are there before anybody looks. */
  async function carry(): Promise<void> {
    for (const { engine } of pools) {
      for (;;) {
        const all = await engine.messages.departures({ limit: 1_000, now: clock.now() })
        const due = all.filter(({ queue }) => !catalogue.foreign.has(queue.name))
        if (due.length === 0) break
        for (const departure of due) await carryOne(engine, departure)
      }
    }
  }

  async function carryOne(from: QueueEngine, { id, queue: key, message }: Departure): Promise<void> {
    const now = clock.now()
    await create(key, '{}', now)
    const known = knownOf(key) as Known
    for (;;) {
      const queue = { ...key, version: known.version }
      const messages = [{ ...message, departure: id }]
      const answer = await engineOf(known.placement.pool).messages.import({ queue, messages, end: null, now })
      if (answer !== STALE) break
      await refresh(known)
    }
    await from.messages.departed({ ids: [id], now })
  }

  /** Nobody would find a queue that its mover left fenced, but who looks for those. */
  async function resolveAll(now: number): Promise<void> {
    for (let isAny = true; isAny; ) {
      isAny = false
      for (const { name, engine } of pools) {
        for (const { key, ...fence } of (await engine.moves?.fenced({ limit: 1_000, now })) ?? []) {
          const placement = await catalogue.get({ key })
          if (fence.role === 'arriving' && placement?.token !== fence.token) continue
          if (fence.role === 'arriving' && placement?.pool !== name) continue
          isAny = true
          if ((await resolveMoving({ key, pool: { name, engine }, placements, clock }, over(fence))) === 'wait')
            await advance(1)
        }
      }
    }
  }

  const deadLetterOf = <T extends { deadLetter: null | { queue: string; elsewhere?: true; version?: string } }>(
    p: T,
    { project, name }: QueueKey,
  ): T => {
    const { deadLetter } = p
    if (deadLetter === null || deadLetter.queue === name) return p
    const { version } = deadLetter
    const known = knownOf({ project, kind: 'queue', name: deadLetter.queue })
    if (deadLetter.elsewhere || (version !== undefined && known?.shown !== version))
      catalogue.foreign.add(deadLetter.queue)
    return { ...p, deadLetter: { ...deadLetter, elsewhere: true } }
  }

  const onAll = (begin: (engine: QueueEngine) => () => void) => {
    const ends = pools.map(({ engine }) => begin(engine))
    return () => {
      for (const end of ends) end()
    }
  }

  type Call<P, T> = (p: P) => Promise<T | Stale>
  /** A method of a part of the engine, on the queue where it lies. */
  const routed =
    <P extends { queue: QueueHandle }, T>(part: (engine: QueueEngine) => Call<P, T>): Call<P, T> =>
    (p) =>
      act(p.queue, (engine, queue) => part(engine)({ ...p, queue }))

  function noteLease(lease: Lease): Lease {
    const known = knownOf(lease.queue)
    if (known === undefined) return lease
    catalogue.leases.set(`${known.placement.pool} ${lease.id}`, { queue: queueId(known.key), endsAt: lease.endsAt })
    return { ...lease, queue: toShown(known, lease.queue) }
  }

  return inTurn({
    get moved() {
      return counted.moved
    },
    abilities,
    weakness: () => null,
    queues: {
      async create({ key, metadata, now }) {
        await advance(catalogue.random(4))
        return create(key, metadata, now)
      },
      async get({ key, now }) {
        await advance(catalogue.random(4))
        const queue = await find(key, (engine) => engine.queues.get({ key, now }))
        const known = knownOf(key)
        if (queue === null || known === undefined) return null
        known.version = queue.version
        return toShown(known, queue)
      },
      async update(p) {
        const queue = await routed<typeof p, Queue>((engine) => engine.queues.update)(p)
        const known = knownOf(p.queue)
        if (queue === STALE || known === undefined) return STALE
        known.version = queue.version
        known.shown = catalogue.newVersion()
        return toShown(known, queue)
      },
      async delete(p) {
        const answer = await routed<typeof p, 'deleted'>((engine) => engine.queues.delete)(p)
        if (answer !== STALE) catalogue.known.delete(queueId(p.queue))
        return answer
      },
      stats: routed((engine) => engine.queues.stats),
    },
    messages: {
      append: routed((engine) => engine.messages.append),
      list: routed((engine) => engine.messages.list),
      get: routed((engine) => engine.messages.get),
      delete: routed((engine) => engine.messages.delete),
      deleteMany: routed((engine) => engine.messages.deleteMany),
      pop: (p) => act(p.queue, (engine, queue) => engine.messages.pop({ ...deadLetterOf(p, queue), queue })),
      purge: routed((engine) => engine.messages.purge),
      redrive: (p) => {
        for (const name of p.elsewhere ?? []) catalogue.foreign.add(name)
        return act(p.queue, (engine, queue) => {
          const others = [...catalogue.known.values()].filter(
            ({ key, placement }) =>
              key.project === queue.project && key.kind === 'queue' && engineOf(placement.pool) !== engine,
          )
          return engine.messages.redrive({
            ...p,
            queue,
            elsewhere: [...(p.elsewhere ?? []), ...others.map(({ key }) => key.name)],
          })
        })
      },
      origins: routed((engine) => engine.messages.origins),
      end: routed((engine) => engine.messages.end),
      export: routed((engine) => engine.messages.export),
      import: routed((engine) => engine.messages.import),
      async departures(p) {
        const all = await Promise.all(pools.map(({ engine }) => engine.messages.departures(p)))
        return all.flat().slice(0, p.limit)
      },
      async departed(p) {
        await Promise.all(pools.map(({ engine }) => engine.messages.departed(p)))
      },
    },
    claims: {
      create: (p) => act(p.queue, (engine, queue) => engine.claims.create({ ...deadLetterOf(p, queue), queue })),
      exchange: (p) => act(p.queue, (engine, queue) => engine.claims.exchange({ ...deadLetterOf(p, queue), queue })),
      get: routed((engine) => engine.claims.get),
      list: routed((engine) => engine.claims.list),
      renew: routed((engine) => engine.claims.renew),
      release: routed((engine) => engine.claims.release),
    },
    subscriptions: {
      create: routed((engine) => engine.subscriptions.create),
      get: routed((engine) => engine.subscriptions.get),
      list: routed((engine) => engine.subscriptions.list),
      update: routed((engine) => engine.subscriptions.update),
      confirm: routed((engine) => engine.subscriptions.confirm),
      delete: routed((engine) => engine.subscriptions.delete),
      purge: routed((engine) => engine.subscriptions.purge),
    },
    deliveries: {
      async lease(p) {
        await advance(catalogue.random(4))
        await resolveAll(p.now)
        const leases: Lease[] = []
        const nexts: number[] = []
        // None of them comes always first.
        for (const { engine } of catalogue.random(2) === 0 ? pools : pools.toReversed()) {
          const limit = p.limit - leases.length
          if (limit === 0) {
            nexts.push(p.now)
            break
          }
          const some = await engine.deliveries.lease({ ...p, limit })
          leases.push(...some.leases.map(noteLease))
          if (some.next !== null) nexts.push(some.next)
        }
        return { leases, next: nexts.length === 0 ? null : Math.min(...nexts) }
      },
      async settle(p) {
        const known = knownOf(p.lease.queue)
        if (known === undefined) return 'lost'
        const { pool } = known.placement
        const answer = await engineOf(pool).deliveries.settle(p)
        const noted = catalogue.leases.get(`${pool} ${p.lease.id}`)
        if (noted !== undefined && answer !== 'lost') noted.endsAt = answer.notifications.length > 0 ? answer.endsAt : 0
        return answer
      },
      announce: routed((engine) => engine.deliveries.announce),
      async failures(p) {
        const page = await routed<typeof p, Exclude<Awaited<ReturnType<QueueEngine['deliveries']['failures']>>, Stale>>(
          (engine) => engine.deliveries.failures,
        )(p)
        if (page !== null && page !== STALE && page.marker !== null) catalogue.paged.add(queueId(p.queue))
        return page
      },
      replay: routed((engine) => engine.deliveries.replay),
      log: routed((engine) => engine.deliveries.log),
    },
    watch: (queue, listener) => onAll((engine) => engine.watch(queue, listener)),
    watchSubscriptions: (queue, listener) => onAll((engine) => engine.watchSubscriptions(queue, listener)),
    async keepGone(queue) {
      const ends = await Promise.all(pools.map(({ engine }) => engine.keepGone(queue)))
      return () => {
        for (const end of ends) end()
      }
    },
    watchWork: (listener) => onAll((engine) => engine.watchWork(listener)),
    async ping() {
      await Promise.all(pools.map(({ engine }) => engine.ping()))
    },
    async close() {
      if (mover !== null) {
        mover.isKilled = true
        await mover.step()
        mover = null
      }
      await Promise.all(pools.map(({ engine }) => engine.close()))
    },
  })
}

/** One call after the other, or the steps between would change their order. */
function inTurn<T extends QueueEngine>(storage: T): T {
  let last: Promise<unknown> = Promise.resolve()
  const isQuick = new Set(['watch', 'watchSubscriptions', 'watchWork', 'weakness'])
  const wrap = (part: object): object =>
    new Proxy(part, {
      get(_, name) {
        const value = Reflect.get(part, name)
        if (isQuick.has(String(name))) return value
        if (typeof value === 'object' && value !== null && name !== 'abilities') return wrap(value)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          const answer = last.then(() => Reflect.apply(value, part, args))
          last = answer.catch(() => {})
          return answer
        }
      },
    })
  return wrap(storage) as T
}
