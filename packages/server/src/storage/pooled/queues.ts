import { passesFilters } from '../../model/members.ts'
import type { Instant } from '../../model/model.ts'
import { type ListedQueue, type Placement, type QueueStore, STALE, type Storage } from '../contract.ts'
import { onPool } from './moves.ts'
import type { Placing } from './placing.ts'
import type { PoolEngines } from './pool-engines.ts'

/** Names of a page that is filtered by metadata, each of which is looked at. */
const FILTERED_PAGE = 200
/** Queues that are asked of their pools at one time. */
const AT_ONE_TIME = 50

type ListTerms = Parameters<QueueStore['list']>[0]

/** Which queues a project has is known from the catalogue, what is in them from their pools. */
export function pooledQueues(own: Storage, engines: PoolEngines, placing: Placing): QueueStore {
  const { placements } = own
  const on = onPool({ engines, placing })
  const isOwn = (pool: string) => engines.opened(pool) === own

  /** What a listing shows of a queue; null where it is none of those that are wanted. */
  async function shown(placement: Placement, terms: ListTerms): Promise<ListedQueue | null> {
    const { name } = placement
    if (!terms.withMetadata && terms.metadata.length === 0) {
      return placement.isSettled || (await placing.isThere(placement, terms.now)) ? { name, metadata: null } : null
    }
    const queue = await placing.find(placement, terms.now)
    if (!queue || !passesFilters(queue.metadata, terms.metadata)) return null
    return { name, metadata: terms.withMetadata ? queue.metadata : null }
  }

  async function shownOf(placed: readonly Placement[], terms: ListTerms): Promise<ListedQueue[]> {
    const found: ListedQueue[] = []
    for (let from = 0; from < placed.length; from += AT_ONE_TIME) {
      const part = placed.slice(from, from + AT_ONE_TIME)
      for (const one of await Promise.all(part.map((placement) => shown(placement, terms)))) if (one) found.push(one)
    }
    return found
  }

  async function usageOf(pools: Iterable<string | undefined>, project: string, now: Instant) {
    const usages = await Promise.all(
      [...pools].map(async (pool) => {
        // One that is down counts nothing for that time.
        const engine = await engines.open(pool).catch(() => null)
        return (await engine?.queues.usage?.({ project, now }).catch(() => undefined)) ?? []
      }),
    )
    return usages.flat().reduce(
      (sum, { queues, messages, bytes }) => ({
        queues: sum.queues + queues,
        messages: sum.messages + messages,
        bytes: sum.bytes + bytes,
      }),
      { queues: 0, messages: 0, bytes: 0 },
    )
  }

  return {
    create: ({ key, metadata, flavor = null, now }) => placing.create(key, metadata, flavor, now),

    get: ({ key, now }) => placing.get(key, now),

    update: ({ queue, ...terms }) =>
      on({ queue }, async (engine) => {
        const updated = await engine.queues.update({ queue, ...terms })
        return updated === STALE || queue.pool === undefined ? updated : { ...updated, pool: queue.pool }
      }),

    delete: ({ queue, now }) => placing.delete(queue, now),

    async list(terms) {
      const { project, kind, limit, nameContains } = terms
      const found: ListedQueue[] = []
      for (let { after } = terms; ; ) {
        const size = terms.metadata.length > 0 ? FILTERED_PAGE : limit - found.length
        const [placed, owned] = await Promise.all([
          placements.list({ project, kind, after, limit: size, nameContains }),
          own.queues.list({ ...terms, after, limit: size }),
        ])
        // Behind the last name of a page that is full there may be more.
        const last = [placed, owned].flatMap((page) => (page.length === size ? (page.at(-1)?.name ?? []) : []))
        const end = last.sort(compareNames)[0]
        const isWithin = ({ name }: { name: string }) => end === undefined || compareNames(name, end) <= 0
        const elsewhere = placed.filter((placement) => isWithin(placement) && !isOwn(placement.pool))
        // What has moved away may not be gone yet.
        const moved = new Set(elsewhere.map(({ name }) => name))
        const rest = owned.filter((queue) => isWithin(queue) && !moved.has(queue.name))
        const page = [...(await shownOf(elsewhere, terms)), ...rest]
        found.push(...page.sort((a, b) => compareNames(a.name, b.name)))
        if (end === undefined || found.length >= limit) return found.slice(0, limit)
        after = end
      }
    },

    async count({ project, kind, now }) {
      const [counted, owned] = await Promise.all([
        placements.count({ project, kind }),
        own.queues.count({ project, kind, now }),
      ])
      return counted.reduce((sum, { pool, queues }) => (isOwn(pool) ? sum : sum + queues), owned)
    },

    async usage({ project, now }) {
      const counted = await Promise.all(
        (['queue', 'topic'] as const).map((kind) => placements.count({ project, kind })),
      )
      const pools = new Set(counted.flat().map(({ pool }) => pool))
      return usageOf([undefined, ...[...pools].filter((pool) => !isOwn(pool))], project, now)
    },

    stats: (p) => on(p, (engine) => engine.queues.stats(p)),
  }
}

/** By code points, as engines compare them: UTF-8 keeps that order. */
function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
