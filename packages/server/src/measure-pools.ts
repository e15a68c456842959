import type { Metrics } from './metrics/metrics.ts'
import type { PooledStorage } from './storage/pooled/open-pooled.ts'
import type { PoolState } from './storage/pooled/pool-engines.ts'

/** More pools than that are not shown one by one. */
const SHOWN = 200

/** What this process has to do with each pool. */
export function measurePools(metrics: Metrics, { engines, carrier, relocator }: PooledStorage): void {
  /** Without those of which there is nothing to say. */
  const ofPools = (value: (state: PoolState) => number | null) => () =>
    engines
      .states()
      .slice(0, SHOWN)
      .flatMap((state) => {
        const known = value(state)
        return known === null ? [] : [[{ pool: state.name }, known] as const]
      })
  metrics.gauge(
    {
      name: 'zaqar_pool_up',
      help: 'Whether the store of the pool could be reached when it was last asked',
      scope: 'store',
    },
    ofPools(({ isUp }) => (isUp === null ? null : Number(isUp))),
  )
  metrics.total(
    { name: 'zaqar_pool_moves_total', help: 'Moves on queues of the pool' },
    ofPools(({ moves }) => moves),
  )
  metrics.total(
    { name: 'zaqar_pool_failed_moves_total', help: 'Moves on queues of the pool that failed because it was away' },
    ofPools(({ failures }) => failures),
  )
  metrics.total(
    { name: 'zaqar_pool_carried_messages_total', help: 'Dead letters and redrives that were carried between pools' },
    () => carrier.carried,
  )
  metrics.gauge(
    { name: 'zaqar_pool_drains', help: 'Drains of pools, and the rebalance, that are worked at' },
    () => relocator.underWay,
  )
  metrics.total(
    { name: 'zaqar_pool_moved_queues_total', help: 'Queues that were moved to another pool' },
    () => relocator.queuesMoved,
  )
  metrics.total(
    { name: 'zaqar_pool_moved_records_total', help: 'Records that were copied to another pool' },
    () => relocator.recordsMoved,
  )
}
