import { InvalidArgumentError } from 'commander'
import { isLoopback } from '../../config/loopback.ts'
import { elapsed } from '../../platform/elapsed.ts'
import { asks } from '../ask.ts'
import { BenchError } from '../bench/bench-error.ts'
import { runBench } from '../bench/run-bench.ts'
import type { Measured } from '../bench/tally.ts'
import { type WorkloadName, workloadNames } from '../bench/workloads.ts'
import type { ZaqarCommand } from '../command.ts'
import { linesOf } from '../lines.ts'
import { Progress } from '../output/progress.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { collected } from '../values.ts'

interface BenchFlags {
  readonly workload?: readonly WorkloadName[]
  readonly clients: number
  readonly seconds: number
  readonly size: number
  readonly yes?: true
}

/** From this share of one core on, the figures are more of the client than of the service. */
const BUSY = 0.9

const COLUMNS: readonly Column<Measured>[] = [
  { title: 'WORKLOAD', value: ({ workload }) => workload },
  { title: 'OPERATION', value: ({ operation }) => operation },
  { title: 'PER SECOND', isNumber: true, value: ({ perSecond }) => perSecond },
  { title: 'P50 MS', isNumber: true, value: ({ p50 }) => p50 },
  { title: 'P90 MS', isNumber: true, value: ({ p90 }) => p90 },
  { title: 'P99 MS', isNumber: true, value: ({ p99 }) => p99 },
  { title: 'MAX MS', isNumber: true, value: ({ max }) => max },
  {
    title: 'ERRORS',
    value: ({ errors }) =>
      Object.entries(errors)
        .map(([code, count]) => `${count} ${code}`)
        .join(', ') || 0,
  },
]

export function defineBench(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Loads a service for some seconds, and says how many operations it does and how long they take. Each client asks again ' +
        'when it has its answer. Works in queues of its own, which it removes, also when it is interrupted.',
    )
    .option(
      '--workload <NAME>',
      'post; work: post, claim and delete; list: 10 messages; push: by WebSocket. May be repeated. Default: all four',
      collected(workloadOf),
    )
    .option('--clients <N>', 'Clients at the same time, to 1000.', numberTo(1000), 8)
    .option('--seconds <N>', 'Time of each workload, to 600.', numberTo(600), 5)
    .option('--size <N>', 'Characters of each body, to 262144.', numberTo(262_144), 256)
    .option('--yes', 'Do not ask before another machine is loaded.')
    .examples('zaqar bench', 'zaqar bench --workload work --clients 32 --seconds 30 --json')
  asks(command, shell, async ({ zaqar, connection, printer }, flags: BenchFlags) => {
    const { workload: names = workloadNames, clients, seconds, size, yes } = flags
    await assertWanted(await zaqar.url(), yes, shell)
    const progress = new Progress(shell.stderr, 'turns')
    const ending = new AbortController()
    const end = () => ending.abort(new BenchError('interrupted; its queue is removed'))
    process.once('SIGINT', end).once('SIGTERM', end)
    const [start, before] = [elapsed(), process.cpuUsage()]
    let turns = 0
    const turned = () => progress.at(++turns, Math.min(1, (elapsed() - start) / (names.length * seconds * 1000)))
    try {
      const { signal } = ending
      const { measured, notes } = await runBench({ connection, names, clients, seconds, size, signal, turned })
      progress.end()
      await printer.list(measured, COLUMNS)
      for (const note of notes) shell.stderr.write(`zaqar: ${note}\n`)
      const { user, system } = process.cpuUsage(before)
      const share = (user + system) / 1000 / (elapsed() - start)
      if (share > BUSY) {
        shell.stderr.write(`zaqar: this client took ${Math.round(share * 100)} % of a core: the service may do more\n`)
      }
    } finally {
      progress.end()
      process.off('SIGINT', end).off('SIGTERM', end)
    }
  })
}

/** Asks where another machine would be loaded. @throws UsageError when nobody can be asked, BenchError when it is not wanted */
async function assertWanted(url: string, yes: true | undefined, { stdin, stderr }: Shell): Promise<void> {
  const { hostname } = new URL(url)
  if (yes || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return
  if (!stdin.isTTY) throw new UsageError(`${url} is another machine: --yes loads it all the same`)
  stderr.write(`This loads ${url}, which is another machine. Go on? [y/N] `)
  const { value: answer = '' } = await linesOf(stdin).next()
  if (!/^y(es)?$/i.test(answer.trim())) throw new BenchError('nothing was loaded')
}

function workloadOf(text: string): WorkloadName {
  const found = workloadNames.find((name) => name === text)
  if (found !== undefined) return found
  throw new InvalidArgumentError(`It must be one of ${workloadNames.join(', ')}.`)
}

function numberTo(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= 1 && number <= most) return number
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`)
  }
}
