import type { BacklogFigures, BacklogTable } from './backlog.ts'
import type { ConsumeRow } from './consume.ts'
import type { EnduranceFigures } from './endurance.ts'
import type { FollowersFigures } from './followers.ts'
import { goalsFor } from './goals.ts'
import type { RunFigures } from './load.ts'
import type { MovesFigures } from './moves.ts'
import type { NodesRow } from './nodes.ts'
import type { NotificationsFigures } from './notifications.ts'
import type { PoolsColumn, PoolsFigures } from './pools.ts'
import type { SocketsFigures } from './sockets.ts'
import type { StartUp } from './startup.ts'
import type { Stores } from './stores.ts'
import type { Table } from './tables.ts'
import type { ThroughPoolRow } from './through-pool.ts'
import type { ThroughputRow } from './throughput.ts'
import type { Workload } from './workloads.ts'

/** All that one run of the bench found out; null for what was not asked for. */
export interface Figures {
  readonly subject: string
  readonly machine: string
  /** Null where it is not known or not ours. */
  readonly engine: Stores['engine'] | null
  readonly throughput: readonly ThroughputRow[]
  readonly halfPeak: HalfPeak | null
  readonly backlog: BacklogFigures | null
  readonly startUp: StartUp | null
  readonly nodes: readonly NodesRow[] | null
  readonly throughPool: readonly ThroughPoolRow[] | null
  readonly pools: PoolsFigures | null
  readonly moves: MovesFigures | null
  readonly followers: FollowersFigures | null
  readonly notifications: NotificationsFigures | null
  readonly sockets: SocketsFigures | null
  readonly consume: readonly ConsumeRow[] | null
  readonly endurance: readonly EnduranceFigures[]
}

export interface HalfPeak {
  readonly cyclesPerSecond: number
  readonly run: RunFigures
}

/** The tables of a run, without those of parts that did not run. */
export function tablesOf(figures: Figures): Table[] {
  const { throughput, halfPeak, backlog, startUp, nodes, throughPool, pools, moves } = figures
  const { followers, notifications, sockets, consume, endurance } = figures
  const tables: (Table | null)[] = [
    throughput.length === 0 ? null : throughputTable(throughput),
    throughput.some(({ database }) => database !== null) ? databaseTable(throughput) : null,
    halfPeak && halfPeakTable(halfPeak),
    backlog?.running ? backlogTable('Cost beside the backlog, milliseconds', backlog.running) : null,
    backlog?.first ? backlogTable('First request for the queue after a start, milliseconds', backlog.first) : null,
    startUp && startUpTable(startUp),
    nodes && nodesTable(nodes),
    throughPool && throughPoolTable(throughPool),
    pools && poolsTable(pools),
    moves && movesTable(moves),
    ...(followers === null ? [] : [handOversTable(followers), listingsTable(followers)]),
    ...(notifications === null ? [] : notificationTables(notifications)),
    ...(sockets === null ? [] : socketTables(sockets)),
    consume && consumeTable(consume),
    endurance.length === 0 ? null : enduranceTable(endurance),
    goalTable(figures),
  ]
  return tables.filter((table) => table !== null)
}

function throughputTable(rows: readonly ThroughputRow[]): Table {
  return {
    title: 'Throughput',
    header: [
      '',
      'connections',
      'requests/s',
      'messages/s',
      'p50 ms',
      'p99 ms',
      'CPU',
      'CPU us/request',
      'RSS MiB',
      'echo/s',
      'echo CPU us',
      'of echo',
      'load CPU',
    ],
    words: 1,
    rows: rows.map(({ workload, connections, service, echo, ratio }) => [
      workload.title,
      String(connections),
      whole(service.cyclesPerSecond * workload.requests),
      whole(service.cyclesPerSecond * workload.messages),
      inMilliseconds(service.p50Milliseconds),
      inMilliseconds(service.p99Milliseconds),
      percent(service.serverCpu),
      cpuPerRequest(service, workload),
      mebibytes(service.serverResidentBytes),
      whole(echo.cyclesPerSecond * workload.requests),
      cpuPerRequest(echo, workload),
      percent(ratio),
      percent(service.loadCpu),
    ]),
  }
}

function databaseTable(rows: readonly ThroughputRow[]): Table {
  return {
    title: 'Beside PostgreSQL itself: pgbench on the same table, messages a second',
    header: ['', 'connections', 'service', 'pgbench', 'of pgbench'],
    words: 1,
    rows: rows.flatMap(({ workload, connections, service, database }) =>
      database === null
        ? []
        : [
            [
              workload.title,
              String(connections),
              whole(service.cyclesPerSecond * workload.messages),
              whole(database.cyclesPerSecond * workload.messages),
              percent(database.ratio),
            ],
          ],
    ),
  }
}

function throughPoolTable(rows: readonly ThroughPoolRow[]): Table {
  const shown = (run: RunFigures, workload: Workload) => [
    whole(run.cyclesPerSecond),
    inMilliseconds(run.p99Milliseconds),
    cpuPerRequest(run, workload),
  ]
  return {
    title: 'Through a pool beside the engine alone',
    header: [
      '',
      'connections',
      'alone/s',
      'p99 ms',
      'CPU us',
      'through a pool/s',
      'p99 ms',
      'CPU us',
      'to alone',
      'CPU to alone',
    ],
    words: 1,
    rows: rows.map(({ workload, connections, alone, pooled, ratio, cpuRatio }) => [
      workload.title,
      String(connections),
      ...shown(alone, workload),
      ...shown(pooled, workload),
      percent(ratio),
      percent(cpuRatio),
    ]),
  }
}

function poolsTable({ queues, operations, columns }: PoolsFigures): Table {
  const row = (title: string, cell: (column: PoolsColumn) => string) => [title, ...columns.map(cell)]
  return {
    title: `Cost beside the number of pools, ${queues.toLocaleString('en')} queues in the catalogue, milliseconds`,
    header: [
      '',
      ...columns.map(({ pools }) => (pools === 0 ? 'engine alone' : `${pools} ${pools === 1 ? 'pool' : 'pools'}`)),
    ],
    words: 1,
    rows: [
      ...operations.map(({ title }, i) =>
        row(title, ({ milliseconds }) => inMilliseconds(milliseconds[i] ?? Number.NaN)),
      ),
      row('start to first answer', ({ startMilliseconds }) => whole(startMilliseconds)),
      row('start until each pool has answered', ({ readyMilliseconds }) => whole(readyMilliseconds)),
      row('CPU while nothing is asked', ({ idleCpu }) => percent(idleCpu)),
      row('RSS MiB', ({ residentBytes }) => mebibytes(residentBytes)),
    ],
  }
}

function movesTable({ messages, recordsPerSecond, drain }: MovesFigures): Table {
  const count = messages.toLocaleString('en')
  return {
    title: 'Queues that move to another pool',
    header: ['', 'records/s', 'posts/s', 'slowest post ms', 'before ms'],
    words: 1,
    rows: [
      [`one queue of ${count} messages, at rest`, whole(recordsPerSecond), '-', '-', '-'],
      [
        `a drain of ${drain.queues} queues with ${count} messages, in use`,
        whole(drain.recordsPerSecond),
        whole(drain.postsPerSecond),
        whole(drain.slowestPostMilliseconds),
        whole(drain.slowestBeforeMilliseconds),
      ],
    ],
  }
}

function nodesTable(rows: readonly NodesRow[]): Table {
  return {
    title: 'Two nodes on one database beside one, messages a second',
    header: ['', 'queues', 'connections', 'one node', 'p99 ms', 'CPU', 'two nodes', 'p99 ms', 'CPU', 'two to one'],
    words: 1,
    rows: rows.map(({ workload, queues, connections, one, two, ratio }) => [
      workload.title,
      String(queues),
      String(connections),
      ...[one, two].flatMap((run) => [
        whole(run.cyclesPerSecond * workload.messages),
        inMilliseconds(run.p99Milliseconds),
        percent(run.serverCpu),
      ]),
      percent(ratio),
    ]),
  }
}

function handOversTable({ inProcess }: FollowersFigures): Table {
  return {
    title: 'News handed to followers inside of the process',
    header: ['queues', 'followers of each', 'pages/s'],
    words: 0,
    rows: inProcess.map((row) => [whole(row.queues), whole(row.followersOfEach), whole(row.perSecond)]),
  }
}

function listingsTable({ listings, listingsMilliseconds }: FollowersFigures): Table {
  return {
    title: 'From a POST to the last answer of the listings that wait for it',
    header: ['listings', 'ms'],
    words: 0,
    rows: [[whole(listings), inMilliseconds(listingsMilliseconds)]],
  }
}

function notificationTables({ posts, deliveries, isolation }: NotificationsFigures): Table[] {
  return [
    {
      title: 'POST 1 to a queue with subscriptions, while they are told',
      header: ['subscriptions', 'requests/s', 'of those without'],
      words: 0,
      rows: posts.map((row) => [whole(row.subscriptions), whole(row.postsPerSecond), percent(row.ratio)]),
    },
    {
      title: 'Deliveries',
      header: ['', 'subscriptions', 'messages', 'deliveries/s'],
      words: 1,
      rows: deliveries.map((row) => [row.title, whole(row.subscriptions), whole(row.messages), whole(row.perSecond)]),
    },
    {
      title: 'From a POST until a receiver that is well is told, while others never answer, milliseconds',
      header: ['subscriptions', 'of these silent', 'p99', 'slowest'],
      words: 0,
      rows: [
        [
          whole(isolation.subscriptions),
          whole(isolation.silent),
          inMilliseconds(isolation.p99Milliseconds),
          inMilliseconds(isolation.slowestMilliseconds),
        ],
      ],
    },
  ]
}

function socketTables({ requests, consuming, pushes, idle, slow }: SocketsFigures): Table[] {
  return [
    {
      title: 'Requests over HTTP and over sockets, a second; the echo is a bare `ws` with the same frames',
      header: ['', 'connections', 'HTTP', 'JSON', 'MessagePack', 'echo', 'JSON to HTTP', 'MessagePack to HTTP'],
      words: 1,
      rows: requests.map((row) => [
        row.title,
        whole(row.connections),
        ...[row.http, row.json, row.msgpack, row.echo].map(whole),
        times(row.jsonToHttp),
        times(row.msgpackToHttp),
      ]),
    },
    {
      title: `Messages taken and deleted over ${consuming.connections} connections, a second`,
      header: ['', 'messages/s'],
      words: 1,
      rows: [
        ['HTTP: claim 1 + delete 1', whole(consuming.one)],
        ['HTTP: finish and take 1', whole(consuming.finishing)],
        ['HTTP: claim 10 + delete 10', whole(consuming.ten)],
        ['pushed as claims, JSON', whole(consuming.json)],
        ['pushed as claims, MessagePack', whole(consuming.msgpack)],
      ],
    },
    {
      title: 'Pushes of one poster to all subscribed sockets',
      header: ['sockets', 'pushes/s', 'CPU', 'load CPU'],
      words: 0,
      rows: [[whole(pushes.sockets), whole(pushes.perSecond), percent(pushes.serverCpu), percent(pushes.loadCpu)]],
    },
    {
      title: 'Memory of the service for sockets that are open and do nothing',
      header: ['sockets', 'RSS MiB before', 'KiB for each', 'with a subscription'],
      words: 0,
      rows: [
        [
          whole(idle.sockets),
          mebibytes(idle.residentBytes),
          kibibytes(idle.openBytes - idle.residentBytes, idle.sockets),
          kibibytes(idle.subscribedBytes - idle.residentBytes, idle.sockets),
        ],
      ],
    },
    {
      title: 'Memory of the service for subscribed sockets that take nothing, while 10 MB is posted',
      header: ['sockets', 'RSS MiB before', 'most', 'cut off'],
      words: 0,
      rows: [[whole(slow.sockets), mebibytes(slow.residentBytes), mebibytes(slow.mostBytes), whole(slow.dropped)]],
    },
  ]
}

function consumeTable(rows: readonly ConsumeRow[]): Table {
  return {
    title: 'Messages that a consumer of the client takes, whose handler does nothing',
    header: ['', 'messages/s', 'CPU of the taker', 'of the service'],
    words: 1,
    rows: rows.map((row) => [row.title, whole(row.perSecond), percent(row.takerCpu), percent(row.serverCpu)]),
  }
}

/** Each cell: messages a second in that part of the run, and the ratio to the first part. */
function enduranceTable(runs: readonly EnduranceFigures[]): Table {
  return {
    title: 'POST 10, claim 10, delete 10 without pause on one queue, 32 connections, messages a second',
    header: ['from', ...runs.map(({ isPinned }) => (isPinned ? 'transaction of another held open' : 'alone'))],
    words: 0,
    rows: (runs[0]?.messagesPerSecond ?? []).map((_, part) => [
      `${whole(part * (runs[0]?.partSeconds ?? 0))} s`,
      ...runs.map(({ messagesPerSecond: [first = Number.NaN, ...rest] }) => {
        const value = [first, ...rest][part] ?? Number.NaN
        return `${whole(value)} (${percent(value / first)})`
      }),
    ]),
  }
}

function halfPeakTable({ cyclesPerSecond, run }: HalfPeak): Table {
  return {
    title: 'POST 1 at half of its peak rate, 32 connections, open loop',
    header: ['due/s', 'answered/s', 'p50 ms', 'p99 ms', 'max ms', 'CPU'],
    words: 0,
    rows: [
      [
        whole(cyclesPerSecond),
        whole(run.cyclesPerSecond),
        inMilliseconds(run.p50Milliseconds),
        inMilliseconds(run.p99Milliseconds),
        inMilliseconds(run.maxMilliseconds),
        percent(run.serverCpu),
      ],
    ],
  }
}

/** Each cell: the median, and its ratio to that of the first column. */
function backlogTable(title: string, { columns, rows }: BacklogTable): Table {
  return {
    title,
    header: ['', ...columns],
    words: 1,
    rows: rows.map((row) => {
      const [first = Number.NaN] = row.milliseconds
      return [
        row.operation,
        ...row.milliseconds.map((value, i) =>
          i === 0 ? inMilliseconds(value) : `${inMilliseconds(value)} (${(value / first).toFixed(2)}x)`,
        ),
      ]
    }),
  }
}

function startUpTable({ milliseconds, idleResidentBytes }: StartUp): Table {
  return {
    title: 'Start on an empty store',
    header: ['first answer ms', 'idle RSS MiB'],
    words: 0,
    rows: [[whole(milliseconds), mebibytes(idleResidentBytes)]],
  }
}

function goalTable(figures: Figures): Table | null {
  const rows = goalsFor(figures).flatMap(({ what, wanted, reached }) =>
    reached === null ? [] : [[what, wanted, reached.shown, reached.met ? 'yes' : 'no']],
  )
  return rows.length === 0 ? null : { title: 'Goals', header: ['', 'wanted', 'reached', 'met'], words: 2, rows }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function inMilliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1)
}

/** Of one core, or of the echo. */
function percent(part: number | null): string {
  return part === null ? '-' : `${Math.round(part * 100)} %`
}

/** Microseconds: what a busy neighbour on the machine distorts least. */
function cpuPerRequest({ serverCpu, cyclesPerSecond }: RunFigures, { requests }: Workload): string {
  return serverCpu === null ? '-' : ((serverCpu * 1e6) / (cyclesPerSecond * requests)).toFixed(1)
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`
}

function kibibytes(bytes: number, parts: number): string {
  return (bytes / parts / 1024).toFixed(1)
}

function mebibytes(bytes: number | null): string {
  return bytes === null ? '-' : whole(bytes / 2 ** 20)
}
