/**
 * `npm run bench`: how fast the service is, side by side with the least that `node:http` could do. See
 * docs/performance.md.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { type BacklogFigures, measureBacklog } from './backlog.ts'
import { type ConsumeRow, measureConsume } from './consume.ts'
import { type EnduranceFigures, measureEndurance } from './endurance.ts'
import { type FollowersFigures, measureFollowers } from './followers.ts'
import { Generator } from './generator.ts'
import { type MovesFigures, measureMoves } from './moves.ts'
import { measureNodes, type NodesRow } from './nodes.ts'
import { measureNotifications, type NotificationsFigures } from './notifications.ts'
import { type Options, readOptions, usage } from './options.ts'
import { measurePgbench } from './pgbench.ts'
import { measurePools, type PoolsFigures } from './pools.ts'
import { postgresStores } from './postgres-stores.ts'
import { type Figures, type HalfPeak, tablesOf } from './report.ts'
import { measureSockets, type SocketsFigures } from './sockets.ts'
import { measureStartUp, type StartUp } from './startup.ts'
import { type Stores, sqliteStores } from './stores.ts'
import { localSubject, remoteSubject, type Subject, subjectOn } from './subject.ts'
import { toMarkdown, toText } from './tables.ts'
import { measureThroughPool, type ThroughPoolRow } from './through-pool.ts'
import { type DatabaseYardstick, measureAtRate, measureThroughput, type ThroughputRow } from './throughput.ts'
import { workloadNamed, workloads } from './workloads.ts'

const BUSY_CONNECTIONS = 32

/** What a run of the bench works with. */
interface Setting {
  readonly options: Options
  readonly subject: Subject
  /** Where the bench may make stores of its own, to fill or to share; null where it may not. */
  readonly stores: Stores | null
  readonly generator: Generator
  readonly databaseAlone: DatabaseYardstick | null
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === null) return console.log(usage)
  const figures = await measure(options, (soFar) => writeFiles(options, soFar))
  console.log([`${figures.subject}, ${figures.machine}`, ...tablesOf(figures).map(toText)].join('\n\n'))
}

function writeFiles({ markdownFile, jsonFile }: Options, figures: Figures): void {
  if (markdownFile !== null) writeFileSync(markdownFile, `${tablesOf(figures).map(toMarkdown).join('\n\n')}\n`)
  if (jsonFile !== null) writeFileSync(jsonFile, `${JSON.stringify(figures, null, 2)}\n`)
}

/** `save` is called after each part, so that one that fails an hour later does not cost those before. */
async function measure(options: Options, save: (soFar: Figures) => void): Promise<Figures> {
  const stores = await storesFor(options)
  const generator = new Generator()
  try {
    const subject = subjectFor(options, stores)
    const databaseAlone: DatabaseYardstick | null =
      stores?.engine === 'postgres' ? (...load) => measurePgbench(stores, ...load) : null
    const setting = { options, subject, stores, generator, databaseAlone }
    let figures: Figures = {
      subject: subject.title,
      machine: describeMachine(),
      engine: stores?.engine ?? null,
      throughput: await throughputOf(setting),
      halfPeak: null,
      backlog: null,
      startUp: null,
      nodes: null,
      throughPool: null,
      pools: null,
      moves: null,
      followers: null,
      notifications: null,
      sockets: null,
      consume: null,
      endurance: [],
    }
    const add = (part: Partial<Figures>) => {
      figures = { ...figures, ...part }
      save(figures)
    }
    add({ halfPeak: await halfPeakOf(setting, figures.throughput) })
    add({ backlog: await backlogOf(setting) })
    add({ startUp: await startUpOf(setting) })
    add({ nodes: await nodesOf(setting) })
    add({ throughPool: await throughPoolOf(setting) })
    add({ pools: await poolsOf(setting) })
    add({ moves: await movesOf(setting) })
    add({ followers: await followersOf(setting) })
    add({ notifications: await notificationsOf(setting) })
    add({ sockets: await socketsOf(setting) })
    add({ consume: await consumeOf(setting) })
    add({ endurance: await enduranceOf(setting) })
    return figures
  } finally {
    generator.stop()
    await stores?.close()
  }
}

async function storesFor({ url, storage }: Options): Promise<Stores | null> {
  if (url !== null) return null
  if (storage === 'postgres') return await postgresStores()
  return storage === 'sqlite' ? sqliteStores() : null
}

function subjectFor({ url, headers, storage }: Options, stores: Stores | null): Subject {
  if (url !== null) return remoteSubject(url, headers)
  return stores === null ? subjectOn(storage) : localSubject(stores)
}

async function throughputOf(setting: Setting): Promise<ThroughputRow[]> {
  const { subject, generator, options, databaseAlone } = setting
  const rows: ThroughputRow[] = []
  for (const workload of workloads.filter(({ name }) => isWanted(name, options))) {
    for (const connections of options.connections) {
      announce(`${workload.title}, ${connections} connections`)
      rows.push(await measureThroughput(subject, generator, workload, connections, options.pace, databaseAlone))
    }
  }
  return rows
}

/** The peak is that of the throughput table; where the table has none, it is measured now. */
async function halfPeakOf(
  { subject, generator, options }: Setting,
  rows: readonly ThroughputRow[],
): Promise<HalfPeak | null> {
  if (!isWanted('half-peak', options)) return null
  announce('half of the peak rate')
  const post = workloadNamed('post')
  const peak =
    rows.find(({ workload, connections }) => workload === post && connections === BUSY_CONNECTIONS) ??
    (await measureThroughput(subject, generator, post, BUSY_CONNECTIONS, options.pace, null))
  const cyclesPerSecond = peak.service.cyclesPerSecond / 2
  const run = await measureAtRate(subject, generator, post, BUSY_CONNECTIONS, cyclesPerSecond, options.pace)
  return { cyclesPerSecond, run }
}

async function backlogOf({ stores, options }: Setting): Promise<BacklogFigures | null> {
  const wanted = { running: isWanted('backlog', options), first: isWanted('first-request', options) }
  if (!(wanted.running || wanted.first) || stores === null) return null
  announce('backlog')
  return await measureBacklog(stores, options.backlog, wanted)
}

async function startUpOf({ subject, options }: Setting): Promise<StartUp | null> {
  if (!isWanted('start-up', options) || options.url !== null) return null
  announce('start-up')
  return await measureStartUp(subject)
}

/** A SQLite file has room for one node. */
async function nodesOf({ stores, generator, options }: Setting): Promise<NodesRow[] | null> {
  if (!isWanted('nodes', options) || stores?.engine !== 'postgres') return null
  announce('two nodes')
  return await measureNodes(stores, generator, BUSY_CONNECTIONS, options.pace)
}

async function throughPoolOf({ stores, generator, options }: Setting): Promise<ThroughPoolRow[] | null> {
  if (!isWanted('through-pool', options) || stores === null) return null
  announce('through a pool')
  return await measureThroughPool(stores, generator, BUSY_CONNECTIONS, options.pace)
}

async function poolsOf({ stores, options }: Setting): Promise<PoolsFigures | null> {
  if (!isWanted('pools', options) || stores === null) return null
  announce('pools')
  return await measurePools(stores, options.pools)
}

async function movesOf({ stores, generator, options }: Setting): Promise<MovesFigures | null> {
  if (!isWanted('moves', options) || stores === null) return null
  announce('moves')
  return await measureMoves(stores, generator, options.moved, options.pace.turns)
}

async function followersOf({ stores, subject, options }: Setting): Promise<FollowersFigures | null> {
  if (!isWanted('followers', options) || stores === null) return null
  announce('followers')
  return await measureFollowers(stores, subject)
}

async function notificationsOf({ options, subject, generator, stores }: Setting): Promise<NotificationsFigures | null> {
  if (!isWanted('notifications', options) || stores === null) return null
  announce('notifications')
  return await measureNotifications(subject, generator, BUSY_CONNECTIONS, options.pace)
}

async function socketsOf({ options, subject, generator, stores }: Setting): Promise<SocketsFigures | null> {
  if (!isWanted('sockets', options) || stores === null) return null
  announce('sockets')
  return await measureSockets(subject, generator, options.pace)
}

async function consumeOf({ options, subject, generator, stores }: Setting): Promise<ConsumeRow[] | null> {
  if (!isWanted('consume', options) || stores === null) return null
  announce('consume')
  return await measureConsume(subject, generator, options.pace)
}

/** For an engine in which what was deleted stays until somebody cleans up. */
async function enduranceOf({ stores, generator, options }: Setting): Promise<EnduranceFigures[]> {
  const runs: EnduranceFigures[] = []
  if (stores?.engine !== 'postgres') return runs
  const scale = { minutes: options.enduranceMinutes, connections: BUSY_CONNECTIONS }
  for (const [part, isPinned] of [
    ['endurance', false],
    ['endurance-pinned', true],
  ] as const) {
    if (!isWanted(part, options)) continue
    announce(`${part}, ${scale.minutes} minutes`)
    runs.push(await measureEndurance(stores, generator, scale, isPinned))
  }
  return runs
}

function isWanted(part: string, { only }: Options): boolean {
  return only === null || only.includes(part)
}

/** To standard error, so that standard output holds the tables alone. */
function announce(part: string): void {
  process.stderr.write(`${part} ...\n`)
}

function describeMachine(): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  return `Node ${process.versions.node}, ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${gibibytes} GiB`
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
