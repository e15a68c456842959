import type { Storage } from '../storage/contract.ts'
import type { FollowerParts } from './followed-queue.ts'
import { Followers } from './followers.ts'
import { Heartbeats } from './heartbeats.ts'
import { createReadPage } from './listing.ts'
import { LongPolls } from './long-poll.ts'
import { Pushes, type PushesParts } from './pushes/pushes.ts'
import { Takers } from './takers.ts'

/** What those have who wait for something in queues, whatever carries what they get. */
export interface Waiting {
  readonly longPolls: LongPolls
  readonly followers: Followers
  readonly heartbeats: Heartbeats
  readonly pushes: Pushes
}

/** `budget`: for long pages that go to many. `ids`: so that not all try again at once. */
export type WaitingParts = Omit<PushesParts, keyof Waiting | 'takers'> & Pick<FollowerParts, 'budget' | 'ids'>

export function openWaiting({ budget, ids, ...parts }: WaitingParts): Waiting {
  const { storage, queues, clock } = parts
  const readPage = createReadPage(storage, queues)
  const watch: Storage['watch'] = (queue, listener) => storage.watch(queues.remembered(queue), listener)
  const followers = new Followers({ watch, readPage, clock, budget, ids })
  const takers = new Takers(watch, clock)
  return {
    longPolls: new LongPolls({ clock, readPage, followers, takers }),
    followers,
    heartbeats: new Heartbeats(clock),
    pushes: new Pushes({ ...parts, followers, takers }),
  }
}
