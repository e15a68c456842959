import type { Clock } from '../../platform/clock.ts'
import type { PoolStore, RelocationStore, Storage } from '../contract.ts'
import { Carrier } from './carrier.ts'
import { pooledCensus } from './census.ts'
import { DeadLetterQueues } from './dead-letters.ts'
import { PooledWork, pooledDeliveries } from './deliveries.ts'
import { FollowedQueues } from './followed-queues.ts'
import { pooledClaims, pooledMessages, pooledSubscriptions } from './moves.ts'
import { Placing } from './placing.ts'
import { type PoolAddresses, PoolEngines } from './pool-engines.ts'
import { pooledQueues } from './queues.ts'
import { type RelocationReports, Relocator } from './relocator.ts'

export interface PooledOptions extends PoolAddresses {
  /** The store of the service itself: it keeps the registry, the catalogue, and queues that are on no pool. */
  readonly own: Storage
  /** Whether `own` takes queues that no pool can take: the virtual pool. */
  readonly usesOwn: boolean
  readonly clock: Clock
  /** From 0 to below 1. */
  draw(): number
  /** The flavor that the metadata of a queue asks for. */
  flavorOf(metadata: string): string | null
  readonly relocationReports: RelocationReports
  /** Told of errors behind the scenes that are no trouble of a store. */
  report(error: unknown): void
}

export interface PooledStorage extends Storage {
  readonly engines: PoolEngines
  readonly carrier: Carrier
  readonly relocator: Relocator
}

/**
 * Several engines that are one storage; docs/decisions/pools.md says how.
 * @throws StorageUnavailable when it cannot be read which pools there are
 */
export async function openPooled({
  own,
  usesOwn,
  clock,
  draw,
  flavorOf,
  relocationReports: reports,
  report,
  ...addresses
}: PooledOptions): Promise<PooledStorage> {
  const engines = new PoolEngines(own, addresses, clock)
  const { pools, placements, relocations } = own
  const followed = new FollowedQueues({ engines, placements, clock })
  const located: FollowedQueues['located'] = (key, pool) => followed.located(key, pool)
  const placing = new Placing({ engines, clock, registry: own, usesOwn, draw, located })
  const deadLetters = new DeadLetterQueues(placing)
  const carrier = new Carrier({ engines, placing, deadLetters, pools, clock, report })
  const moverParts = { engines, placing, pools, placements, relocations, clock, draw, flavorOf, reports, report }
  const relocator = new Relocator(moverParts)
  const work = new PooledWork(engines)
  await engines.start()
  carrier.start()
  relocator.start()
  const parts = { engines, placing, deadLetters, carrier }
  return {
    abilities: { ...own.abilities, engine: 'pooled', carriesDepartures: true },
    engines,
    carrier,
    relocator,
    queues: pooledQueues(own, engines, placing),
    messages: pooledMessages(parts),
    claims: pooledClaims(parts),
    subscriptions: pooledSubscriptions(parts),
    deliveries: pooledDeliveries(parts, work),
    pools: pooledPools(pools, { engines, carrier, clock }),
    placements,
    relocations: pooledRelocations(relocations, relocator),
    idKey: own.idKey,
    census: pooledCensus(engines),
    weakness: () => weaknessOf(engines),
    watch: (queue, listener) => followed.watch(queue, listener),
    watchSubscriptions: (queue, listener) => followed.watchSubscriptions(queue, listener),
    keepGone: (queue) => followed.keepGone(queue),
    watchWork: (listener) => work.watch(listener),
    // A pool that is down is no reason for a node to be taken out of service.
    ping: () => own.ping(),
    async close() {
      await relocator.close()
      await carrier.close()
      work.close()
      followed.close()
      await engines.close()
    },
  }
}

function weaknessOf(engines: PoolEngines): string | null {
  for (const { name, engine } of engines.allOpened()) {
    const weakness = engine.weakness()
    if (weakness !== null) return name === undefined ? weakness : `pool ${name}: ${weakness}`
  }
  return null
}

/** What is changed through this node it knows at once; others find out. */
function pooledPools(
  pools: PoolStore,
  { engines, carrier, clock }: { engines: PoolEngines; carrier: Carrier; clock: Clock },
): PoolStore {
  const refreshing = async <T>(answer: Promise<T>): Promise<T> => {
    const answered = await answer
    await engines.refresh()
    return answered
  }
  return {
    ...pools,
    putPool: (p) => refreshing(pools.putPool(p)),
    updatePool: (p) => refreshing(pools.updatePool(p)),
    async deletePool({ name }) {
      // Of one that cannot be reached nobody knows; it goes if it holds no queues.
      const engine = await engines.open(name).catch(() => null)
      if (engine !== null && engine !== engines.own) {
        await carrier.nudge(name)
        const departures = await engine.messages.departures({ limit: 1, now: clock.now() })
        if (departures.length > 0) return { deleted: false, holds: 'departures' }
      }
      return refreshing(pools.deletePool({ name }))
    },
  }
}

/** What is asked for through this node it begins at once. */
function pooledRelocations(relocations: RelocationStore, relocator: Relocator): RelocationStore {
  const looking = async <T>(answer: Promise<T>): Promise<T> => {
    const answered = await answer
    void relocator.look()
    return answered
  }
  return {
    ...relocations,
    begin: (p) => looking(relocations.begin(p)),
    cancel: (p) => looking(relocations.cancel(p)),
  }
}
