import type { Generator } from './generator.ts'
import type { RunFigures } from './load.ts'
import { type RunningServer, startService } from './service.ts'
import { median, medianBy } from './statistics.ts'
import type { Stores } from './stores.ts'
import type { Pace } from './throughput.ts'
import { turnover, type Workload, workloadNamed } from './workloads.ts'

export interface NodesRow {
  readonly workload: Workload
  readonly connections: number
  /** The turn with the median rate; so is `two`. CPU and memory are those of both nodes. */
  readonly one: RunFigures
  readonly two: RunFigures
  /** Rate of two nodes to that of one right before them: the median of all turns. */
  readonly ratio: number
}

const measured = [workloadNamed('post'), workloadNamed('post-10'), turnover]

/** Two nodes on one store beside one, all connections on one queue: the case in which they are most in each other's way. */
export async function measureNodes(
  stores: Stores,
  generator: Generator,
  connections: number,
  pace: Pace,
): Promise<NodesRow[]> {
  const rows: NodesRow[] = []
  for (const workload of measured) {
    const pairs: { one: RunFigures; two: RunFigures }[] = []
    while (pairs.length < pace.turns) {
      const one = await runOnNodes(1, stores, generator, workload, connections, pace)
      const two = await runOnNodes(2, stores, generator, workload, connections, pace)
      pairs.push({ one, two })
    }
    rows.push({
      workload,
      connections,
      one: medianBy(pairs, ({ one }) => one.cyclesPerSecond).one,
      two: medianBy(pairs, ({ two }) => two.cyclesPerSecond).two,
      ratio: median(pairs.map(({ one, two }) => two.cyclesPerSecond / one.cyclesPerSecond)),
    })
  }
  return rows
}

async function runOnNodes(
  count: number,
  stores: Stores,
  generator: Generator,
  workload: Workload,
  connections: number,
  { warmUpSeconds, seconds }: Pace,
): Promise<RunFigures> {
  const store = await stores.create()
  const nodes: RunningServer[] = []
  try {
    while (nodes.length < count) nodes.push(await startService(store.uri))
    const targets = nodes.map(({ target }) => target)
    const queue = 'nodes'
    for (const target of targets.slice(0, 1)) await generator.fill(target, queue, workload.needs)
    const load = { workload: workload.name, connections, warmUpSeconds, seconds, cyclesPerSecond: null }
    return await generator.runToEnd({ ...load, targets, queue })
  } finally {
    for (const node of nodes) await node.stop()
    await store.remove()
  }
}
