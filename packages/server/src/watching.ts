/** Puts together what is told to those who watch the service, but for what the parts of it name themselves. */
import type { Config } from './config/options.ts'
import { Census, type CensusFigures, MOST_OWED, OTHERS, type Sums } from './core/census.ts'
import { Readiness } from './core/readiness.ts'
import type { Family, Labels } from './metrics/family.ts'
import { Metrics } from './metrics/metrics.ts'
import type { Clock } from './platform/clock.ts'
import { type ProcessFigures, ProcessWatch } from './platform/process-figures.ts'
import { startTimeLimit } from './platform/time-limit.ts'
import type { Storage } from './storage/contract.ts'
import type { EngineFigures } from './storage/engine-figures.ts'

export interface WatchingParts {
  readonly config: Pick<Config, 'metrics'>
  readonly storage: Storage
  readonly figures: EngineFigures
  readonly clock: Clock
  /** Of this software. */
  readonly version: string
  /** Told of what could not be counted. */
  report(error: unknown): void
}

export interface Watching {
  readonly readiness: Readiness
  /** For all who measure something. */
  readonly metrics: Metrics
  /** All that is measured in this process, and, if wanted, what is in the store. */
  families(p: { readonly withStore: boolean }): Promise<Family[]>
  close(): void
}

export function openWatching({ config, storage, figures, clock, version, report }: WatchingParts): Watching {
  const metrics = new Metrics()
  const process = new ProcessWatch()
  const { maxProjects, queues } = config.metrics
  const census =
    storage.census && new Census({ store: storage.census, clock, startTimeLimit, maxProjects, queues, report })
  let ofProcess: ProcessFigures | null = null
  let ofStore: CensusFigures | null = null
  metrics.gauge({ name: 'zaqar_build_info', help: 'Always 1; the labels say what runs', scope: 'store' }, () => [
    [{ version, engine: storage.abilities.engine, node: globalThis.process.versions.node }, 1],
  ])
  measureStore(metrics, clock, () => ofStore)
  measureEngine(metrics, figures)
  measureProcess(metrics, () => ofProcess)
  return {
    readiness: new Readiness({ storage, clock, startTimeLimit }),
    metrics,
    async families({ withStore }) {
      const counting = withStore ? census?.figures() : undefined
      ;[ofProcess, ofStore] = await Promise.all([process.figures(), counting ?? null])
      return metrics.collect()
    },
    close: () => process.close(),
  }
}

function measureStore(metrics: Metrics, clock: Clock, figures: () => CensusFigures | null): void {
  const scope = 'store'
  const ofProjects = (values: (sums: Sums, labels: Labels) => (readonly [Labels, number])[]) => () => {
    const { projects = [], others = null } = figures() ?? {}
    const all = others === null ? projects : [...projects, { ...others, project: OTHERS }]
    return all.flatMap((sums) => values(sums, { project: sums.project }))
  }
  const ofQueues =
    (values: (sums: Pick<Sums, 'free' | 'claimed' | 'oldestAt'>, labels: Labels) => (readonly [Labels, number])[]) =>
    () =>
      (figures()?.queues ?? []).flatMap((queue) => values(queue, { project: queue.project, queue: queue.name }))
  const messages = ({ free, claimed }: Pick<Sums, 'free' | 'claimed'>, labels: Labels): [Labels, number][] => [
    [{ ...labels, state: 'free' }, free],
    [{ ...labels, state: 'claimed' }, claimed],
  ]
  const age = ({ oldestAt }: Pick<Sums, 'oldestAt'>, labels: Labels): [Labels, number][] => [
    [labels, oldestAt === null ? 0 : Math.max(0, clock.now() - oldestAt) / 1000],
  ]
  metrics.gauge(
    { name: 'zaqar_project_queues', help: 'Queues and topics, by project', scope },
    ofProjects(({ queues }, labels) => [[labels, queues]]),
  )
  metrics.gauge(
    { name: 'zaqar_project_messages', help: 'Messages that are kept, by project and state', scope },
    ofProjects(messages),
  )
  metrics.gauge(
    { name: 'zaqar_project_oldest_message_age_seconds', help: 'Age of the oldest message, by project', scope },
    ofProjects(age),
  )
  metrics.gauge(
    { name: 'zaqar_queue_messages', help: 'Messages of the queues in [metrics] queues, by state', scope },
    ofQueues(messages),
  )
  metrics.gauge(
    {
      name: 'zaqar_queue_oldest_message_age_seconds',
      help: 'Age of the oldest message of the queues in [metrics] queues',
      scope,
    },
    ofQueues(age),
  )
  metrics.gauge(
    {
      name: 'zaqar_delivery_backlog',
      help: `Messages of which not every subscription was told, and tries that wait for their time; ${MOST_OWED} also for more`,
      scope,
    },
    () => {
      const owed = figures()?.owed
      return owed === undefined
        ? []
        : [
            [{ state: 'new' }, owed.feed],
            [{ state: 'retry' }, owed.retries],
          ]
    },
  )
  metrics.gauge(
    { name: 'zaqar_census_age_seconds', help: 'How long ago queues and messages were counted', scope },
    () => {
      const at = figures()?.at
      return at === undefined ? [] : [[{}, Math.max(0, clock.now() - at) / 1000]]
    },
  )
}

function measureEngine(metrics: Metrics, figures: EngineFigures): void {
  metrics.histogram(
    { name: 'zaqar_engine_group_moves', help: 'Moves of the storage that shared a transaction' },
    () => [[{}, figures.groups]],
  )
  metrics.histogram(
    {
      name: 'zaqar_engine_transaction_duration_seconds',
      help: 'How long transactions took until they were durable',
    },
    () => [[{}, figures.transactions]],
  )
  metrics.total(
    { name: 'zaqar_engine_failed_transactions_total', help: 'Transactions that were not committed' },
    () => figures.failed,
  )
  metrics.gauge({ name: 'zaqar_engine_waiting_moves', help: 'Moves that wait for their transaction' }, () =>
    figures.waiting(),
  )
  metrics.gauge(
    { name: 'zaqar_engine_lanes', help: 'Connections to PostgreSQL: all that may be, those at work, those open' },
    () => {
      const lanes = figures.lanes?.()
      if (lanes === undefined) return []
      return [
        [{ state: 'all' }, lanes.all],
        [{ state: 'busy' }, lanes.busy],
        [{ state: 'connected' }, lanes.connected],
      ]
    },
  )
  metrics.histogram(
    {
      name: 'zaqar_engine_sweep_duration_seconds',
      help: 'How long the rounds took that free the space of what is gone',
    },
    () => [[{}, figures.sweeps]],
  )
}

/** The names of the first six are those that client libraries of Prometheus agree on. */
function measureProcess(metrics: Metrics, figures: () => ProcessFigures | null): void {
  const scope = 'worker'
  const of = (read: (figures: ProcessFigures) => number | null) => () => {
    const present = figures()
    const value = present && read(present)
    return value === null ? [] : ([[{}, value]] as const)
  }
  metrics.total(
    { name: 'process_cpu_seconds_total', help: 'Time of processors that the process took', scope },
    of(({ cpuSeconds }) => cpuSeconds),
  )
  metrics.gauge(
    { name: 'process_start_time_seconds', help: 'When the process began, since 1970', scope },
    of(({ startedAt }) => startedAt),
  )
  metrics.gauge(
    { name: 'process_resident_memory_bytes', help: 'Memory of the process', scope },
    of(({ residentBytes }) => residentBytes),
  )
  metrics.gauge(
    { name: 'process_heap_bytes', help: 'Memory in use on the heap of JavaScript', scope },
    of(({ heapBytes }) => heapBytes),
  )
  metrics.gauge(
    { name: 'process_open_fds', help: 'Files and sockets that are open', scope },
    of(({ openFiles }) => openFiles),
  )
  metrics.gauge(
    { name: 'process_max_fds', help: 'The most files and sockets that may be open', scope },
    of(({ mostOpenFiles }) => mostOpenFiles),
  )
  metrics.total(
    { name: 'zaqar_event_loop_busy_seconds_total', help: 'Time in which the event loop was at work', scope },
    of(({ busySeconds }) => busySeconds),
  )
  metrics.gauge(
    {
      name: 'zaqar_event_loop_delay_seconds',
      help: 'How late the event loop was since the last scrape, or for ten seconds, by percentile; 100 is the latest',
      scope,
    },
    () => [...(figures()?.delays ?? [])].map(([percentile, seconds]) => [{ percentile: String(percentile) }, seconds]),
  )
  metrics.total(
    { name: 'zaqar_gc_runs_total', help: 'Garbage collections', scope },
    of(({ collections }) => collections),
  )
  metrics.total(
    { name: 'zaqar_gc_seconds_total', help: 'Time that garbage collections took', scope },
    of(({ collectionSeconds }) => collectionSeconds),
  )
}
