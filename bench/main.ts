/** `npm run bench`: how fast the service is, side by side with the least that `node:http` could do. See docs/performance.md. */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { type BacklogFigures, measureBacklog } from './backlog.ts'
import { Generator } from './generator.ts'
import { type Options, readOptions, usage } from './options.ts'
import { type Figures, type HalfPeak, tablesOf } from './report.ts'
import { measureStartUp, type StartUp } from './startup.ts'
import { localSubject, remoteSubject, type Subject } from './subject.ts'
import { toMarkdown, toText } from './tables.ts'
import { measureAtRate, measureThroughput, type ThroughputRow } from './throughput.ts'
import { workloadNamed, workloads } from './workloads.ts'

const HALF_PEAK_CONNECTIONS = 32

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === null) return console.log(usage)
  const figures = await measure(options)
  const tables = tablesOf(figures)
  console.log([`${figures.subject}, ${figures.machine}`, ...tables.map(toText)].join('\n\n'))
  if (options.markdownFile !== null) writeFileSync(options.markdownFile, `${tables.map(toMarkdown).join('\n\n')}\n`)
  if (options.jsonFile !== null) writeFileSync(options.jsonFile, `${JSON.stringify(figures, null, 2)}\n`)
}

async function measure(options: Options): Promise<Figures> {
  const subject = options.url === null ? localSubject(options.storage) : remoteSubject(options.url, options.headers)
  const generator = new Generator()
  try {
    const throughput = await throughputOf(subject, generator, options)
    const halfPeak = await halfPeakOf(subject, generator, options, throughput)
    return {
      subject: subject.title,
      machine: describeMachine(),
      throughput,
      halfPeak,
      backlog: await backlogOf(options),
      startUp: await startUpOf(subject, options),
    }
  } finally {
    generator.stop()
  }
}

async function throughputOf(subject: Subject, generator: Generator, options: Options): Promise<ThroughputRow[]> {
  const rows: ThroughputRow[] = []
  for (const workload of workloads.filter(({ name }) => isWanted(name, options))) {
    for (const connections of options.connections) {
      announce(`${workload.title}, ${connections} connections`)
      rows.push(await measureThroughput(subject, generator, workload, connections, options.pace))
    }
  }
  return rows
}

/** The peak is that of the throughput table; where the table has none, it is measured now. */
async function halfPeakOf(
  subject: Subject,
  generator: Generator,
  options: Options,
  rows: readonly ThroughputRow[],
): Promise<HalfPeak | null> {
  if (!isWanted('half-peak', options)) return null
  announce('half of the peak rate')
  const post = workloadNamed('post')
  const peak =
    rows.find(({ workload, connections }) => workload === post && connections === HALF_PEAK_CONNECTIONS) ??
    (await measureThroughput(subject, generator, post, HALF_PEAK_CONNECTIONS, options.pace))
  const cyclesPerSecond = peak.service.cyclesPerSecond / 2
  const run = await measureAtRate(subject, generator, post, HALF_PEAK_CONNECTIONS, cyclesPerSecond, options.pace)
  return { cyclesPerSecond, run }
}

/** Only where the store can be filled behind the back of the service: on SQLite. */
async function backlogOf(options: Options): Promise<BacklogFigures | null> {
  if (!isWanted('backlog', options) || options.url !== null || options.storage !== null) return null
  announce('backlog')
  return await measureBacklog(options.backlog)
}

async function startUpOf(subject: Subject, options: Options): Promise<StartUp | null> {
  if (!isWanted('start-up', options) || options.url !== null) return null
  announce('start-up')
  return await measureStartUp(subject)
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
