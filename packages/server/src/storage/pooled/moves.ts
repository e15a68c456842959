import {
  type ClaimStore,
  type DeadLetterPolicy,
  type Instant,
  type MessageStore,
  type QueueHandle,
  STALE,
  type Stale,
  StorageUnreached,
  type SubscriptionStore,
} from '../contract.ts'
import type { Carrier } from './carrier.ts'
import { type DeadLetterQueues, ORIGINS } from './dead-letters.ts'
import type { Placing } from './placing.ts'
import type { PoolEngine, PoolEngines } from './pool-engines.ts'

export interface MoveParts {
  readonly engines: PoolEngines
  readonly placing: Placing
  readonly deadLetters: DeadLetterQueues
  readonly carrier: Carrier
}

export type PoolParts = Pick<MoveParts, 'engines' | 'placing'>

/** What is done on one queue is done by the engine of its pool. */
export function pooledMessages({ engines, placing, deadLetters, carrier }: MoveParts): MessageStore {
  const on = onPool({ engines, placing })
  return {
    append: (p) => on(p, (engine) => engine.messages.append(p)),
    list: (p) => on(p, (engine) => engine.messages.list(p)),
    get: (p) => on(p, (engine) => engine.messages.get(p)),
    delete: (p) => on(p, (engine) => engine.messages.delete(p)),
    deleteMany: (p) => on(p, (engine) => engine.messages.deleteMany(p)),
    pop: (p) => burying(p, deadLetters, carrier, (terms) => on(p, (engine) => engine.messages.pop(terms))),
    purge: (p) => on(p, (engine) => engine.messages.purge(p)),
    origins: (p) => on(p, (engine) => engine.messages.origins(p)),
    end: (p) => on(p, (engine) => engine.messages.end(p)),
    export: (p) => on(p, (engine) => engine.messages.export(p)),
    import: (p) => on(p, (engine) => engine.messages.import(p)),

    async redrive({ queue, ids, limit, now }) {
      const { pool, project, kind } = queue
      const origins = await on({ queue }, (engine) =>
        engine.messages.origins({ queue, ids, limit: Math.max(limit, ORIGINS), now }),
      )
      if (origins === STALE) return STALE
      const found = await Promise.all(origins.map((name) => placing.get({ project, kind, name }, now)))
      const elsewhere = found.flatMap((other) => (other !== null && other.pool !== pool ? other.name : []))
      const moved = await on({ queue }, (engine) => engine.messages.redrive({ queue, ids, limit, elsewhere, now }))
      if (elsewhere.length > 0) void carrier.nudge(pool)
      return moved
    },

    // Its own are on their way already.
    departures: async () => [],
    departed: async () => undefined,
  }
}

export function pooledClaims({ engines, placing, deadLetters, carrier }: MoveParts): ClaimStore {
  const on = onPool({ engines, placing })
  return {
    create: (p) => burying(p, deadLetters, carrier, (terms) => on(p, (engine) => engine.claims.create(terms))),
    exchange: (p) => burying(p, deadLetters, carrier, (terms) => on(p, (engine) => engine.claims.exchange(terms))),
    get: (p) => on(p, (engine) => engine.claims.get(p)),
    list: (p) => on(p, (engine) => engine.claims.list(p)),
    renew: (p) => on(p, (engine) => engine.claims.renew(p)),
    release: (p) => on(p, (engine) => engine.claims.release(p)),
  }
}

export function pooledSubscriptions(parts: PoolParts): SubscriptionStore {
  const on = onPool(parts)
  return {
    create: (p) => on(p, (engine) => engine.subscriptions.create(p)),
    get: (p) => on(p, (engine) => engine.subscriptions.get(p)),
    list: (p) => on(p, (engine) => engine.subscriptions.list(p)),
    update: (p) => on(p, (engine) => engine.subscriptions.update(p)),
    confirm: (p) => on(p, (engine) => engine.subscriptions.confirm(p)),
    delete: (p) => on(p, (engine) => engine.subscriptions.delete(p)),
    purge: (p) => on(p, (engine) => engine.subscriptions.purge(p)),
  }
}

/**
 * Runs a move on the pool of the queue. `elsewhere`: what is answered where the queue does not lie there. A pool that is
 * not there any more has no queues; one that is away may have had it.
 */
export async function runOnPool<T>(
  { engines, placing }: PoolParts,
  queue: QueueHandle,
  elsewhere: T,
  move: (engine: PoolEngine) => Promise<T>,
): Promise<T> {
  try {
    return await engines.run(queue.pool, elsewhere, move)
  } catch (error) {
    if (error instanceof StorageUnreached && (await placing.hasMoved(queue))) return elsewhere
    throw error
  }
}

export function onPool(parts: PoolParts) {
  return <T>({ queue }: { queue: QueueHandle }, move: (engine: PoolEngine) => Promise<T | Stale>) =>
    runOnPool<T | Stale>(parts, queue, STALE, move)
}

interface Burying {
  readonly queue: QueueHandle
  readonly deadLetter: DeadLetterPolicy | null
  readonly now: Instant
}

/** A move that may find messages which were claimed too often. */
async function burying<Terms extends Burying, T>(
  terms: Terms,
  deadLetters: DeadLetterQueues,
  carrier: Carrier,
  move: (terms: Terms) => Promise<T>,
): Promise<T> {
  if (terms.deadLetter === null) return move(terms)
  const deadLetter = await deadLetters.policyFor(terms.queue, terms.deadLetter, terms.now)
  const answer = await move({ ...terms, deadLetter })
  // Where messages move at once, those that departed all the same are found in the next round.
  if (deadLetter?.elsewhere) void carrier.nudge(terms.queue.pool)
  return answer
}
