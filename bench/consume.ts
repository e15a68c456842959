import type { ConsumeLoad, ConsumeRate, Taker } from './consume-load.ts'
import type { Generator } from './generator.ts'
import { medianBy } from './statistics.ts'
import type { Subject } from './subject.ts'
import { TaskProcess } from './task-process.ts'
import type { Pace } from './throughput.ts'

/** Messages that one taker has handled, a second. */
export interface ConsumeRow extends ConsumeRate {
  readonly title: string
}

/** There are many runs, so each is shorter than those of other parts. */
const SHORTER = 0.4
/** What a queue must hold so that a run does not take all. */
const ORDERED_PER_SECOND = 8_000
const MOST_PER_SECOND = 50_000

const TAKERS: readonly { readonly title: string; readonly perSecond: number; readonly taker: Taker }[] = [
  {
    title: 'consume, concurrency 1, prefetch 1',
    perSecond: ORDERED_PER_SECOND,
    taker: { kind: 'consumer', options: { concurrency: 1 } },
  },
  {
    title: 'the same without the client, one connection',
    perSecond: ORDERED_PER_SECOND,
    taker: { kind: 'requests', connections: 1, limit: 1 },
  },
  {
    title: 'consume, concurrency 10',
    perSecond: MOST_PER_SECOND,
    taker: { kind: 'consumer', options: { concurrency: 10 } },
  },
  {
    title: 'consume, concurrency 50',
    perSecond: MOST_PER_SECOND,
    taker: { kind: 'consumer', options: { concurrency: 50 } },
  },
  {
    title: 'takes of 20 without the client, one connection',
    perSecond: MOST_PER_SECOND,
    taker: { kind: 'requests', connections: 1, limit: 20 },
  },
  {
    title: 'takes of 20 without the client, ten connections',
    perSecond: MOST_PER_SECOND,
    taker: { kind: 'requests', connections: 10, limit: 20 },
  },
]

/** Handlers do nothing, so this is what the client and the service do. All take turns, each run on a new queue. */
export async function measureConsume(subject: Subject, generator: Generator, pace: Pace): Promise<ConsumeRow[]> {
  const process = new TaskProcess<ConsumeLoad, ConsumeRate>('consume-load.ts')
  const server = await subject.start('bench')
  const warmUpSeconds = pace.warmUpSeconds * SHORTER
  const seconds = pace.seconds * SHORTER
  const rates = TAKERS.map((): ConsumeRate[] => [])
  try {
    for (let turn = 0; turn < pace.turns; turn++) {
      for (const [i, { taker, perSecond }] of TAKERS.entries()) {
        const { target } = server
        const queue = `bench-${turn}-${i}`
        await generator.fill(target, queue, Math.ceil(perSecond * (warmUpSeconds + seconds)))
        rates[i]?.push(await process.perform({ target, queue, taker, warmUpSeconds, seconds }))
      }
    }
    return TAKERS.map(({ title }, i) => ({ title, ...medianBy(rates[i] ?? [], ({ perSecond }) => perSecond) }))
  } finally {
    process.stop()
    await server.stop()
  }
}
