import type { Queue } from 'zaqar-client/http'
import { Tally } from './tally.ts'

/** What each client of a workload does, over and over. */
export interface Workload {
  readonly tallies: readonly Tally[]
  /** What has to be in the queue before. */
  prepare?(queue: Queue): Promise<void>
  /** False: it was not answered. @throws as `Tally.time` does */
  turn(queue: Queue, signal: AbortSignal): Promise<boolean>
}

/** What is left behind by a bench that was cut off goes by itself, in seconds. */
export const LIFE = { ttl: 300 }
const PAGE = 10

export const workloadNames = ['post', 'work', 'list', 'push'] as const
export type WorkloadName = (typeof workloadNames)[number]

/** Those that need nothing but HTTP. */
export const workloads: Readonly<Record<Exclude<WorkloadName, 'push'>, (body: string) => Workload>> = {
  post(body) {
    const post = new Tally('post')
    return {
      tallies: [post],
      async turn(queue, signal) {
        return (await post.time(() => queue.post(body, { ...LIFE, signal }))) !== null
      },
    }
  },

  /** Posts before it claims, so there is always something to claim. */
  work(body) {
    const [post, claim, finish] = [new Tally('post'), new Tally('claim'), new Tally('delete')] as const
    return {
      tallies: [post, claim, finish],
      async turn(queue, signal) {
        if ((await post.time(() => queue.post(body, { ...LIFE, signal }))) === null) return false
        const held = await claim.time(() => queue.claim({ limit: 1, signal }))
        const [message] = held?.messages ?? []
        if (held === null || message === undefined) return false
        return (await finish.time(() => held.delete(message, { signal }))) !== null
      },
    }
  },

  list(body) {
    const list = new Tally('list')
    return {
      tallies: [list],
      async prepare(queue) {
        await queue.postAll(Array.from({ length: PAGE }, () => ({ body, ...LIFE })))
      },
      async turn(queue, signal) {
        return (await list.time(() => queue.list({ limit: PAGE, signal }))) !== null
      },
    }
  },
}
