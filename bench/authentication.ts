/**
 * `node tools/run.cjs bench/authentication.ts`: what it costs to know who calls. The single-message POST with a token
 * and without authentication, in turns.
 *
 * Keystone is a stand-in that knows one token: after the first request it is not asked again, so it does not matter how
 * slow a real one is. That this is so is checked.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Generator } from './generator.ts'
import type { RunFigures } from './load.ts'
import { type RunningServer, startService, temporaryFolder } from './service.ts'
import { median } from './statistics.ts'
import { type Stores, sqliteStores } from './stores.ts'
import { PROJECT } from './target.ts'

/** Of processes; no two of the same program are equally fast. */
const PAIRS = 5
/** Of each pair. */
const TURNS = 8
const LOAD = { workload: 'post', connections: 32, cyclesPerSecond: null } as const
const WARM_UP = { warmUpSeconds: 0, seconds: 3 }
const PACE = { warmUpSeconds: 0.2, seconds: 1 }
type Pace = typeof PACE
/** As long as those of Keystone for a project. */
const TOKEN = `gAAAAA${'x'.repeat(177)}`

interface StandIn {
  readonly url: string
  /** How often it was asked about a token. */
  asked(): number
  close(): void
}

async function startKeystone(): Promise<StandIn> {
  const named = (id: string) => ({ id, name: id, domain: { id: 'default', name: 'Default' } })
  const token = {
    expires_at: new Date(Date.now() + 86_400_000).toISOString(),
    user: named('9d5e5e1b2c0f4e6fa1b7c8d9e0f1a2b3'),
    // That of the requests without a token: a longer name would cost the store more.
    project: named(PROJECT),
    roles: ['member', 'reader'].map((name) => ({ id: name, name })),
  }
  let asked = 0
  const server = createServer((request, response) => {
    if (request.method === 'GET') asked++
    response.writeHead(request.method === 'GET' ? 200 : 201, { 'X-Subject-Token': 'own' })
    response.end(JSON.stringify({ token }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/v3`, asked: () => asked, close: () => server.close() }
}

function configFor(keystone: StandIn): string {
  return [
    '[DEFAULT]\nauth_strategy = keystone',
    `[keystone_authtoken]\nauth_type = password\nauth_url = ${keystone.url}`,
    'username = zaqar\npassword = secret\nproject_name = service\n',
  ].join('\n')
}

interface Turn {
  readonly without: RunFigures
  readonly with: RunFigures
}

/** Two services side by side, of which one works at a time: what is compared lies a second apart. */
async function measurePair(stores: Stores, generator: Generator, configFile: string): Promise<Turn[]> {
  const [open, guarded] = [await stores.create(), await stores.create()]
  const without = await startService(open.uri)
  const withToken = await startService(guarded.uri, ['--config-file', configFile])
  const run = ({ target }: RunningServer, headers: readonly string[], pace: Pace) =>
    generator.runToEnd({ ...LOAD, ...pace, targets: [{ ...target, headers }], queues: ['bench'] })
  const runWithout = (pace: Pace) => run(without, [], pace)
  const runWith = (pace: Pace) => run(withToken, [`X-Auth-Token: ${TOKEN}`], pace)
  try {
    await runWithout(WARM_UP)
    await runWith(WARM_UP)
    const turns: Turn[] = []
    while (turns.length < TURNS) {
      // Whoever comes second meets a disk that the first has kept busy.
      const first = turns.length % 2 === 0 ? await runWithout(PACE) : null
      const guardedRun = await runWith(PACE)
      turns.push({ without: first ?? (await runWithout(PACE)), with: guardedRun })
    }
    return turns
  } finally {
    for (const service of [without, withToken]) await service.stop()
    for (const store of [open, guarded]) await store.remove()
  }
}

function cpuMicroseconds({ serverCpu, cyclesPerSecond }: RunFigures): number {
  return ((serverCpu ?? Number.NaN) / cyclesPerSecond) * 1e6
}

function report(turns: readonly Turn[]): string {
  const row = (title: string, of: (run: RunFigures) => number, unit: string) => {
    const cost = median(turns.map((turn) => of(turn.with) / of(turn.without))) * 100 - 100
    const [without, withToken] = [
      median(turns.map((turn) => of(turn.without))),
      median(turns.map((turn) => of(turn.with))),
    ]
    return `${title}: ${without.toFixed(0)}${unit} without, ${withToken.toFixed(0)}${unit} with a token, ${cost.toFixed(1)} %`
  }
  return [
    `POST 1, ${LOAD.connections} connections, ${turns.length} turns: medians, and the median of the ratios`,
    row('rate', ({ cyclesPerSecond }) => cyclesPerSecond, '/s'),
    row('CPU for a request', cpuMicroseconds, ' µs'),
  ].join('\n')
}

const keystone = await startKeystone()
const folder = temporaryFolder()
const stores = sqliteStores()
const generator = new Generator()
try {
  const configFile = join(folder.path, 'keystone.conf')
  writeFileSync(configFile, configFor(keystone))
  const turns: Turn[] = []
  for (let pair = 0; pair < PAIRS; pair++) turns.push(...(await measurePair(stores, generator, configFile)))
  if (keystone.asked() !== PAIRS) throw new Error(`Keystone was asked ${keystone.asked()} times by ${PAIRS} services`)
  console.log(report(turns))
} finally {
  generator.stop()
  await stores.close()
  keystone.close()
  folder.remove()
}
