import type { Generator } from './generator.ts'
import type { RunFigures } from './load.ts'
import { type RunningServer, startService } from './service.ts'
import { median, medianBy } from './statistics.ts'
import type { Stores } from './stores.ts'
import type { Pace } from './throughput.ts'
import { turnover, type Workload, workloadNamed } from './workloads.ts'

export interface NodesRow {
  readonly workload: Workload
  readonly queues: number
  readonly connections: number
  /** The turn with the median rate; so is `two`. CPU and memory are those of both nodes. */
  readonly one: RunFigures
  readonly two: RunFigures
  /** Rate of two nodes to that of one right before them: the median of all turns. */
  readonly ratio: number
}

const SEVERAL = 8
const measured = [workloadNamed('post'), workloadNamed('post-10'), turnover]

/**
 * Two nodes on one store beside one: on several queues, and on one, where all writers wait for each other and nodes are
 * most in each other's way.
 */
export async function measureNodes(
  stores: Stores,
  generator: Generator,
  connections: number,
  pace: Pace,
): Promise<NodesRow[]> {
  const rows: NodesRow[] = []
  const run = (nodes: number, workload: Workload, queues: number) =>
    runOnNodes(nodes, stores, generator, workload, namesOf(queues), connections, pace)
  for (const [workload, queues] of measured.flatMap((one) => [[one, SEVERAL] as const, [one, 1] as const])) {
    const pairs: { one: RunFigures; two: RunFigures }[] = []
    while (pairs.length < pace.turns) {
      const one = await run(1, workload, queues)
      const two = await run(2, workload, queues)
      pairs.push({ one, two })
    }
    rows.push({
      workload,
      queues,
      connections,
      one: medianBy(pairs, ({ one }) => one.cyclesPerSecond).one,
      two: medianBy(pairs, ({ two }) => two.cyclesPerSecond).two,
      ratio: median(pairs.map(({ one, two }) => two.cyclesPerSecond / one.cyclesPerSecond)),
    })
  }
  return rows
}

export function namesOf(queues: number): string[] {
  return Array.from({ length: queues }, (_, i) => `nodes-${i}`)
}

/** So many processes on one new store, with the connections dealt out among them. */
export async function runOnNodes(
  count: number,
  stores: Stores,
  generator: Generator,
  workload: Workload,
  queues: readonly string[],
  connections: number,
  { warmUpSeconds, seconds }: Pace,
): Promise<RunFigures> {
  const store = await stores.create()
  const nodes: RunningServer[] = []
  try {
    while (nodes.length < count) nodes.push(await startService(store.uri))
    const targets = nodes.map(({ target }) => target)
    for (const target of targets.slice(0, 1)) {
      for (const queue of queues) await generator.fill(target, queue, workload.needs)
    }
    const load = { workload: workload.name, connections, warmUpSeconds, seconds, cyclesPerSecond: null }
    return await generator.runToEnd({ ...load, targets, queues })
  } finally {
    for (const node of nodes) await node.stop()
    await store.remove()
  }
}
