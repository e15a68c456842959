import { randomBytes } from 'node:crypto'
import { Zaqar, type ZaqarOptions } from 'zaqar-client'
import { BenchError } from './bench-error.ts'
import { runPushes } from './run-pushes.ts'
import { type Load, runWorkload } from './run-workload.ts'
import type { Measured } from './tally.ts'
import { type WorkloadName, workloads } from './workloads.ts'

export interface BenchParams extends Load {
  readonly connection: ZaqarOptions
  readonly names: readonly WorkloadName[]
  /** Characters of each body. */
  readonly size: number
}

export interface BenchResult {
  readonly measured: readonly Measured[]
  /** What could not be measured, each a sentence. */
  readonly notes: readonly string[]
}

/**
 * Runs the workloads one after the other, each in a queue of its own that is removed in any case. @throws BenchError,
 * ZaqarError that would come again and again, or the reason of the signal
 */
export async function runBench({ connection, names, size, ...load }: BenchParams): Promise<BenchResult> {
  const zaqar = new Zaqar(connection)
  // What is tried again would be slow, and no failure.
  const once = { ...connection, retries: 0 }
  const body = 'x'.repeat(size)
  const run = randomBytes(4).toString('hex')
  const measured: Measured[] = []
  const notes: string[] = []
  for (const name of names) {
    const queueName = `bench-${run}-${name}`
    await zaqar.queue(queueName).create({}, { signal: load.signal })
    try {
      const found =
        name === 'push'
          ? await runPushes(once, queueName, body, load)
          : await runWorkload(name, workloads[name](body), new Zaqar(once).queue(queueName), load)
      if (found === null) notes.push('push: the service tells nobody by WebSocket at this address')
      else measured.push(...found)
    } finally {
      await remove(zaqar, queueName)
    }
  }
  return { measured, notes }
}

async function remove(zaqar: Zaqar, queueName: string): Promise<void> {
  try {
    await zaqar.queue(queueName).delete()
  } catch (error) {
    throw new BenchError(`the queue ${queueName} could not be removed: ${(error as Error).message}`)
  }
}
