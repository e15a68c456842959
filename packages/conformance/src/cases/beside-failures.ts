import type { Scene } from '../scene.ts'

/** What the move answers while others fail beside it, in each turn until it answers. */
export async function besideFailures<T>(scene: Scene, move: () => Promise<T>): Promise<T> {
  let isUnderWay = true
  const answer = move().finally(() => {
    isUnderWay = false
  })
  while (isUnderWay) await scene.clients.failNeighbour()
  return answer
}
