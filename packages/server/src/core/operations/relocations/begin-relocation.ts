import type { Relocation } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { type Context, defineOperation } from '../../execute.ts'

export interface RelocationTerms {
  /** Records in a second, at most. */
  readonly rate?: number | undefined
}

export const MAX_RECORDS_PER_SECOND = 1_000_000

/** Queues go from the pool to others, as long as that takes; it gets no new ones. One that is under way goes on at that rate. */
export const drainPool = defineOperation({
  name: 'pools.drain',
  permission: 'pools:drain',
  failure: 'Pool could not be drained',
  run: ({ name, ...terms }: RelocationTerms & { readonly name: string }, ctx) => begin(name, terms, ctx),
})

/** Queues go from pool to pool until there are as many on each as its weight says. One that is under way goes on at that rate. */
export const rebalancePools = defineOperation({
  name: 'pools.rebalance',
  permission: 'pools:rebalance',
  failure: 'Pools could not be rebalanced',
  run: (terms: RelocationTerms, ctx) => begin(null, terms, ctx),
})

async function begin(
  pool: string | null,
  { rate }: RelocationTerms,
  { storage, limits, now }: Context,
): Promise<Relocation> {
  const isWithin = rate === undefined || (rate >= 1 && rate <= MAX_RECORDS_PER_SECOND)
  if (!isWithin) throw new ZaqarError('relocation.rate_out_of_range', { max: MAX_RECORDS_PER_SECOND })
  if (!limits.hasPools) throw new ZaqarError('relocation.no_pooling')
  const asked = await storage.relocations.begin({ pool, rate: rate ?? null, now })
  if (asked === 'no-pool') throw new ZaqarError('pool.not_found', { pool })
  return asked
}
