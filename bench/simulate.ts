/**
 * `node tools/run.cjs bench/simulate.ts`: what a service with many nodes and pools would do, by the costs of its parts. See
 * docs/scale.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Generator } from './generator.ts'
import { namesOf, runOnNodes } from './nodes.ts'
import { postgresStores } from './postgres-stores.ts'
import { type Cluster, type Costs, type Load, type Outcome, type Span, simulate } from './simulation/cluster.ts'
import { measureCosts } from './simulation/measure-costs.ts'
import { median } from './statistics.ts'
import type { ServerStores } from './stores.ts'
import { type Table, toMarkdown, toText } from './tables.ts'
import { workloadNamed } from './workloads.ts'

const usage = `node tools/run.cjs bench/simulate.ts [options]

  --costs FILE     what the parts cost, instead of the figures of bench/simulation/costs.json
  --measure FILE   measure that on this machine, and write it to the file
  --compare        compare what is foreseen of one and two nodes with what they do here
  --markdown FILE  write the tables in Markdown, too
  --help`

const KNOWN_COSTS = fileURLToPath(new URL('simulation/costs.json', import.meta.url))
const SEED = 1

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      costs: { type: 'string' },
      measure: { type: 'string' },
      compare: { type: 'boolean' },
      markdown: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return console.log(usage)
  const tables = await tablesFor(values)
  console.log(tables.map(toText).join('\n\n'))
  if (values.markdown !== undefined) writeFileSync(values.markdown, `${tables.map(toMarkdown).join('\n\n')}\n`)
}

async function tablesFor({ costs, measure, compare }: { costs?: string; measure?: string; compare?: boolean }) {
  if (measure !== undefined) return [costTable(await withPostgres((...p) => measured(measure, ...p)))]
  const known = readCosts(costs)
  return compare ? [comparison(known, await withPostgres(rates))] : foreseen(known)
}

/** All is on this machine: the nodes, PostgreSQL and the clients. */
async function withPostgres<T>(measure: (stores: ServerStores, generator: Generator) => Promise<T>): Promise<T> {
  const stores = await postgresStores()
  const generator = new Generator()
  try {
    return await measure(stores, generator)
  } finally {
    generator.stop()
    await stores.close()
  }
}

async function measured(file: string, stores: ServerStores, generator: Generator): Promise<Costs> {
  const costs = await measureCosts(stores, generator)
  writeFileSync(file, `${JSON.stringify(costs, null, 2)}\n`)
  return costs
}

function readCosts(file = KNOWN_COSTS): Costs {
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** One process of Node, with servers of four cores. */
const AT_FIRST: Cluster = { nodes: 1, pools: 1, connections: 2, storeCores: 4, sharedCores: null }
const QUEUES = 100_000
const CLIENTS_PER_NODE = 64

const QUIET: Omit<Load, 'clients'> = {
  move: 'post',
  thinkSeconds: 0,
  queueOf: (_, random) => Math.floor(random() * QUEUES),
  unmet: 0,
  deliveries: 0,
  outage: null,
}

interface Scenario {
  readonly title: readonly string[]
  readonly cluster?: Partial<Cluster>
  readonly load?: Partial<Load>
}

function foreseen(costs: Costs): Table[] {
  const some = { nodes: 8, pools: 4 }
  return [
    scenarios(
      costs,
      'Growth: POST 1',
      ['nodes', 'pools'],
      [
        ...[
          [1, 1],
          [2, 1],
          [4, 1],
          [8, 1],
          [8, 4],
          [20, 10],
          [100, 50],
        ].map(([nodes = 0, pools = 0]) => ({
          title: [String(nodes), String(pools)],
          cluster: { nodes, pools },
        })),
      ],
    ),
    scenarios(
      costs,
      '8 nodes, 4 pools: part of the requests for one queue',
      ['part'],
      [
        ...[0, 0.05, 0.2, 1].map((part) => ({
          title: [percent(part)],
          cluster: some,
          load: { queueOf: (_: number, random: () => number) => (random() < part ? 0 : Math.floor(random() * QUEUES)) },
        })),
      ],
    ),
    scenarios(
      costs,
      '8 nodes, 4 pools: part of the requests whose queue the node has not met',
      ['part'],
      [...[0, 0.01, 0.1, 1].map((unmet) => ({ title: [percent(unmet)], cluster: some, load: { unmet } }))],
    ),
    scenarios(
      costs,
      '8 nodes, 4 pools: notifications of each message',
      ['notifications'],
      [...[0, 1, 10].map((deliveries) => ({ title: [String(deliveries)], cluster: some, load: { deliveries } }))],
    ),
    scenarios(
      costs,
      '8 nodes, 4 pools: one pool goes away',
      ['pools away'],
      [
        { title: ['none'], cluster: some },
        { title: ['one'], cluster: some, load: { outage: { pool: 0, at: 0.02 } } },
      ],
    ),
  ]
}

function scenarios(costs: Costs, title: string, words: readonly string[], rows: readonly Scenario[]): Table {
  return {
    title,
    header: [...words, 'requests/s', 'failed/s', 'p50 ms', 'p99 ms', 'a node busy', 'a pool busy', 'catalogue busy'],
    words: words.length,
    rows: rows.map(({ title, cluster, load }) => [...title, ...shown(outcomeOf(costs, cluster, load))]),
  }
}

function outcomeOf(costs: Costs, changes: Partial<Cluster> = {}, load: Partial<Load> = {}): Outcome {
  const cluster = { ...AT_FIRST, ...changes }
  const clients = CLIENTS_PER_NODE * cluster.nodes
  // Enough requests for a percentile, whatever the size.
  const span: Span = { warmUpSeconds: 0.05, seconds: Math.max(0.1, 1 / cluster.nodes) }
  return simulate(costs, cluster, { ...QUIET, clients, ...load }, span, SEED)
}

function shown({ perSecond, failedPerSecond, p50Seconds, p99Seconds, nodeBusy, storeBusy, catalogueBusy }: Outcome) {
  return [
    whole(perSecond),
    whole(failedPerSecond),
    (1000 * p50Seconds).toFixed(1),
    (1000 * p99Seconds).toFixed(1),
    ...[nodeBusy, storeBusy, catalogueBusy].map(percent),
  ]
}

const CASES = [1, 8].flatMap((queues) => [1, 2].map((nodes) => ({ nodes, queues })))
const TURNS = 2
const CONNECTIONS = 32
const PACE = { warmUpSeconds: 0.5, seconds: 1.5, turns: TURNS }

async function rates(stores: ServerStores, generator: Generator): Promise<number[]> {
  const turns: number[][] = []
  while (turns.length < TURNS) {
    const turn: number[] = []
    for (const { nodes, queues } of CASES) {
      const post = workloadNamed('post')
      turn.push((await runOnNodes(nodes, stores, generator, post, namesOf(queues), CONNECTIONS, PACE)).cyclesPerSecond)
    }
    turns.push(turn)
  }
  return CASES.map((_, i) => median(turns.map((turn) => turn[i] as number)))
}

function comparison(costs: Costs, rates: readonly number[]): Table {
  const cluster = { pools: 1, connections: 4, storeCores: 1, sharedCores: availableParallelism() }
  return {
    title: `Foreseen and measured: POST 1, ${CONNECTIONS} connections, all on one machine of ${availableParallelism()} cores`,
    header: ['nodes', 'queues', 'foreseen/s', 'measured/s', 'measured to foreseen'],
    words: 2,
    rows: CASES.map(({ nodes, queues }, i) => {
      // As the load generator deals them out.
      const queueOf = (client: number) => Math.floor(client / nodes) % queues
      const load = { ...QUIET, clients: CONNECTIONS, queueOf }
      const { perSecond } = simulate(costs, { ...cluster, nodes }, load, { warmUpSeconds: 0.5, seconds: 3 }, SEED)
      const rate = rates[i] as number
      return [String(nodes), String(queues), whole(perSecond), whole(rate), percent(rate / perSecond)]
    }),
  }
}

function costTable({ node, store, client, commitDelay }: Costs): Table {
  const costs = {
    'node, a request': node.request,
    'node, a transaction': node.transaction,
    'node, a notification': node.delivery,
    'PostgreSQL, a transaction': store.transaction,
    ...Object.fromEntries(
      Object.entries(store.move).map(([move, seconds]) => [`PostgreSQL, a ${move} in it`, seconds]),
    ),
    'client, a request': client,
    'commit, beside processors': commitDelay,
  }
  return {
    title: 'What the parts cost',
    header: ['', 'us'],
    words: 1,
    rows: Object.entries(costs).map(([title, seconds]) => [title, (1e6 * seconds).toFixed(0)]),
  }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function percent(part: number): string {
  return `${Math.round(100 * part)} %`
}

await main()
