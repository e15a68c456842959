import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../packages/server/test/support/until.ts'

const PACKAGE = '/usr/lib/python3/dist-packages/zaqar'
const REDIS = '/usr/bin/redis-server'
const SCRIPTS = ['claim_messages.lua', 'index_messages.lua']
const CATALOGUE = 'sqlite:///catalogue.db'

/** OpenStack's service of Debian, on a Redis of its own. */
export interface UpstreamService {
  readonly url: string
  /** Of the database of its Redis that has this number: 0 is its own. */
  redis(database: number): string
  /** Has messages end before their time. */
  expire(ids: readonly string[]): Promise<void>
  stop(): Promise<void>
}

/** Why it cannot be started; null when it can. */
export function missingUpstream(): string | null {
  if (!existsSync(PACKAGE)) return "Debian's package zaqar-server is not installed"
  if (!existsSync(REDIS)) return "Debian's package redis-server is not installed"
  const scripts = process.env['ZAQAR_UPSTREAM_SCRIPTS']
  const isThere = scripts !== undefined && SCRIPTS.every((name) => readdirSync(scripts).includes(name))
  if (isThere) return null
  return (
    `ZAQAR_UPSTREAM_SCRIPTS must name a folder with ${SCRIPTS.join(' and ')}: Debian's package lacks them, they are in ` +
    'zaqar/storage/redis/scripts of the repository openstack/zaqar, at tag 15.0.0'
  )
}

/** With `pooling` queues are in pools, of which there are none yet. */
export async function startUpstream({ pooling = false } = {}): Promise<UpstreamService> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-upstream-'))
  // Python finds this copy first, with the scripts that the package should have.
  cpSync(PACKAGE, join(folder, 'zaqar'), { recursive: true })
  const scripts = join(folder, 'zaqar/storage/redis/scripts')
  mkdirSync(scripts, { recursive: true })
  for (const name of SCRIPTS) cpSync(join(process.env['ZAQAR_UPSTREAM_SCRIPTS'] as string, name), join(scripts, name))
  const [redisPort, port] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'zaqar.conf'), configOf({ redisPort, port, pooling }))
  if (pooling) await makeCatalogue(folder)
  const log = join(folder, 'log')
  const redis = spawn(REDIS, ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: 'ignore',
  })
  const service = spawn('/usr/bin/python3', ['/usr/bin/zaqar-server', '--config-file', join(folder, 'zaqar.conf')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PYTHONPATH: folder, HOME: folder },
    stdio: 'ignore',
  })
  const stop = async () => {
    for (const child of [service, redis]) await ended(child)
    rmSync(folder, { recursive: true })
  }
  try {
    await until(() => answers(url), 'upstream does not start', 60_000)
  } catch (error) {
    const said = existsSync(log) ? readFileSync(log, 'utf8') : ''
    await stop()
    throw new Error(`upstream does not start: ${said.slice(-2000)}`, { cause: error })
  }
  return {
    url,
    redis: (database) => `redis://127.0.0.1:${redisPort}/${database}`,
    async expire(ids) {
      const client = spawn('/usr/bin/redis-cli', ['-p', String(redisPort), 'DEL', ...ids], { stdio: 'ignore' })
      await once(client, 'exit')
    },
    stop,
  }
}

interface Settings {
  readonly redisPort: number
  readonly port: number
  readonly pooling: boolean
}

function configOf({ redisPort, port, pooling }: Settings): string {
  const redis = `uri = redis://127.0.0.1:${redisPort}`
  return `[DEFAULT]
auth_strategy =
enable_deprecated_api_versions = 1,1.1
admin_mode = true
pooling = ${pooling}
log_file = log
[signed_url]
secret_key = upstream-tests-sign-with-this-key
[drivers]
transport = wsgi
message_store = redis
management_store = ${pooling ? 'sqlalchemy' : 'redis'}
[drivers:message_store:redis]
${redis}
[drivers:management_store:redis]
${redis}
[drivers:management_store:sqlalchemy]
uri = ${CATALOGUE}
[drivers:transport:wsgi]
bind = 127.0.0.1
port = ${port}
`
}

/** Redis cannot keep pools, and not all of upstream's migrations are for SQLite: its tables are made as its own tests do. */
async function makeCatalogue(folder: string): Promise<void> {
  // Its health writes while it reads the list of pools.
  const script = `
import sqlalchemy
from zaqar.storage.sqlalchemy.tables import metadata
engine = sqlalchemy.create_engine("${CATALOGUE}")
engine.execute("PRAGMA journal_mode = WAL")
metadata.create_all(engine)
`
  const python = spawn('/usr/bin/python3', ['-c', script], { cwd: folder, stdio: 'ignore' })
  const [code] = await once(python, 'exit')
  if (code !== 0) throw new Error("upstream's catalogue was not made")
}

async function answers(url: string): Promise<boolean> {
  const headers = { 'Client-ID': crypto.randomUUID(), 'X-Project-ID': 'p' }
  return fetch(`${url}/v2/ping`, { headers }).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
