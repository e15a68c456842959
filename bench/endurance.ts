import type { Generator } from './generator.ts'
import { startService } from './service.ts'
import type { ServerStores } from './stores.ts'
import { turnover } from './workloads.ts'

export interface EnduranceScale {
  readonly minutes: number
  readonly connections: number
}

/** One long run in ten equal parts. */
export interface EnduranceFigures {
  readonly partSeconds: number
  /** Whether somebody else's transaction stayed open from before the first message to the end. */
  readonly isPinned: boolean
  /** Through the whole cycle of a post, a claim and a deletion. */
  readonly messagesPerSecond: readonly number[]
}

const PARTS = 10
const WARM_UP_SECONDS = 2

/** Whether a queue that is written to, claimed from and deleted from without pause stays as fast as it was. */
export async function measureEndurance(
  stores: ServerStores,
  generator: Generator,
  { minutes, connections }: EnduranceScale,
  isPinned: boolean,
): Promise<EnduranceFigures> {
  const partSeconds = (minutes * 60) / PARTS
  const store = await stores.create()
  const service = await startService(store.uri)
  const unpin = isPinned ? await store.pin() : null
  try {
    const queue = 'endurance'
    await generator.fill(service.target, queue, turnover.needs)
    const messagesPerSecond: number[] = []
    for (let part = 0; part < PARTS; part++) {
      const { cyclesPerSecond } = await generator.runToEnd({
        targets: [service.target],
        queues: [queue],
        workload: turnover.name,
        connections,
        warmUpSeconds: part === 0 ? WARM_UP_SECONDS : 0,
        seconds: partSeconds,
        cyclesPerSecond: null,
      })
      messagesPerSecond.push(cyclesPerSecond * turnover.messages)
    }
    return { partSeconds, isPinned, messagesPerSecond }
  } finally {
    await unpin?.()
    await service.stop()
    await store.remove()
  }
}
