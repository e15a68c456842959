import type { CensusStore, CountedQueue } from '../contract.ts'
import type { PoolEngines } from './pool-engines.ts'

/** Of all pools that can be reached, in one order. */
export function pooledCensus(engines: PoolEngines): CensusStore {
  const ask = <T>(question: (census: CensusStore) => Promise<T>) =>
    engines.askAll(({ census }) => census && question(census))
  return {
    async queues({ after, limit }) {
      const pages = await ask((census) => census.queues({ after, limit }))
      return pages.flat().sort(compareQueues).slice(0, limit)
    },

    async owed({ limit }) {
      const all = await ask((census) => census.owed({ limit }))
      const sum = (of: 'feed' | 'retries') => all.reduce((sum, counts) => Math.min(limit, sum + counts[of]), 0)
      return { feed: sum('feed'), retries: sum('retries') }
    },
  }
}

/** By project, kind and name, each in code point order, which UTF-8 keeps. */
function compareQueues(a: CountedQueue, b: CountedQueue): number {
  const compare = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))
  return compare(a.project, b.project) || compare(a.kind, b.kind) || compare(a.name, b.name)
}
