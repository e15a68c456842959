import type { Instant, Queue, QueueKey } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import {
  type Placement,
  type QueueHandle,
  QueueMoving,
  type Registry,
  STALE,
  type Stale,
  StorageUnavailable,
  StorageUnreached,
} from '../contract.ts'
import { type MovePool, resolveMoving } from './move-queue.ts'
import type { PoolEngine, PoolEngines } from './pool-engines.ts'

/** Whoever asks for a queue that is just now on its way waits for so long, and longer than a fence lasts. */
const LONGEST_WAIT_MS = 2_500
/** Whoever waits looks again after so long, should nobody tell. */
const PAUSE_MS = 200

/** Tries while others create and delete the same queue. */
const TRIES = 20

export interface PlacingParts {
  readonly engines: PoolEngines
  readonly clock: Clock
  readonly registry: Pick<Registry, 'placements'>
  /** Queues are put into the store of the service itself where no pool can take them: the virtual pool. */
  readonly usesOwn: boolean
  /** From 0 to below 1. */
  draw(): number
  /** Told where a queue was found, and waited for. `pool`: undefined for the store of the service itself, or nowhere. */
  located(key: QueueKey, pool: string | undefined): Promise<void>
}

export interface Creation {
  readonly created: boolean
  readonly queue: Queue
}

/**
 * Finds, creates and deletes queues, which takes two stores: the catalogue and the pool. docs/decisions/pools.md says
 * why these steps leave nothing wrong, wherever they are interrupted.
 */
export class Placing {
  readonly #parts: PlacingParts

  constructor(parts: PlacingParts) {
    this.#parts = parts
  }

  get(key: QueueKey, now: Instant): Promise<Queue | null> {
    return this.#throughMoves(key, () => this.#get(key, now))
  }

  async #get(key: QueueKey, now: Instant): Promise<Queue | null> {
    const { located } = this.#parts
    const { placements } = this.#parts.registry
    for (let left = TRIES; left > 0; left--) {
      const placement = await placements.get({ key })
      if (placement === null) {
        const own = await this.#lookInOwn(key, now)
        await located(key, undefined)
        return own
      }
      const queue = await this.#look(placement, now)
      if (await this.#correct(placement, queue !== null)) {
        await located(key, placement.pool)
        return queue
      }
    }
    throw keepsChanging(key)
  }

  /** Does it again when the queue has moved, or serves again where it was. */
  async #throughMoves<T>(key: QueueKey, act: () => Promise<T>): Promise<T> {
    const { clock, registry } = this.#parts
    const until = clock.now() + LONGEST_WAIT_MS
    let hints: Hints | null = null
    try {
      for (;;) {
        const told = hints?.next()
        try {
          return await act()
        } catch (error) {
          if (!(error instanceof Met) || clock.now() >= until) throw error
          const { pool, moving } = error
          if (told === undefined || hints?.engine !== pool.engine) {
            hints?.end()
            hints = new Hints(pool.engine, key)
            // It may have gone on before it was watched.
            continue
          }
          const found = { key: keyOf(key), pool, placements: registry.placements, clock }
          if ((await resolveMoving(found, moving)) === 'wait') {
            await firstOf(told, clock, Math.min(moving.until, clock.now() + PAUSE_MS))
          }
        }
      }
    } finally {
      hints?.end()
    }
  }

  /** The queue that a placement refers to, by one look as a rule; it may have moved since. */
  async find(placement: Placement, now: Instant): Promise<Queue | null> {
    const queue = await this.#throughMoves(placement, () => this.#look(placement, now))
    return queue ?? this.get(keyOf(placement), now)
  }

  /** Null, too, where it has moved elsewhere since the placement was read. */
  async #look(placement: Placement, now: Instant): Promise<Queue | null> {
    const { pool } = placement
    try {
      const engine = await this.#parts.engines.open(pool)
      if (engine === null) return null
      const queue = await this.#at({ name: pool, engine }, () => engine.queues.get({ key: keyOf(placement), now }))
      return queue && { ...queue, pool }
    } catch (error) {
      if (error instanceof StorageUnreached && (await this.hasMoved(placement))) return null
      throw error
    }
  }

  /** Does something in the pool. @throws Met */
  async #at<T>(pool: MetPool, act: () => Promise<T>): Promise<T> {
    try {
      return await this.#parts.engines.ask(pool.name, act)
    } catch (error) {
      throw error instanceof QueueMoving ? new Met(pool, error) : error
    }
  }

  /** The queue that lies in the store of the service itself without a placement. What was moved has had one. */
  async #lookInOwn(key: QueueKey, now: Instant): Promise<Queue | null> {
    try {
      return await this.#parts.engines.own.queues.get({ key, now })
    } catch (error) {
      if (error instanceof QueueMoving) return null
      throw error
    }
  }

  /** Makes the mark of the placement what its pool says. False where somebody else has changed it. */
  async #correct(placement: Placement, isThere: boolean): Promise<boolean> {
    const { placements } = this.#parts.registry
    if (placement.isSettled === isThere) return true
    if (isThere) return placements.settle({ placement })
    const { pool, version } = placement
    return (await placements.unsettle({ key: placement, pool, version })) !== null
  }

  /** Whether the queue of a placement that is not settled is there. One in a pool that is down is not. */
  async isThere(placement: Placement, now: Instant): Promise<boolean> {
    const queue = await this.#throughMoves(placement, () => this.#look(placement, now)).catch(unlessAway)
    if (queue === null) return false
    await this.#correct(placement, true)
    return true
  }

  /** @throws StorageUnavailable when no pool can take it */
  create(key: QueueKey, metadata: string, flavor: string | null, now: Instant): Promise<Creation> {
    return this.#throughMoves(key, () => this.#create(key, metadata, flavor, now))
  }

  async #create(key: QueueKey, metadata: string, flavor: string | null, now: Instant): Promise<Creation> {
    const { engines, located } = this.#parts
    const { placements } = this.#parts.registry
    /** What this very call has created so far, and in which pool. */
    let mine: { queue: Queue; pool: string } | null = null
    const without: string[] = []
    for (let left = TRIES; left > 0; left--) {
      const placed = await this.#place(key, flavor, without)
      if (placed === null) {
        const creation = await this.#createOwn(key, metadata, flavor, now)
        if (creation === null) continue
        await located(key, undefined)
        return creation
      }
      const { engine, isNew } = placed
      let { placement } = placed
      const { pool } = placement
      if (mine && mine.pool !== pool) {
        // Others have created and deleted it meanwhile, and it lies elsewhere now.
        await (await engines.open(mine.pool))?.queues.delete({ queue: mine.queue, now })
        mine = null
      }
      if (isNew) {
        // From before there were pools, or of the virtual pool.
        const own = await this.#lookInOwn(key, now)
        if (own !== null && mine === null) {
          await placements.remove({ placement })
          await located(key, undefined)
          return { created: false, queue: own }
        }
      } else if (placement.isSettled) {
        const queue = await this.#look(placement, now)
        if (queue !== null) {
          await located(key, pool)
          return { created: queue.version === mine?.queue.version, queue }
        }
        const unsettled = await placements.unsettle({ key, pool, version: placement.version })
        if (unsettled === null) continue
        placement = unsettled
      }
      const create = () => this.#at({ name: pool, engine }, () => engine.queues.create({ key, metadata, now }))
      let answer: Creation
      try {
        answer = await create()
      } catch (error) {
        if (!isNew || mine || !(error instanceof StorageUnreached)) throw error
        // The others shall have it.
        await placements.remove({ placement })
        without.push(pool)
        continue
      }
      if (isNew && !answer.created && !mine && engine !== engines.own) {
        // What lies in a pool that no placement named is nothing, unless somebody has named it just now.
        const same = await placements.unsettle({ key, pool, version: placement.version })
        if (same === null) continue
        placement = same
        await engine.queues.delete({ queue: answer.queue, now })
        answer = await create()
      }
      if (answer.created) mine = { queue: answer.queue, pool }
      if (await placements.settle({ placement })) {
        await located(key, pool)
        return { created: answer.queue.version === mine?.queue.version, queue: { ...answer.queue, pool } }
      }
    }
    throw keepsChanging(key)
  }

  /** `without`: pools that could not take it. Null: no pool can. @throws StorageUnreached where those are all */
  async #place(
    key: QueueKey,
    flavor: string | null,
    without: string[],
  ): Promise<{ placement: Placement; isNew: boolean; engine: PoolEngine } | null> {
    const { engines, draw } = this.#parts
    const { placements } = this.#parts.registry
    for (let avoided = engines.away(); ; ) {
      const answer = await placements.place({ key, flavor, without: [...without, ...avoided], draw: draw() })
      if (answer === 'no-pool') {
        if (avoided.length === 0) return null
        // Better one that may be there again than none.
        avoided = []
        continue
      }
      const { placement, isNew } = answer
      try {
        const engine = await engines.open(placement.pool)
        if (engine !== null) return { placement, isNew, engine }
      } catch (error) {
        if (!isNew) throw error
      }
      // It may have been made only now; the others shall have it.
      if (isNew) await placements.remove({ placement })
      without.push(placement.pool)
    }
  }

  /**
   * In the store of the service itself, where it is from before there were pools, or there is a virtual pool. Null when
   * somebody has placed it on a pool meanwhile.
   */
  async #createOwn(key: QueueKey, metadata: string, flavor: string | null, now: Instant): Promise<Creation | null> {
    const { engines, usesOwn } = this.#parts
    const { queues } = engines.own
    const known = await this.#lookInOwn(key, now)
    if (known !== null) return { created: false, queue: known }
    if (!usesOwn || flavor !== null) throw new StorageUnavailable(`no pool can take the ${key.kind} ${key.name}`)
    // What is left there of a move is nobody's while there is no placement, so it goes.
    const creation = await this.#at({ name: '', engine: engines.own }, () => queues.create({ key, metadata, now }))
    // Who places it looks here after that, so one of the two sees the other.
    if ((await this.#parts.registry.placements.get({ key })) === null) return creation
    if (creation.created) await queues.delete({ queue: creation.queue, now })
    return null
  }

  async delete(queue: QueueHandle, now: Instant): Promise<'deleted' | Stale> {
    const { engines, located } = this.#parts
    const { placements } = this.#parts.registry
    const { pool } = queue
    const key = keyOf(queue)
    if (pool === undefined) return engines.own.queues.delete({ queue, now })
    const placement = await placements.unsettle({ key, pool })
    if (placement === null) return STALE
    const outcome = await engines
      .ask(pool, async () => (await engines.open(pool))?.queues.delete({ queue, now }) ?? STALE)
      .catch(async (error) => {
        // It is there as before.
        if (error instanceof StorageUnreached) await placements.settle({ placement })
        throw error
      })
    const isGone = outcome === 'deleted' && (await placements.remove({ placement }))
    if (!isGone) await this.#throughMoves(key, () => this.#removeOrSettle(placement, now))
    await located(key, undefined)
    return outcome
  }

  /** Whether the queue lies elsewhere than the handle says. */
  async hasMoved(queue: QueueHandle): Promise<boolean> {
    const placement = await this.#parts.registry.placements.get({ key: keyOf(queue) })
    return placement?.pool !== queue.pool
  }

  /** Removes the placement of a queue that is not there. */
  async removeMissing(key: QueueKey, pool: string, now: Instant): Promise<void> {
    const placement = await this.#parts.registry.placements.unsettle({ key, pool })
    if (placement !== null) await this.#throughMoves(key, () => this.#removeOrSettle(placement, now))
  }

  /** Ends what began by taking the mark away: the placement goes, unless the queue is there. */
  async #removeOrSettle(placement: Placement, now: Instant): Promise<void> {
    const { placements } = this.#parts.registry
    let ours: Placement | null = placement
    for (let left = TRIES; left > 0; left--) {
      if (ours !== null) {
        const isThere = (await this.#look(ours, now)) !== null
        if (await (isThere ? placements.settle({ placement: ours }) : placements.remove({ placement: ours }))) return
      }
      // Who has changed it since is to end it likewise. Only who made it sure may have seen the queue before it went.
      const latest = await placements.get({ key: keyOf(placement) })
      if (!latest?.isSettled) return
      const { pool, version } = latest
      ours = await placements.unsettle({ key: keyOf(placement), pool, version })
    }
  }
}

/** A queue that is on its way, and the pool in which it was met. */
class Met extends StorageUnavailable {
  readonly pool: MetPool
  readonly moving: QueueMoving

  constructor(pool: MetPool, moving: QueueMoving) {
    super(moving.message)
    this.pool = pool
    this.moving = moving
  }
}

interface MetPool extends MovePool {
  readonly engine: PoolEngine
}

function keyOf({ project, kind, name }: QueueKey): QueueKey {
  return { project, kind, name }
}

/** Tells when a queue that was met on its way may have come further. */
class Hints {
  readonly engine: PoolEngine
  readonly end: () => void
  #next = Promise.withResolvers<void>()

  constructor(engine: PoolEngine, key: QueueKey) {
    this.engine = engine
    this.end = engine.watch(key, () => this.#next.resolve())
  }

  /** Resolves with the first hint after the call. */
  next(): Promise<void> {
    this.#next = Promise.withResolvers<void>()
    return this.#next.promise
  }
}

async function firstOf(told: Promise<void>, clock: Clock, at: Instant): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = clock.at(at, resolve)
  await Promise.race([told, promise])
  timer.cancel()
}

export function unlessAway(error: unknown): null {
  if (error instanceof StorageUnavailable) return null
  throw error
}

function keepsChanging({ name }: QueueKey): StorageUnavailable {
  return new StorageUnavailable(`queue ${name} keeps changing`)
}
