import type { Storage } from 'zaqar/storage'
import type { It } from '../cases/case.ts'
import type { Scene } from '../scene.ts'
import { consumeTogether } from './consume-together.ts'
import { createTogether, putPoolsTogether } from './create-together.ts'
import { deliverTogether } from './deliver-together.ts'
import { postTogether } from './post-together.ts'

type Race = (scene: Scene, clients: readonly Storage[]) => Promise<void>

const races: readonly (readonly [string, Race])[] = [
  ['producers and followers', postTogether],
  ['producers and consumers', consumeTogether],
  ['producers and couriers', deliverTogether],
  ['creators of the same things', createTogether],
]

/** Many callers at once, through one client and through several. */
export function raceCases(it: It): void {
  for (const [who, race] of races) describeRace(it, who, race)
}

export function registryRaceCases(it: It): void {
  describeRace(it, 'creators of pools', putPoolsTogether)
}

function describeRace(it: It, who: string, race: Race): void {
  it(`${who}, through one client`, (scene) => race(scene, [scene.storage]))
  it.needing('severalProcesses', `${who}, through three clients`, async (scene) => {
    const others = [await scene.clients.openAnother(), await scene.clients.openAnother()]
    await race(scene, [scene.storage, ...others])
  })
}
