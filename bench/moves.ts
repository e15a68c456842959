import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { createSystemClock } from '../packages/server/src/platform/system-clock.ts'
import type { Storage } from '../packages/server/src/storage/contract.ts'
import { moveQueue } from '../packages/server/src/storage/pooled/move-queue.ts'
import { ask } from './ask.ts'
import { fill, QUEUE } from './fill.ts'
import type { Generator } from './generator.ts'
import { createPooledStores, type NamedStore, type PooledStores } from './pooled-stores.ts'
import { median } from './statistics.ts'
import type { Stores } from './stores.ts'
import { PROJECT, type Target } from './target.ts'

export interface MovesFigures {
  /** In the one queue that moves, and in all queues of the pool that is drained. Each is one record. */
  readonly messages: number
  /** Of one queue that nobody uses: the median of all moves. */
  readonly recordsPerSecond: number
  readonly drain: DrainFigures
}

/** Of a drain while clients post to all its queues. */
interface DrainFigures {
  readonly queues: number
  readonly recordsPerSecond: number
  readonly postsPerSecond: number
  /** A queue is away for a moment, in which requests for it wait. */
  readonly slowestPostMilliseconds: number
  /** The same before the drain. */
  readonly slowestBeforeMilliseconds: number
}

/** Queues go from one pool to another, alone and in use. */
export async function measureMoves(
  stores: Stores,
  generator: Generator,
  messages: number,
  turns: number,
): Promise<MovesFigures> {
  return {
    messages,
    recordsPerSecond: await onTwoPools(stores, (pooled) => rateOfMoves(pooled, messages, turns)),
    drain: await onTwoPools(stores, (pooled) => drainInUse(pooled, generator, messages)),
  }
}

async function onTwoPools<T>(stores: Stores, measure: (pooled: PooledStores) => Promise<T>): Promise<T> {
  const pooled = await createPooledStores(stores, 2)
  try {
    return await measure(pooled)
  } finally {
    await pooled.remove()
  }
}

/** There and back. */
async function rateOfMoves(pooled: PooledStores, messages: number, turns: number): Promise<number> {
  const clock = createSystemClock()
  const opened: Storage[] = []
  const open = async ({ store }: Pick<NamedStore, 'store'>) => {
    const storage = await store.open(clock)
    opened.push(storage)
    return storage
  }
  try {
    const [first, second] = pooled.pools as readonly [NamedStore, NamedStore]
    await fill(first.store, { head: null, headMessages: 0, freeMessages: messages })
    const { placements } = await open({ store: pooled.own })
    const key = { project: PROJECT, kind: 'queue', name: QUEUE } as const
    const placed = await placements.place({ key, flavor: null, without: [second.name], draw: 0 })
    if (placed === 'no-pool') throw new Error('there is no pool to place the queue on')
    await placements.settle({ placement: placed.placement })
    let from = { name: first.name, engine: await open(first) }
    let to = { name: second.name, engine: await open(second) }
    const rates: number[] = []
    while (rates.length < turns) {
      const startedAt = performance.now()
      const outcome = await moveQueue({ key, from, to, placements, clock, newToken: randomUUID })
      if (outcome !== 'moved') throw new Error(`moving the queue: ${outcome}`)
      rates.push(messages / ((performance.now() - startedAt) / 1000))
      ;[from, to] = [to, from]
    }
    return median(rates)
  } finally {
    for (const storage of opened) await storage.close()
  }
}

const QUEUES = 20
const POSTS_PER_SECOND = 200
const CONNECTIONS = 20
const POSTING = { warmUpSeconds: 1, seconds: 12 }
const LOOK_MILLISECONDS = 50

interface DrainDocument {
  readonly status: string
  readonly records_moved: number
  readonly trouble: string | null
}

async function drainInUse(pooled: PooledStores, generator: Generator, messages: number): Promise<DrainFigures> {
  const service = await pooled.start()
  try {
    const operator = { ...service.target, headers: [...service.target.headers, 'X-Roles: admin'] }
    const [first, second] = pooled.pools as readonly [NamedStore, NamedStore]
    const weigh = (weight: number) => command(operator, 'PATCH', `/v2/pools/${second.name}`, { weight })
    await weigh(0)
    const queues = Array.from({ length: QUEUES }, (_, i) => `drained-${i}`)
    for (const queue of queues) await generator.fill(service.target, queue, messages / QUEUES)
    await weigh(1)
    const load = { workload: 'post', connections: CONNECTIONS, cyclesPerSecond: POSTS_PER_SECOND, ...POSTING } as const
    const post = () => generator.runToEnd({ ...load, targets: [service.target], queues })
    const before = await post()
    const posting = post()
    posting.catch(() => {}) // Where the drain fails, that is told.
    await pause(1000 * POSTING.warmUpSeconds)
    const recordsPerSecond = await drain(operator, first.name)
    const { cyclesPerSecond, maxMilliseconds } = await posting
    return {
      queues: QUEUES,
      recordsPerSecond,
      postsPerSecond: cyclesPerSecond,
      slowestPostMilliseconds: maxMilliseconds,
      slowestBeforeMilliseconds: before.maxMilliseconds,
    }
  } finally {
    await service.stop()
  }
}

/** Records a second from the first that was seen to move to the end. */
async function drain(operator: Target, pool: string): Promise<number> {
  const path = `/v2/pools/${pool}/drain`
  await command(operator, 'PUT', path)
  let since: { at: number; records: number } | null = null
  for (;;) {
    const found: DrainDocument = JSON.parse((await command(operator, 'GET', path)).toString())
    const at = performance.now()
    const { status, records_moved: records, trouble } = found
    if (since === null && records > 0) since = { at, records }
    if (status === 'done') return (1000 * (records - (since?.records ?? 0))) / (at - (since?.at ?? at))
    if (status !== 'draining') throw new Error(`the drain is ${status}: ${trouble}`)
    await pause(LOOK_MILLISECONDS)
  }
}

async function command(target: Target, method: string, path: string, document?: unknown): Promise<Buffer> {
  const { status, body } = await ask(target, method, path, document)
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${body}`)
  return body
}
