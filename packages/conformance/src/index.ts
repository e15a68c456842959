import { describe } from 'node:test'
import { appendCases } from './cases/append.ts'
import { describeCases, describePoolCases, describeRegistryCases } from './cases/case.ts'
import { censusCases } from './cases/census.ts'
import { claimExtensionCases } from './cases/claim-extension.ts'
import { claimKeyCases } from './cases/claim-keys.ts'
import { claimListingCases } from './cases/claim-listings.ts'
import { claimCases } from './cases/claims.ts'
import { deadLetterCases } from './cases/dead-letters.ts'
import { delayCases } from './cases/delay.ts'
import { deleteCases } from './cases/delete.ts'
import { deleteManyCases } from './cases/delete-many.ts'
import { departureCases } from './cases/departures.ts'
import { durableCases, durableDeliveryCases, durableRegistryCases } from './cases/durable.ts'
import { exchangeCases } from './cases/exchange.ts'
import { expiryCases } from './cases/expiry.ts'
import { failureCases, logCases, replayCases } from './cases/failures.ts'
import { announcementCases, delayedFeedCases, feedCases } from './cases/feed.ts'
import { getCases } from './cases/get.ts'
import { goneCases } from './cases/gone.ts'
import { guaranteeCases } from './cases/guarantees.ts'
import { idempotencyCases } from './cases/idempotency.ts'
import { isolationCases } from './cases/isolation.ts'
import { leaseCases, workCases } from './cases/leases.ts'
import { lifeCases, registryLifeCases } from './cases/life.ts'
import { listCases } from './cases/list.ts'
import { moveCases } from './cases/moves.ts'
import { neighbourCases } from './cases/neighbours.ts'
import { placementCases } from './cases/placements.ts'
import { poolCases } from './cases/pools.ts'
import { popCases } from './cases/pop.ts'
import { purgeCases } from './cases/purge.ts'
import { queueListingCases } from './cases/queue-listings.ts'
import { queueCases } from './cases/queues.ts'
import { redriveCases } from './cases/redrive.ts'
import { relocationCases } from './cases/relocations.ts'
import { statsCases } from './cases/stats.ts'
import { subscriptionWatchCases } from './cases/subscription-watch.ts'
import { subscriptionCases } from './cases/subscriptions.ts'
import { transferCases } from './cases/transfers.ts'
import { usageCases } from './cases/usage.ts'
import { watchCases } from './cases/watch.ts'
import type { Harness } from './harness.ts'
import { testSequences } from './property/sequences.ts'
import { raceCases, registryRaceCases } from './races/race-cases.ts'

export { fillQueue, type QueueShape } from './bounded/fill-queue.ts'
export { ManualClock } from './clock.ts'
export type { Harness, OpenedStore, StoreParts } from './harness.ts'
export { createModel, modelAbilities } from './model/create-model.ts'
export { endLeases } from './model/delivery-moves.ts'
export { createModelState, type ModelState } from './model/state.ts'

export interface ConformanceOptions {
  /** How many random sequences of moves are tried. Default 1,000. */
  readonly sequences?: number
  /** The most moves in a sequence. Default 100. */
  readonly steps?: number
  /** Whether to run more than the sequences: each case opens a store of its own, which may take long. Default true. */
  readonly cases?: boolean
}

/** Registers the whole kit with `node:test` for one engine. */
export function runConformance(name: string, harness: Harness, options: ConformanceOptions = {}): void {
  const { sequences = 1000, steps = 100, cases = true } = options
  describe(`storage contract: ${name}`, () => {
    if (cases) describeAllCases(harness)
    testSequences(harness, { sequences, steps })
  })
}

function describeAllCases(harness: Harness): void {
  describeCases('guarantees', harness, guaranteeCases)
  describeCases('queues', harness, queueCases)
  describeCases('stats', harness, statsCases)
  describeCases('append', harness, appendCases)
  describeCases('idempotent append', harness, idempotencyCases)
  describeCases('list', harness, listCases)
  describeCases('get', harness, getCases)
  describeCases('delete', harness, deleteCases)
  describeCases('delete many', harness, deleteManyCases)
  describeCases('pop', harness, popCases)
  describeCases('purge and deletion of queues', harness, purgeCases)
  describeCases('delay', harness, delayCases)
  describeCases('expiry', harness, expiryCases)
  describeCases('claims', harness, claimCases)
  describeCases('finish and take', harness, exchangeCases)
  describeCases('claims that can be repeated', harness, claimKeyCases)
  describeCases('listings of claims', harness, claimListingCases)
  describeCases('messages that claims lengthen', harness, claimExtensionCases)
  describeCases('dead letters', harness, deadLetterCases)
  describeCases('redrive', harness, redriveCases)
  describeCases('transfers', harness, transferCases)
  describeCases('departures', harness, departureCases)
  describeCases('subscriptions', harness, subscriptionCases)
  describeCases('feed', harness, feedCases)
  describeCases('feed of delayed messages', harness, delayedFeedCases)
  describeCases('announcements', harness, announcementCases)
  describeCases('leases', harness, leaseCases)
  describeCases('failures', harness, failureCases)
  describeCases('replay', harness, replayCases)
  describeCases('logs of deliveries', harness, logCases)
  describeCases('work for deliveries', harness, workCases)
  describeCases('watch', harness, watchCases)
  describeCases('watch of subscriptions', harness, subscriptionWatchCases)
  describeCases('messages that are gone', harness, goneCases)
  describeCases('isolation', harness, isolationCases)
  describeCases('moves to another store', harness, moveCases)
  describeCases('neighbours', harness, neighbourCases)
  describeCases('durable', harness, durableCases)
  describeCases('durable deliveries', harness, durableDeliveryCases)
  describeCases('life of a storage', harness, lifeCases)
  describeCases('races', harness, raceCases)
  describeRegistryCases('listings of queues', harness, queueListingCases)
  describeRegistryCases('usage', harness, usageCases)
  describeRegistryCases('census', harness, censusCases)
  describePoolCases('pools and flavors', harness, poolCases)
  describePoolCases('placements', harness, placementCases)
  describePoolCases('drains and the rebalance', harness, relocationCases)
  describeRegistryCases('durable registry', harness, durableRegistryCases)
  describeRegistryCases('life of a registry', harness, registryLifeCases)
  describeRegistryCases('races in a registry', harness, registryRaceCases)
}
