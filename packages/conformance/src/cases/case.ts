import { describe, test } from 'node:test'
import { ManualClock } from '../clock.ts'
import type { Abilities, Harness } from '../harness.ts'
import { OpenedClients } from '../opened-clients.ts'
import { Scene } from '../scene.ts'

/** Registers a case, which gets a store of its own. It is skipped on engines without the ability that it needs. */
export type It = (name: string, run: (scene: Scene) => Promise<void>, needs?: keyof Abilities) => void

export function describeCases(name: string, harness: Harness, register: (it: It) => void): void {
  describe(name, () => {
    register((sentence, run, needs) => {
      const skip = needs !== undefined && !harness.abilities[needs] && `the engine lacks: ${needs}`
      test(sentence, { skip }, () => onFreshStore(harness, run))
    })
  })
}

/** Drops the store only when the case went well: a failed one can then be looked at. */
async function onFreshStore(harness: Harness, run: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new ManualClock()
  const clients = new OpenedClients(await harness.open(clock))
  try {
    await run(new Scene(clients, clock))
  } catch (error) {
    await clients.close()
    throw error
  }
  await clients.drop()
}
