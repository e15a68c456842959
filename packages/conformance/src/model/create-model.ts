import type {
  Abilities,
  ClaimStore,
  DeliveryStore,
  Instant,
  MessageStore,
  PlacementStore,
  PoolStore,
  QueueStore,
  RelocationStore,
  Storage,
  SubscriptionStore,
} from 'zaqar/storage'
import { StorageUnavailable } from 'zaqar/storage'
import type { ManualClock } from '../clock.ts'
import { claimMoves } from './claim-moves.ts'
import { deliveryMoves } from './delivery-moves.ts'
import { enterWhatIsDue } from './feed.ts'
import { createKeepers } from './gone.ts'
import { messageMoves } from './message-moves.ts'
import { asStore } from './moves.ts'
import { placementMoves } from './placement-moves.ts'
import { poolMoves } from './pool-moves.ts'
import { queueMoves } from './queue-moves.ts'
import { relocationMoves } from './relocation-moves.ts'
import { createModelState, type ModelState } from './state.ts'
import { subscriptionMoves } from './subscription-moves.ts'
import { createWatchers } from './watchers.ts'

/** Its state plays the disk, so it can be opened again and have several clients. */
export const modelAbilities: Abilities = {
  engine: 'model',
  survivesReopen: true,
  severalProcesses: true,
  keepsRegistry: true,
}

/**
 * The reference storage: arrays and filters that say what the contract means, with no thought for speed. `state` is
 * what an engine would keep on disk.
 */
export function createModel(clock: Pick<ManualClock, 'now' | 'at'>, state: ModelState = createModelState()): Storage {
  const watchers = createWatchers(state, clock)
  const keepers = createKeepers(state)
  let closed = false
  const before = ({ now }: { readonly now?: Instant }) => {
    if (closed) throw new StorageUnavailable('the storage is closed')
    if (now !== undefined) enterWhatIsDue(state, now)
  }
  return {
    queues: asStore<QueueStore>(queueMoves(state, watchers), before),
    messages: asStore<MessageStore>(messageMoves(state, watchers), before),
    claims: asStore<ClaimStore>(claimMoves(state, watchers), before),
    subscriptions: asStore<SubscriptionStore>(subscriptionMoves(state, watchers), before),
    deliveries: asStore<DeliveryStore>(deliveryMoves(state, watchers), before),
    pools: asStore<PoolStore>(poolMoves(state), before),
    placements: asStore<PlacementStore>(placementMoves(state, watchers), before),
    relocations: asStore<RelocationStore>(relocationMoves(state), before),
    idKey: state.idKey,
    abilities: modelAbilities,
    weakness: () => 'everything is lost when the process ends',
    watch: watchers.watch,
    watchSubscriptions: watchers.watchSubscriptions,
    async keepGone(queue) {
      before({})
      return keepers.keep(queue)
    },
    watchWork: watchers.watchWork,
    async ping() {
      if (closed) throw new StorageUnavailable('the storage is closed')
    },
    async close() {
      closed = true
      watchers.close()
      keepers.close()
    },
  }
}
