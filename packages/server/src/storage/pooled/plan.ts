import type { QueueKey } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Placement, PlacementStore, PoolStore } from '../contract.ts'
import type { Placing } from './placing.ts'
import type { PoolEngines } from './pool-engines.ts'

/** What is to be done in one pass over the catalogue. */
export interface Plan {
  /** Queues that are to go still. */
  left: number
  /** Those that may be to go; each is asked about then. */
  candidates(): AsyncIterable<Placement>
  /** @throws StorageUnavailable */
  destinationOf(placement: Placement): Promise<Destination>
  /** It did not go after all. */
  stayed(placement: Placement, to: string): void
  /** Whether nothing is to go any more, where all have gone that were. */
  isOver(): Promise<boolean>
}

/** The pool that it is to go to; why there is none; null: it need not go. */
export type Destination = { readonly to: string } | { readonly stays: string } | null

export interface PlanParts {
  readonly engines: PoolEngines
  readonly placing: Placing
  readonly placements: PlacementStore
  readonly pools: Pick<PoolStore, 'listPools'>
  readonly clock: Clock
  /** From 0 to below 1. */
  draw(): number
  /** The flavor that the metadata of a queue asks for. */
  flavorOf(metadata: string): string | null
}

const PAGE = 500

/** Those on the pool, in the order of the catalogue. */
export async function* placementsOn({ placements }: PlanParts, pool: string): AsyncGenerator<Placement> {
  for (let after: Placement | null = null; ; ) {
    const page: Placement[] = await placements.listPool({ pool, after, limit: PAGE })
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1) as Placement
  }
}

/** What lies in the store of the service itself from before it was one of the pools named is placed there, so that it can go. */
export async function adoptOwn({ engines, placements }: PlanParts, pools: readonly string[]): Promise<void> {
  for (const pool of pools.filter((name) => engines.opened(name) === engines.own)) {
    for (let after: QueueKey | null = null; ; ) {
      after = await placements.adopt({ pool, after, limit: PAGE })
      if (after === null) break
    }
  }
}
