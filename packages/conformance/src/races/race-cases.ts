import type { Storage } from 'zaqar/storage'
import type { It } from '../cases/case.ts'
import type { Scene } from '../scene.ts'
import { consumeTogether } from './consume-together.ts'
import { createTogether } from './create-together.ts'
import { postTogether } from './post-together.ts'

type Race = (scene: Scene, clients: readonly Storage[]) => Promise<void>

const races: readonly (readonly [string, Race])[] = [
  ['producers and followers', postTogether],
  ['producers and consumers', consumeTogether],
  ['creators of the same things', createTogether],
]

/** Many callers at once, through one client and through several. */
export function raceCases(it: It): void {
  for (const [who, race] of races) {
    it(`${who}, through one client`, (scene) => race(scene, [scene.storage]))
    it.needing('severalClients', `${who}, through three clients`, async (scene) => {
      const others = [await scene.clients.openAnother(), await scene.clients.openAnother()]
      await race(scene, [scene.storage, ...others])
    })
  }
}
