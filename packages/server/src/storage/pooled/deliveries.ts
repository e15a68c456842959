import type { Instant } from '../../model/model.ts'
import { type DeliveryStore, type Lease, type QueueHandle, StorageUnavailable } from '../contract.ts'
import { tellListeners } from '../tell-listeners.ts'
import { onPool, type PoolParts, runOnPool } from './moves.ts'
import type { PoolEngine, PoolEngines } from './pool-engines.ts'

/** A pool that is down is asked again after so long. */
const RETRY_MS = 2_000

/** What one pool has said of its work. */
interface Work {
  readonly engine: PoolEngine
  /** Not worth asking before; null: until it tells. */
  askAt: Instant | null
  end(): void
}

/** Leases subscriptions of all pools. One that has said that it has no work is not asked. */
export class PooledWork {
  readonly #engines: PoolEngines
  /** By the name of the pool. */
  readonly #works = new Map<string, Work>()
  readonly #listeners = new Set<() => void>()
  readonly #endChanges: () => void
  /** How often pools were asked together. */
  #turn = 0

  constructor(engines: PoolEngines) {
    this.#engines = engines
    this.#add('', engines.own)
    this.#endChanges = engines.onChange((name) => this.#takeIn(name))
  }

  watch(listener: () => void): () => void {
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  close(): void {
    this.#endChanges()
    this.#listeners.clear()
    for (const { end } of this.#works.values()) end()
    this.#works.clear()
  }

  async lease(p: Parameters<DeliveryStore['lease']>[0]): ReturnType<DeliveryStore['lease']> {
    // Those that are not open yet tell when they are.
    void this.#engines.openAll()
    const leases: Lease[] = []
    while (leases.length < p.limit) {
      const due = [...this.#works].filter(([, { askAt }]) => askAt !== null && askAt <= p.now)
      if (due.length === 0) break
      // Each time another one is the first to be asked, and so to have what is left over.
      this.#turn += 1
      const start = this.#turn % due.length
      const room = p.limit - leases.length
      const share = Math.ceil(room / due.length)
      const asked = [...due.slice(start), ...due.slice(0, start)].slice(0, Math.floor(room / share))
      const answers = asked.map(([name, work]) => this.#leaseOf(name, work, { ...p, limit: share }))
      leases.push(...(await Promise.all(answers)).flat())
    }
    const nexts = [...this.#works.values()].flatMap(({ askAt }) => askAt ?? [])
    return { leases, next: nexts.length === 0 ? null : Math.min(...nexts) }
  }

  async #leaseOf(name: string, work: Work, p: Parameters<DeliveryStore['lease']>[0]): Promise<Lease[]> {
    const { limit, now } = p
    // What is told from here on is about later.
    work.askAt = null
    try {
      const { leases, next } = await work.engine.deliveries.lease(p)
      const askAt = leases.length === limit ? now : next
      work.askAt = earlier(work.askAt, askAt)
      return leases.map((lease) => (name === '' ? lease : { ...lease, queue: { ...lease.queue, pool: name } }))
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
      work.askAt = now + RETRY_MS
      return []
    }
  }

  /** A pool was opened, or closed. */
  #takeIn(name: string): void {
    const engine = this.#engines.opened(name)
    const known = this.#works.get(name)
    if (known?.engine === engine) return
    known?.end()
    this.#works.delete(name)
    if (engine === null || engine === this.#engines.own) return
    this.#add(name, engine)
    this.#tell()
  }

  #add(name: string, engine: PoolEngine): void {
    const work: Work = { engine, askAt: 0, end: () => undefined }
    work.end = engine.watchWork(() => {
      work.askAt = 0
      this.#tell()
    })
    this.#works.set(name, work)
  }

  #tell(): void {
    tellListeners(this.#listeners)
  }
}

export function pooledDeliveries(parts: PoolParts, work: PooledWork): DeliveryStore {
  const on = onPool(parts)
  return {
    lease: (p) => work.lease(p),

    async settle(p) {
      const settleAt = (queue: QueueHandle) => runOnPool(parts, queue, 'lost', (engine) => engine.deliveries.settle(p))
      const { queue } = p.lease
      const answer = await settleAt(queue)
      if (answer !== 'lost' || queue.pool === undefined) return answer
      // The lease goes on where the queue lies now, or serves again after it was on its way.
      const found = await parts.placing.get(queue, p.now)
      return found === null ? 'lost' : settleAt(found)
    },

    announce: (p) => on(p, (engine) => engine.deliveries.announce(p)),
    failures: (p) => on(p, (engine) => engine.deliveries.failures(p)),
    replay: (p) => on(p, (engine) => engine.deliveries.replay(p)),
    log: (p) => on(p, (engine) => engine.deliveries.log(p)),
  }
}

/** Null stands for never. */
function earlier(one: Instant | null, other: Instant | null): Instant | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other)
}
