import type { BacklogTable } from './backlog.ts'
import type { PoolsFigures } from './pools.ts'
import type { Figures } from './report.ts'
import type { WorkloadName } from './workloads.ts'

/**
 * Upstream Zaqar 15 at 32 connections: uWSGI with 2 processes of 4 threads, kept-alive connections, Redis without any
 * persistence, on a machine with 2 cores that also ran the load.
 */
const upstreamRequestsPerSecond = { post: 1245, claim: 388 }

const BUSY_CONNECTIONS = 32

/** What the service is meant to reach, and what it did: null where the run did not measure it. */
export interface Goal {
  readonly what: string
  readonly wanted: string
  readonly reached: { readonly shown: string; readonly met: boolean } | null
}

export function goalsFor(figures: Figures): Goal[] {
  return figures.engine === 'postgres' ? goalsOnPostgres(figures) : goalsOnSqlite(figures)
}

function goalsOnSqlite(figures: Figures): Goal[] {
  const post = rateAt(figures, 'post')
  const claim = rateAt(figures, 'claim')
  const { backlog } = figures
  return [
    atLeast('durable POST 1, 32 connections, to the echo', 50, '%', post && post.ratio * 100),
    postToUpstream(figures, 15),
    atLeast('claim 1, 32 connections, to the echo', 40, '%', claim && claim.ratio * 100),
    atLeast('the same, to upstream', 30, 'x', claim && claim.cycles / upstreamRequestsPerSecond.claim),
    batches(figures, 60_000),
    below('p99 of POST 1 at half of the peak rate', 15, ' ms', figures.halfPeak?.run.p99Milliseconds),
    growthWithBacklog(figures),
    below(
      'the same, first request past expired messages',
      1.3,
      'x',
      backlog?.first ? growth(backlog.first, 'expired') : undefined,
    ),
    below('start to first answer, empty store', 1000, ' ms', figures.startUp?.milliseconds),
    ...pools(figures),
    ...notifications(figures),
    ...sockets(figures),
  ]
}

function goalsOnPostgres(figures: Figures): Goal[] {
  const lasting = (isPinned: boolean) => {
    const run = figures.endurance.find((candidate) => candidate.isPinned === isPinned)
    return run && (100 * (run.messagesPerSecond.at(-1) ?? Number.NaN)) / (run.messagesPerSecond[0] ?? Number.NaN)
  }
  const twoToOne = (isWanted: (queues: number) => boolean) => {
    const ratios = figures.nodes?.filter(({ queues }) => isWanted(queues)).map(({ ratio }) => 100 * ratio)
    return ratios && Math.min(...ratios)
  }
  return [
    postToUpstream(figures, 5),
    batches(figures, 30_000),
    growthWithBacklog(figures),
    atLeast('claims in the last tenth of an endurance run, to the first', 80, '%', lasting(false)),
    atLeast('the same, beside a transaction held open', 80, '%', lasting(true)),
    atLeast(
      'two nodes on several queues, to one',
      100,
      '%',
      twoToOne((queues) => queues > 1),
    ),
    atLeast(
      'two nodes on one queue, to one',
      100,
      '%',
      twoToOne((queues) => queues === 1),
    ),
    ...pools(figures),
    ...notifications(figures),
    ...sockets(figures),
  ]
}

function pools({ throughPool, pools, moves }: Figures): Goal[] {
  const through = (name: WorkloadName) => {
    const row = throughPool?.find(({ workload }) => workload.name === name)
    return row && row.ratio * 100
  }
  return [
    atLeast('POST 1 through a pool, to the engine alone', 95, '%', through('post')),
    atLeast('claim 1 through a pool, to the engine alone', 95, '%', through('claim')),
    below(
      'operation on messages with any number of pools, to the engine alone',
      1.3,
      'x',
      pools === null ? undefined : growthWithPools(pools),
    ),
    below('slowest POST to a pool that is drained', 1000, ' ms', moves?.drain.slowestPostMilliseconds),
  ]
}

function growthWithPools({ operations, columns: [alone, ...others] }: PoolsFigures): number {
  const ratios = operations.flatMap(({ isOnMessages }, i) =>
    isOnMessages
      ? others.map(({ milliseconds }) => (milliseconds[i] ?? Number.NaN) / (alone?.milliseconds[i] ?? Number.NaN))
      : [],
  )
  return Math.max(...ratios)
}

function sockets({ sockets: figures }: Figures): Goal[] {
  const post = figures?.requests.find(({ title, connections }) => title === 'POST 1' && connections === 100)
  const idle = figures && (figures.idle.openBytes - figures.idle.residentBytes) / figures.idle.sockets / 1024
  return [
    atLeast('POST 1 over 100 sockets, to HTTP', 1.5, 'x', post?.jsonToHttp),
    atLeast('take and delete as pushed claims, to HTTP one by one', 3, 'x', figures?.consuming.ratio),
    atLeast('pushes of one poster to 1,000 sockets', 100_000, ' a second', figures?.pushes.perSecond),
    below('memory of an idle socket', 20, ' KiB', idle ?? undefined),
  ]
}

function notifications({ notifications: figures }: Figures): Goal[] {
  const posts = figures?.posts.find(({ subscriptions }) => subscriptions === 10)
  const [fast] = figures?.deliveries ?? []
  return [
    atLeast('POST 1 to a queue with 10 subscriptions, to one without', 60, '%', posts && posts.ratio * 100),
    atLeast('deliveries to a receiver beside the service', 5_000, ' a second', fast?.perSecond),
    below(
      '99 % told, of 900 subscriptions beside 100 that never answer',
      1000,
      ' ms',
      figures?.isolation.p99Milliseconds,
    ),
  ]
}

function postToUpstream(figures: Figures, bound: number): Goal {
  const post = rateAt(figures, 'post')
  const ratio = post && post.cycles / upstreamRequestsPerSecond.post
  return atLeast('durable POST 1, 32 connections, to upstream on memory-only Redis', bound, 'x', ratio)
}

function batches(figures: Figures, bound: number): Goal {
  const batch = rateAt(figures, 'post-10')
  return atLeast('POST 10, 32 connections', bound, ' messages/s', batch && batch.cycles * 10)
}

function growthWithBacklog({ backlog }: Figures): Goal {
  const reached = backlog?.running ? growth(backlog.running) : undefined
  return below('cost of an operation, any backlog to 1,000 messages', 1.3, 'x', reached)
}

function rateAt({ throughput }: Figures, name: WorkloadName): { cycles: number; ratio: number } | undefined {
  const row = throughput.find(({ workload, connections }) => workload.name === name && connections === BUSY_CONNECTIONS)
  return row ? { cycles: row.service.cyclesPerSecond, ratio: row.ratio } : undefined
}

/** The largest ratio to the first column, among the columns whose title says so. */
function growth({ columns, rows }: BacklogTable, title = ''): number {
  return Math.max(
    ...rows.flatMap(({ milliseconds }) =>
      milliseconds
        .filter((_, i) => columns[i]?.includes(title))
        .map((value) => value / (milliseconds[0] ?? Number.NaN)),
    ),
  )
}

function atLeast(what: string, bound: number, unit: string, value: number | undefined): Goal {
  return goal(what, `at least ${shown(bound, unit)}`, unit, value, (reached) => reached >= bound)
}

function below(what: string, bound: number, unit: string, value: number | undefined): Goal {
  return goal(what, `below ${shown(bound, unit)}`, unit, value, (reached) => reached < bound)
}

function goal(
  what: string,
  wanted: string,
  unit: string,
  value: number | undefined,
  isMet: (value: number) => boolean,
): Goal {
  return { what, wanted, reached: value === undefined ? null : { shown: shown(value, unit), met: isMet(value) } }
}

function shown(value: number, unit: string): string {
  return `${value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })}${unit}`
}
