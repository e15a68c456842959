import { test } from 'node:test'
import fc from 'fast-check'
import { ManualClock } from '../clock.ts'
import type { Abilities, Harness } from '../harness.ts'
import { OpenedClients } from '../opened-clients.ts'
import { checkProperty, type PropertyOptions } from './check-property.ts'
import { claimSteps } from './claim-steps.ts'
import { messageSteps } from './message-steps.ts'
import { queueSteps } from './queue-steps.ts'
import type { Step } from './step.ts'
import { subscriptionSteps } from './subscription-steps.ts'
import { World } from './world.ts'
import { changeClient, follow, reopen, timePasses } from './world-steps.ts'

/** Any sequence of moves, with time passing, is answered alike by engine and model. */
export function testSequences(harness: Harness, options: PropertyOptions): void {
  test('any sequence of moves is answered as by the model, and who follows markers meets all once', async (t) => {
    const clock = new ManualClock()
    const clients = new OpenedClients(await harness.open(clock))
    let sequences = 0
    const property = fc.asyncProperty(arbitrarySteps(harness.abilities, options.steps), async (steps) => {
      sequences += 1
      const world = new World(clients, clock, `sequence-${sequences}`)
      for (const step of steps) await step.run(world)
      await world.checkFollowers()
    })
    try {
      await checkProperty(t, property, options)
    } catch (error) {
      await clients.close()
      throw error
    }
    await clients.drop()
  })
}

function arbitrarySteps(abilities: Abilities, maxLength: number): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    timePasses,
    follow,
    ...queueSteps,
    ...messageSteps,
    ...claimSteps,
    ...subscriptionSteps,
    ...(abilities.survivesReopen ? [reopen] : []),
    ...(abilities.severalClients ? [changeClient] : []),
  )
  return fc.array(step, { minLength: 1, maxLength, size: 'max' })
}
