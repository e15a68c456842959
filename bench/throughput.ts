import { randomUUID } from 'node:crypto'
import type { Generator } from './generator.ts'
import type { RunFigures, RunTask } from './load.ts'
import { startEcho } from './service.ts'
import { median, medianBy } from './statistics.ts'
import type { Subject } from './subject.ts'
import type { Workload } from './workloads.ts'

export interface Pace {
  readonly warmUpSeconds: number
  readonly seconds: number
  /** How often service and echo take turns. */
  readonly turns: number
}

export interface ThroughputRow {
  readonly workload: Workload
  readonly connections: number
  /** The turn with the median rate; so is `echo`. */
  readonly service: RunFigures
  readonly echo: RunFigures
  /** Rate of the service to that of the echo right after it: the median of all turns. */
  readonly ratio: number
  /** The same for what the database itself does, where there is one: cycles a second, and the ratio. */
  readonly database: { readonly cyclesPerSecond: number; readonly ratio: number } | null
}

/** Cycles a second that the database below the service reaches by itself. */
export type DatabaseYardstick = (workload: Workload, connections: number, pace: Pace) => Promise<number>

/**
 * One row: service, echo and database take turns, each in a new process, since a shared or virtual machine changes its
 * speed from minute to minute.
 */
export async function measureThroughput(
  subject: Subject,
  generator: Generator,
  workload: Workload,
  connections: number,
  pace: Pace,
  databaseAlone: DatabaseYardstick | null,
): Promise<ThroughputRow> {
  const load = { workload: workload.name, connections, cyclesPerSecond: null, ...pace }
  const turns: { service: RunFigures; echo: RunFigures; database: number | null }[] = []
  const backlog = new BacklogSize(workload, pace)
  while (turns.length < pace.turns) {
    const service = await runOnSubject(subject, generator, workload, backlog, load)
    const echo = await runOnEcho(generator, service, load)
    const database = databaseAlone && (await databaseAlone(workload, connections, pace))
    turns.push({ service, echo, database })
  }
  return {
    workload,
    connections,
    service: medianBy(turns, ({ service }) => service.cyclesPerSecond).service,
    echo: medianBy(turns, ({ echo }) => echo.cyclesPerSecond).echo,
    ratio: median(turns.map(({ service, echo }) => service.cyclesPerSecond / echo.cyclesPerSecond)),
    database: databaseAlone && {
      cyclesPerSecond: median(turns.map(({ database }) => database ?? Number.NaN)),
      ratio: median(turns.map(({ service, database }) => service.cyclesPerSecond / (database ?? Number.NaN))),
    },
  }
}

/** Latency when cycles fall due at a fixed rate: the run with the median p99. */
export async function measureAtRate(
  subject: Subject,
  generator: Generator,
  workload: Workload,
  connections: number,
  cyclesPerSecond: number,
  pace: Pace,
): Promise<RunFigures> {
  const runs: RunFigures[] = []
  const backlog = new BacklogSize(workload, pace)
  while (runs.length < pace.turns) {
    const load = { workload: workload.name, connections, cyclesPerSecond, ...pace }
    runs.push(await runOnSubject(subject, generator, workload, backlog, load))
  }
  return medianBy(runs, (run) => run.p99Milliseconds)
}

type Load = Omit<RunTask, 'kind' | 'targets' | 'queues'>

async function runOnSubject(
  subject: Subject,
  generator: Generator,
  workload: Workload,
  backlog: BacklogSize,
  load: Load,
): Promise<RunFigures> {
  for (;;) {
    const queue = `bench-${workload.name}-${randomUUID().slice(0, 8)}`
    const server = await subject.start(queue)
    try {
      await generator.fill(server.target, queue, backlog.messages)
      const result = await generator.run({ ...load, targets: [server.target], queues: [queue] })
      if (!('ranOutAtCyclesPerSecond' in result)) {
        backlog.suit(result.cyclesPerSecond)
        return result
      }
      backlog.suit(result.ranOutAtCyclesPerSecond)
    } finally {
      await server.stop()
    }
  }
}

async function runOnEcho(generator: Generator, { answers }: RunFigures, load: Load): Promise<RunFigures> {
  const echo = await startEcho(answers)
  try {
    // It answers alike whatever is in the queue, so it never runs out.
    return await generator.runToEnd({ ...load, targets: [echo.target], queues: ['bench'] })
  } finally {
    await echo.stop()
  }
}

/**
 * How many messages a queue must hold so that a run does not use them up: a guess at first, then from what was seen.
 */
class BacklogSize {
  static readonly #FIRST_GUESS_MESSAGES_PER_SECOND = 10_000
  static readonly #RESERVE = 1.6

  readonly #workload: Workload
  readonly #seconds: number
  messages: number

  constructor(workload: Workload, { warmUpSeconds, seconds }: Pace) {
    this.#workload = workload
    this.#seconds = warmUpSeconds + seconds
    this.messages = workload.takes === 0 ? workload.needs : this.#seconds * BacklogSize.#FIRST_GUESS_MESSAGES_PER_SECOND
  }

  suit(cyclesPerSecond: number): void {
    const wanted = cyclesPerSecond * this.#workload.takes * this.#seconds * BacklogSize.#RESERVE
    this.messages = Math.max(this.messages, Math.ceil(wanted))
  }
}
