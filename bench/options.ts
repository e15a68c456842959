import { parseArgs } from 'node:util'
import type { BacklogScale } from './backlog.ts'
import type { PoolsScale } from './pools.ts'
import type { Pace } from './throughput.ts'
import { workloads } from './workloads.ts'

export interface Options {
  readonly url: URL | null
  readonly headers: readonly string[]
  /** An engine by name, for which the bench makes stores of its own, or the URI of one store. */
  readonly storage: string
  /** Parts to run; all when null. */
  readonly only: readonly string[] | null
  readonly connections: readonly number[]
  readonly pace: Pace
  readonly backlog: BacklogScale
  readonly pools: PoolsScale
  /** Messages in a queue that is moved between pools. */
  readonly moved: number
  readonly enduranceMinutes: number
  readonly jsonFile: string | null
  readonly markdownFile: string | null
}

export const usage = `npm run bench -- [options]

  --url URL          measure a server that runs already and speaks Zaqar's API v2, instead of the service of this tree
  --header 'N: V'    send this header with every request, for example X-Auth-Token (with --url; may be repeated)
  --storage KIND     sqlite (the default): start the service on new files; postgres: on new databases of a throw-away
                     server, with pgbench beside it; or a URI: on that store, which keeps nothing of it
  --only PART        run only this part (may be repeated): ${partNames().join(', ')}
  --connections N    connections at the same time (may be repeated); 1, 32 and 128 otherwise
  --pools N            pools at the same time (may be repeated); 1, 10 and 100 otherwise
  --minutes N        length of an endurance run; 10 otherwise
  --quick            runs of one second, once each, and smaller backlogs: a look, not a measurement
  --json FILE        write all figures
  --markdown FILE    write the tables in Markdown
  --help`

const thorough = {
  pace: { warmUpSeconds: 1, seconds: 5, turns: 3 },
  backlog: { sizes: [1_000, 100_000, 1_000_000], headMessages: 100_000, rounds: 400, starts: 7 },
  pools: { pools: [1, 10, 100], queues: 1_000_000, rounds: 200 },
  moved: 100_000,
  enduranceMinutes: 10,
} satisfies Partial<Options>

const quick = {
  pace: { warmUpSeconds: 0.5, seconds: 1, turns: 1 },
  backlog: { sizes: [1_000, 100_000], headMessages: 20_000, rounds: 100, starts: 1 },
  pools: { pools: [1, 10], queues: 100_000, rounds: 50 },
  moved: 10_000,
  enduranceMinutes: 0.5,
} satisfies Partial<Options>

/** @throws Error that says in a sentence what is wrong with the arguments. Null: help was asked for. */
export function readOptions(argv: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      url: { type: 'string' },
      header: { type: 'string', multiple: true },
      storage: { type: 'string' },
      only: { type: 'string', multiple: true },
      connections: { type: 'string', multiple: true },
      pools: { type: 'string', multiple: true },
      minutes: { type: 'string' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return null
  const unknown = values.only?.find((part) => !partNames().includes(part))
  if (unknown !== undefined) throw new Error(`--only takes ${partNames().join(', ')}; not ${unknown}`)
  if (values.url !== undefined && values.storage !== undefined) throw new Error('--url leaves no storage to choose')
  if (values.url === undefined && values.header !== undefined) throw new Error('--header goes with --url')
  const scale = values.quick ? quick : thorough
  const pools = values.pools?.map((text) => positiveInteger('pools', text)) ?? scale.pools.pools
  return {
    url: values.url === undefined ? null : new URL(values.url),
    headers: values.header ?? [],
    storage: values.storage ?? 'sqlite',
    only: values.only ?? null,
    connections: values.connections?.map((text) => positiveInteger('connections', text)) ?? [1, 32, 128],
    ...scale,
    pools: { ...scale.pools, pools },
    ...(values.minutes !== undefined && { enduranceMinutes: positiveInteger('minutes', values.minutes) }),
    jsonFile: values.json ?? null,
    markdownFile: values.markdown ?? null,
  }
}

function partNames(): string[] {
  return [
    ...workloads.map(({ name }) => name),
    'half-peak',
    'backlog',
    'first-request',
    'start-up',
    'nodes',
    'through-pool',
    'pools',
    'moves',
    'followers',
    'notifications',
    'sockets',
    'consume',
    'endurance',
    'endurance-pinned',
  ]
}

function positiveInteger(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option} takes a whole number above 0, not ${text}`)
  return Number(text)
}
