import type { Metrics } from './metrics/metrics.ts'
import type { PooledStorage } from './storage/pooled/open-pooled.ts'
import type { PoolState } from './storage/pooled/pool-engines.ts'

/** More pools than that are not shown one by one. */
const SHOWN = 200

/** What this process has to do with each pool. */
export function measurePools(metrics: Metrics, { engines, carrier, relocator }: PooledStorage): void {
  const ofPools = (value: (state: PoolState) => number) => () =>
    engines
      .states()
      .slice(0, SHOWN)
      .map((state) => [{ pool: state.name }, value(state)] as const)
  metrics.gauge(
    {
      name: 'zaqar_pool_up',
      help: 'Whether the store of the pool could be reached when it was last asked',
      scope: 'store',
    },
    () =>
      engines
        .states()
        .slice(0, SHOWN)
        .flatMap(({ name, isUp }) => (isUp === null ? [] : [[{ pool: name }, isUp ? 1 : 0] as const])),
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
