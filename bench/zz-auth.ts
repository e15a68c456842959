/**
 * `node tools/run.cjs bench/authentication.ts`: what it costs to know who calls. The single-message POST with a token and without
 * authentication, in turns.
 *
 * Keystone is a stand-in that knows one token: after the first request it is not asked again, so it does not matter how slow a real
 * one is. That this is so is checked.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Generator } from './generator.ts'
import type { RunFigures } from './load.ts'
import { startService, temporaryFolder } from './service.ts'
import { median } from './statistics.ts'
import { type Stores, sqliteStores } from './stores.ts'
import { PROJECT } from './target.ts'

const TURNS = 16
const LOAD = { workload: 'post', connections: 32, warmUpSeconds: 1, seconds: 3, cyclesPerSecond: null } as const
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

async function run(stores: Stores, generator: Generator, configFile: string | null): Promise<RunFigures> {
  const store = await stores.create()
  const service = await startService(store.uri, configFile === null ? [] : ['--config-file', configFile])
  try {
    const headers = configFile === null ? [] : [`X-Auth-Token: ${TOKEN}`]
    return await generator.runToEnd({ ...LOAD, targets: [{ ...service.target, headers }], queue: 'bench' })
  } finally {
    await service.stop()
    await store.remove()
  }
}

interface Turn {
  readonly without: RunFigures
  readonly with: RunFigures
}

/** Both take turns in going first, since the machine is not the same from minute to minute. */
async function takeTurn(stores: Stores, generator: Generator, configFile: string, index: number): Promise<Turn> {
  const order = index % 2 === 0 ? [null, configFile] : [configFile, null]
  const [first, second] = [
    await run(stores, generator, order[0] as string | null),
    await run(stores, generator, order[1] as string | null),
  ]
  return index % 2 === 0 ? { without: first, with: second } : { without: second, with: first }
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
  for (let index = 0; index < TURNS; index++) turns.push(await takeTurn(stores, generator, configFile, index))
  if (keystone.asked() !== TURNS) throw new Error(`Keystone was asked ${keystone.asked()} times in ${TURNS} runs`)
  console.log(turns.map(t=>[t.without,t.with].map(r=>r.cyclesPerSecond.toFixed(0)+'@'+cpuMicroseconds(r).toFixed(1)).join(' | ')).join('\n'))
  console.log(report(turns))
} finally {
  generator.stop()
  await stores.close()
  keystone.close()
  folder.remove()
}
