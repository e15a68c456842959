import { randomUUID } from 'node:crypto'
import { createSystemClock } from '../packages/server/src/platform/system-clock.ts'
import type { Storage } from '../packages/server/src/storage/contract.ts'
import { moveQueue } from '../packages/server/src/storage/pooled/move-queue.ts'
import { fill, QUEUE } from './fill.ts'
import { createPooledStores, type NamedStore } from './pooled-stores.ts'
import { median } from './statistics.ts'
import type { Stores } from './stores.ts'
import { PROJECT } from './target.ts'

export interface MovesFigures {
  /** Messages in the queue, each of which is one record. */
  readonly messages: number
  /** The median of all moves. */
  readonly recordsPerSecond: number
}

/** A queue goes from one pool to another and back: what a drain does, one queue after the other. */
export async function measureMoves(stores: Stores, messages: number, turns: number): Promise<MovesFigures> {
  const clock = createSystemClock()
  const pooled = await createPooledStores(stores, 2)
  const opened: Storage[] = []
  const open = async ({ store }: Pick<NamedStore, 'store'>) => {
    const storage = await store.open(clock)
    opened.push(storage)
    return storage
  }
  try {
    const [first, second] = pooled.pools as readonly [NamedStore, NamedStore]
    await fill(first.store, { head: null, headMessages: 0, freeMessages: messages })
    const { placements } = await open({ store: pooled.own })
    const key = { project: PROJECT, kind: 'queue', name: QUEUE } as const
    const placed = await placements.place({ key, flavor: null, without: [second.name], draw: 0 })
    if (placed === 'no-pool') throw new Error('there is no pool to place the queue on')
    await placements.settle({ placement: placed.placement })
    let from = { name: first.name, engine: await open(first) }
    let to = { name: second.name, engine: await open(second) }
    const rates: number[] = []
    while (rates.length < turns) {
      const startedAt = performance.now()
      const outcome = await moveQueue({ key, from, to, placements, clock, newToken: randomUUID })
      if (outcome !== 'moved') throw new Error(`moving the queue: ${outcome}`)
      rates.push(messages / ((performance.now() - startedAt) / 1000))
      ;[from, to] = [to, from]
    }
    return { messages, recordsPerSecond: median(rates) }
  } finally {
    for (const storage of opened) await storage.close()
    await pooled.remove()
  }
}
