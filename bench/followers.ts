import { setTimeout as pause } from 'node:timers/promises'
import { Followers } from '../packages/server/src/core/followers.ts'
import { MemoryBudget } from '../packages/server/src/platform/memory-budget.ts'
import { createSystemClock } from '../packages/server/src/platform/system-clock.ts'
import { systemIds } from '../packages/server/src/platform/system-ids.ts'
import type { QueueHandle, Storage } from '../packages/server/src/storage/contract.ts'
import { Connection } from './connection.ts'
import { median } from './statistics.ts'
import type { Stores } from './stores.ts'
import type { Subject } from './subject.ts'
import { requestBytes } from './target.ts'
import { messageBody, postOf } from './workloads.ts'

/** What it takes until news has reached everybody who waits for it. */
export interface FollowersFigures {
  readonly inProcess: readonly HandOvers[]
  readonly listings: number
  /** From the POST to the last of the answers; the median of some rounds. */
  readonly listingsMilliseconds: number
}

/** Pages handed to followers inside of the process, one message each. */
interface HandOvers {
  readonly queues: number
  readonly followersOfEach: number
  readonly perSecond: number
}

const MOST = 10_000
const ROUNDS = 10
const LISTINGS = 1000
/** For the listings to be waiting, in milliseconds. */
const SETTLING_MS = 500

export async function measureFollowers(stores: Stores, subject: Subject): Promise<FollowersFigures> {
  return {
    inProcess: [await measureHandOvers(stores, 1, MOST), await measureHandOvers(stores, MOST, 1)],
    listings: LISTINGS,
    listingsMilliseconds: await measureListings(subject),
  }
}

async function measureHandOvers(stores: Stores, queues: number, followersOfEach: number): Promise<HandOvers> {
  const clock = createSystemClock()
  const store = await stores.create()
  const storage = await store.open(clock)
  try {
    const handles = new Map<string, QueueHandle>()
    for (const name of Array.from({ length: queues }, (_, i) => `followed-${i}`)) {
      const key = { kind: 'queue' as const, project: 'bench', name }
      handles.set(name, (await storage.queues.create({ key, metadata: '{}', now: clock.now() })).queue)
    }
    const followers = new Followers({
      watch: (queue, listener) => storage.watch(queue, listener),
      async readPage({ key, ...listing }, now) {
        const queue = handles.get(key.name) as QueueHandle
        const page = await storage.messages.list({ ...listing, queue, includeDelayed: false, now })
        if (page === 'stale') throw new Error('a queue has changed')
        return { now, includeDelayed: false, ...page }
      },
      clock,
      budget: new MemoryBudget({ bytes: 2 ** 30, clock }),
      ids: systemIds,
    })
    let missing = 0
    let onAll = () => {}
    const onPage = () => {
      missing -= 1
      if (missing === 0) onAll()
    }
    const following = [...handles.values()].flatMap((key) =>
      Array.from({ length: followersOfEach }, () =>
        followers.follow({
          key,
          after: null,
          limit: 10,
          hideClientId: null,
          includeClaimed: true,
          includeDelayed: 'never',
          once: false,
          onPage,
          onStopped(error): never {
            throw error
          },
          onFailure(error) {
            throw error
          },
        }),
      ),
    )
    await pause(SETTLING_MS)
    const start = performance.now()
    for (let round = 0; round < ROUNDS; round++) {
      missing = following.length
      const { promise, resolve } = Promise.withResolvers<void>()
      onAll = resolve
      await Promise.all(handles.values().map((queue) => postTo(queue, storage, clock.now())))
      await promise
    }
    const perSecond = (1000 * ROUNDS * following.length) / (performance.now() - start)
    for (const one of following) one.stop()
    return { queues, followersOfEach, perSecond }
  } finally {
    await storage.close()
    await store.remove()
  }
}

async function postTo(queue: QueueHandle, { messages }: Storage, now: number): Promise<void> {
  const message = { body: JSON.stringify(messageBody), ttlSeconds: 3600, delaySeconds: 0 }
  await messages.append({ queue, clientId: 'bench', messages: [message], now })
}

async function measureListings(subject: Subject): Promise<number> {
  const queue = 'followed'
  const server = await subject.start(queue)
  const failure = Promise.withResolvers<never>()
  const connections: Connection[] = []
  try {
    const { target } = server
    const open = () => Connection.open(target.host, target.port, failure.reject)
    while (connections.length < LISTINGS) connections.push(await open())
    const poster = await open()
    connections.push(poster)
    const milliseconds: number[] = []
    const post = requestBytes(target, 'POST', `/v2/queues/${queue}/messages`, postOf(1))
    let marker = ''
    for (let round = 0; round < ROUNDS; round++) {
      const path = `/v2/queues/${queue}/messages?echo=true&wait=20&marker=${marker}`
      const list = requestBytes(target, 'GET', path)
      const answers = connections.filter((one) => one !== poster).map((one) => one.ask(list))
      await pause(SETTLING_MS)
      const start = performance.now()
      await poster.ask(post)
      const [first] = await Promise.race([Promise.all(answers), failure.promise])
      milliseconds.push(performance.now() - start)
      marker = /[?&]marker=([^&"]+)/.exec(first?.body.toString() ?? '')?.[1] ?? ''
    }
    return median(milliseconds)
  } finally {
    for (const connection of connections) connection.close()
    await server.stop()
  }
}
