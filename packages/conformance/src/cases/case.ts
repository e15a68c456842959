import { describe, test } from 'node:test'
import { ManualClock } from '../clock.ts'
import type { Abilities, Harness } from '../harness.ts'
import { OpenedClients } from '../opened-clients.ts'
import { Scene } from '../scene.ts'

/** Registers a case, which gets a store of its own. */
export interface It {
  (name: string, run: (scene: Scene) => Promise<void>): void
  /** The case is skipped, visibly, on engines without the ability. */
  needing(ability: keyof Abilities, name: string, run: (scene: Scene) => Promise<void>): void
}

export function describeCases(name: string, harness: Harness, register: (it: It) => void): void {
  const it: It = (sentence, run) => {
    test(sentence, () => onFreshStore(harness, run))
  }
  it.needing = (ability, sentence, run) => {
    const skip = !harness.abilities[ability] && `the engine lacks: ${ability}`
    test(sentence, { skip }, () => onFreshStore(harness, run))
  }
  describe(name, () => register(it))
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
