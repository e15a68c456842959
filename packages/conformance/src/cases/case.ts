import { describe, test } from 'node:test'
import { ManualClock } from '../clock.ts'
import type { Harness } from '../harness.ts'
import { OpenedClients } from '../opened-clients.ts'
import { Scene } from '../scene.ts'

/** Registers a case, which gets a store of its own. */
export interface It {
  (name: string, run: (scene: Scene) => Promise<void>): void
  /** The case is skipped, visibly, on engines that lack it, or one of them. */
  needing(need: Need | readonly Need[], name: string, run: (scene: Scene) => Promise<void>): void
}

/** What not every engine has: an ability, or that it lacks one, or what its harness can do. */
type Need =
  | 'survivesReopen'
  | 'severalProcesses'
  | 'oneProcess'
  | 'keepsRegistry'
  | 'oneEngine'
  | 'failNeighbour'
  | 'openPeer'

export function describeCases(name: string, harness: Harness, register: (it: It) => void): void {
  describe(name, () => register(casesOf(harness, [])))
}

/** As `describeCases`; all of them need a registry. */
export function describeRegistryCases(name: string, harness: Harness, register: (it: It) => void): void {
  describe(name, () => register(casesOf(harness, ['keepsRegistry'])))
}

/** As `describeRegistryCases`, for what an engine needs besides that is one of several. */
export function describePoolCases(name: string, harness: Harness, register: (it: It) => void): void {
  describe(name, () => register(casesOf(harness, ['keepsRegistry', 'oneEngine'])))
}

function casesOf(harness: Harness, needs: readonly Need[]): It {
  const all: Readonly<Record<Need, boolean>> = {
    ...harness.abilities,
    oneProcess: !harness.abilities.severalProcesses,
    oneEngine: !harness.abilities.carriesDepartures,
    failNeighbour: harness.failNeighbour !== undefined,
    openPeer: harness.openPeer !== undefined,
  }
  const add = (needs: readonly Need[], sentence: string, run: (scene: Scene) => Promise<void>) => {
    const missing = needs.find((need) => !all[need])
    const skip = missing !== undefined && `the engine lacks: ${missing}`
    test(sentence, { skip }, () => onFreshStore(harness, run))
  }
  const it: It = (sentence, run) => add(needs, sentence, run)
  it.needing = (more, sentence, run) => add(needs.concat(more), sentence, run)
  return it
}

/** Drops the store only when the case went well: a failed one can then be looked at. */
async function onFreshStore(harness: Harness, run: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new ManualClock()
  const clients = await OpenedClients.open(harness, clock)
  try {
    await run(new Scene(clients, clock))
  } catch (error) {
    await clients.closeAll()
    throw error
  }
  await clients.drop()
}
