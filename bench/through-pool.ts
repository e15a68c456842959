import type { Generator } from './generator.ts'
import type { RunFigures } from './load.ts'
import { createPooledStores } from './pooled-stores.ts'
import type { RunningServer } from './service.ts'
import { median, medianBy } from './statistics.ts'
import type { Stores } from './stores.ts'
import { localSubject } from './subject.ts'
import type { Pace } from './throughput.ts'
import { type Workload, workloadNamed } from './workloads.ts'

export interface ThroughPoolRow {
  readonly workload: Workload
  readonly connections: number
  /** The turn with the median rate; so is `pooled`. */
  readonly alone: RunFigures
  readonly pooled: RunFigures
  /** Rate through the pool to that of the engine alone right before: the median of all turns. */
  readonly ratio: number
  /** The same of the processor time for a request. */
  readonly cpuRatio: number
}

const measured = ['post', 'claim'] as const
const QUEUE = 'through-pool'
/** Both services are up all the time, so turns can be short, and there can be many. */
const SHORTER = 0.2
const MORE = 4
/** Messages that a queue must hold for a turn, to those that the turn before took. */
const RESERVE = 3

/** POST and claim through a pool beside the same engine alone: what the composite costs. */
export async function measureThroughPool(
  stores: Stores,
  generator: Generator,
  connections: number,
  pace: Pace,
): Promise<ThroughPoolRow[]> {
  const pooledStores = await createPooledStores(stores, 1)
  const services: RunningServer[] = []
  try {
    const alone = await localSubject(stores).start(QUEUE)
    services.push(alone)
    const pooled = await pooledStores.start()
    services.push(pooled)
    const rows: ThroughPoolRow[] = []
    for (const workload of measured.map(workloadNamed)) {
      const side = (service: RunningServer) => new Side(service, generator, workload, connections, pace)
      rows.push(await compare(side(alone), side(pooled), MORE * pace.turns))
    }
    return rows
  } finally {
    for (const service of services) await service.stop()
    await pooledStores.remove()
  }
}

async function compare(alone: Side, pooled: Side, turns: number): Promise<ThroughPoolRow> {
  // The first turn of each finds code that is not compiled yet.
  for (const side of [alone, pooled]) await side.run()
  const pairs: { alone: RunFigures; pooled: RunFigures }[] = []
  while (pairs.length < turns) {
    const pair = { alone: await alone.run(), pooled: await pooled.run() }
    pairs.push(pair)
  }
  return {
    workload: alone.workload,
    connections: alone.connections,
    alone: medianBy(pairs, ({ alone }) => alone.cyclesPerSecond).alone,
    pooled: medianBy(pairs, ({ pooled }) => pooled.cyclesPerSecond).pooled,
    ratio: median(pairs.map(({ alone, pooled }) => pooled.cyclesPerSecond / alone.cyclesPerSecond)),
    cpuRatio: median(pairs.map(({ alone, pooled }) => cpuFor(pooled) / cpuFor(alone))),
  }
}

function cpuFor({ serverCpu, cyclesPerSecond }: RunFigures): number {
  return (serverCpu ?? Number.NaN) / cyclesPerSecond
}

/** One of the two services, under one load. */
class Side {
  readonly workload: Workload
  readonly connections: number
  readonly #service: RunningServer
  readonly #generator: Generator
  readonly #pace: Pace
  #stored = 0
  #taken = 0

  constructor(service: RunningServer, generator: Generator, workload: Workload, connections: number, pace: Pace) {
    this.#service = service
    this.#generator = generator
    this.workload = workload
    this.connections = connections
    this.#pace = pace
  }

  /** One turn. */
  async run(): Promise<RunFigures> {
    const { target } = this.#service
    const warmUpSeconds = this.#pace.warmUpSeconds * SHORTER
    const seconds = this.#pace.seconds * SHORTER
    const load = { workload: this.workload.name, connections: this.connections, warmUpSeconds, seconds }
    for (;;) {
      await this.#replenish()
      const result = await this.#generator.run({ ...load, targets: [target], queues: [QUEUE], cyclesPerSecond: null })
      const rate = 'ranOutAtCyclesPerSecond' in result ? result.ranOutAtCyclesPerSecond : result.cyclesPerSecond
      this.#taken = Math.ceil(rate * this.workload.takes * (warmUpSeconds + seconds))
      this.#stored = Math.max(0, this.#stored - this.#taken)
      if (!('ranOutAtCyclesPerSecond' in result)) return result
    }
  }

  async #replenish(): Promise<void> {
    const wanted = Math.max(RESERVE * this.#taken, this.workload.takes * 1_000)
    const missing = wanted - this.#stored
    if (missing <= 0) return
    await this.#generator.fill(this.#service.target, QUEUE, missing)
    this.#stored = wanted
  }
}
