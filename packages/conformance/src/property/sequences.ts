import { test } from 'node:test'
import fc from 'fast-check'
import type { Abilities } from 'zaqar/storage'
import { ManualClock } from '../clock.ts'
import type { Harness, StoreParts } from '../harness.ts'
import { OpenedClients } from '../opened-clients.ts'
import { checkProperty, type PropertyOptions } from './check-property.ts'
import { claimSteps } from './claim-steps.ts'
import { deliverySteps } from './delivery-steps.ts'
import { append, messageSteps } from './message-steps.ts'
import { partSteps } from './part-steps.ts'
import { poolSteps } from './pool-steps.ts'
import { queueSteps } from './queue-steps.ts'
import { registrySteps } from './registry-steps.ts'
import type { Step, WeightedStep } from './step.ts'
import { LONGEST_SUBSCRIPTION_SECONDS, subscribe, subscriptionSteps } from './subscription-steps.ts'
import { transferSteps } from './transfer-steps.ts'
import { World } from './world.ts'
import { changeClient, follow, readOn, reopen, timePasses } from './world-steps.ts'

/**
 * Any sequence of moves, with time passing, is answered alike by engine and model. Besides, who follows markers meets
 * every message that stays once; who keeps what is removed meets every message at all; and whatever becomes claimable is signalled.
 */
export function testSequences(harness: Harness, options: PropertyOptions): void {
  test('any sequence of moves is answered as by the model', async (t) => {
    const clock = new ManualClock()
    const clients = await OpenedClients.open(harness, clock)
    let sequences = 0
    const runSequence = async (steps: readonly Step[]) => {
      sequences += 1
      // Leases know no project, so those of the sequence before have to be over.
      clock.advance(LONGEST_SUBSCRIPTION_SECONDS * 1000)
      const world = new World(clients, clock, `${String(sequences).padStart(8, '0')}-`)
      try {
        await world.begin()
        for (const step of steps) await world.run(step)
        await world.finish()
      } finally {
        world.end()
      }
    }
    try {
      await checkProperty(t, arbitrarySteps(harness.abilities, options.steps, clients.parts), runSequence, options)
    } catch (error) {
      await clients.close()
      throw error
    }
    await clients.drop()
  })
}

/** Sequences of all moves, and some that stay with one subject so that its moves meet more often. */
function arbitrarySteps(abilities: Abilities, maxLength: number, parts: StoreParts | undefined): fc.Arbitrary<Step[]> {
  const befalls = [
    ...(parts ? partSteps(parts) : []),
    ...(abilities.survivesReopen ? [reopen] : []),
    ...(abilities.severalProcesses ? [changeClient] : []),
  ]
  const pools = abilities.carriesDepartures ? [] : poolSteps
  const registry = abilities.keepsRegistry ? [...registrySteps, ...pools] : []
  const sequence = (...steps: WeightedStep[]) =>
    fc.array(fc.oneof(...steps, ...befalls), { minLength: 1, maxLength, size: 'max' })
  return fc.oneof(
    {
      weight: 5,
      arbitrary: sequence(
        timePasses,
        follow,
        readOn,
        ...queueSteps,
        ...messageSteps,
        ...claimSteps,
        ...transferSteps,
        ...subscriptionSteps,
        ...deliverySteps,
        ...registry,
      ),
    },
    { weight: 4, arbitrary: sequence(timePasses, follow, readOn, ...messageSteps, ...claimSteps, ...transferSteps) },
    { weight: 1, arbitrary: sequence(timePasses, ...queueSteps, ...subscriptionSteps) },
    // Much of this says nothing before somebody listens and something is posted, so both come often.
    {
      weight: 10,
      arbitrary: sequence(
        timePasses,
        append,
        subscribe,
        subscribe,
        ...subscriptionSteps,
        ...deliverySteps,
        ...deliverySteps,
      ),
    },
    ...(registry.length > 0 ? [{ weight: 1, arbitrary: sequence(...registry) }] : []),
  )
}
