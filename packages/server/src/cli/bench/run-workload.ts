import type { Queue } from 'zaqar-client/http'
import { elapsed } from '../../platform/elapsed.ts'
import { pause } from '../../platform/pause.ts'
import type { Measured } from './tally.ts'
import type { Workload } from './workloads.ts'

export interface Load {
  readonly clients: number
  readonly seconds: number
  /** Ends all at once. */
  readonly signal: AbortSignal
  /** Told after each turn of a client. */
  turned(): void
}

/** Whom a service refuses asks less often, in milliseconds. */
export const PAUSE_AFTER_ERROR_MS = 100

/**
 * Clients that take turns for so many seconds, each the next when it has its answer. @throws ZaqarError that would come
 * again and again, or the reason of the signal
 */
export async function runWorkload(name: string, workload: Workload, queue: Queue, load: Load): Promise<Measured[]> {
  const { clients, seconds, signal, turned } = load
  await workload.prepare?.(queue)
  const ending = new AbortController()
  const anyEnd = AbortSignal.any([signal, ending.signal])
  const start = elapsed()
  const client = async (): Promise<void> => {
    while (elapsed() - start < seconds * 1000) {
      if (!(await workload.turn(queue, anyEnd))) await pause(PAUSE_AFTER_ERROR_MS, anyEnd)
      anyEnd.throwIfAborted()
      turned()
    }
  }
  try {
    await Promise.all(Array.from({ length: clients }, client))
  } finally {
    // One that fails ends all.
    ending.abort()
  }
  const took = (elapsed() - start) / 1000
  return workload.tallies.map((tally) => tally.measured(name, took))
}
