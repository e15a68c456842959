import type { Metrics } from '../metrics/metrics.ts'
import type { MemoryBudget } from '../platform/memory-budget.ts'
import type { House } from './execute.ts'

/** Names what the house counts, or can tell, of this process. */
export function measureHouse(
  metrics: Metrics,
  {
    tally,
    sockets,
    longPolls,
    heartbeats,
    pushes,
  }: Pick<House, 'tally' | 'sockets' | 'longPolls' | 'heartbeats' | 'pushes'>,
  budget: MemoryBudget,
): void {
  metrics.total({ name: 'zaqar_messages_posted_total', help: 'Messages that were posted' }, () => tally.posted)
  metrics.total({ name: 'zaqar_claims_total', help: 'Claims that were made' }, () => tally.claims)
  metrics.total({ name: 'zaqar_messages_claimed_total', help: 'Messages that were claimed' }, () => tally.claimed)
  metrics.total({ name: 'zaqar_messages_popped_total', help: 'Messages that were popped' }, () => tally.popped)
  metrics.gauge({ name: 'zaqar_long_polls', help: 'Requests that wait for something to come' }, () => longPolls.count)
  metrics.gauge({ name: 'zaqar_event_streams', help: 'Event streams that are open' }, () => heartbeats.count)
  metrics.gauge({ name: 'zaqar_websocket_connections', help: 'WebSockets that are open' }, () => sockets.connections)
  metrics.total(
    { name: 'zaqar_websocket_dropped_total', help: 'WebSockets that were closed because they were too slow' },
    () => sockets.dropped,
  )
  metrics.gauge(
    { name: 'zaqar_push_subscriptions', help: 'Subscriptions that push to WebSockets' },
    () => pushes.counts().subscriptions,
  )
  metrics.total(
    { name: 'zaqar_messages_pushed_total', help: 'Messages that were handed to WebSockets' },
    () => pushes.counts().pushed,
  )
  metrics.gauge(
    { name: 'zaqar_memory_budget_bytes', help: 'What requests and answers may take in memory' },
    () => budget.bytes,
  )
  metrics.gauge(
    { name: 'zaqar_memory_budget_held_bytes', help: 'What requests and answers take in memory' },
    () => budget.held,
  )
}
