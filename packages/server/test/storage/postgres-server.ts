import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { until } from '../support/until.ts'

const run = promisify(execFile)
const DEBIAN = '/usr/lib/postgresql'

/** A server for tests: the one that `ZAQAR_TEST_POSTGRES` names, or one of our own from Debian's package. */
export interface PostgresServer {
  readonly uri: string
  readonly port: number
  /** Only for one of our own. */
  readonly control: ServerControl | null
  stop(): Promise<void>
}

export interface ServerControl {
  readonly dataDir: string
  /** As an operator does it: connections are cut, what was committed is kept. */
  restart(): Promise<void>
  /** `kill -9`, then recovery. */
  kill(): Promise<void>
  /** `kill -9`, and it stays away. */
  killForGood(): Promise<void>
  start(): Promise<void>
  /** Makes a standby a server of its own. */
  promote(): Promise<void>
}

export interface OwnServerOptions {
  readonly settings?: Readonly<Record<string, string>>
  /** Where its folder is made. */
  readonly parent?: string
  /** The server that it follows. */
  readonly standbyOf?: PostgresServer
  /** Runs before the first start. `asOwner` runs a command as the user that owns the server's files. */
  readonly prepare?: (dataDir: string, asOwner: AsOwner) => Promise<void>
}

type AsOwner = (command: readonly [string, ...string[]]) => Promise<unknown>

/** Why there is no server to test on, or none to do with as one likes; null when there is one. */
export async function missingPostgres({ isOwn = false } = {}): Promise<string | null> {
  if ((await findBinaries()) !== null) return null
  if (isOwn) return `no PostgreSQL to do with as one likes: Debian's package is not in ${DEBIAN}`
  if (process.env['ZAQAR_TEST_POSTGRES']) return null
  return `no PostgreSQL: ZAQAR_TEST_POSTGRES names none, and Debian's package is not in ${DEBIAN}`
}

/** `settings`: of one of our own. @throws when `missingPostgres` has a reason. */
export async function startPostgres({
  isOwn = false,
  settings = {},
}: {
  isOwn?: boolean
  settings?: Readonly<Record<string, string>>
} = {}): Promise<PostgresServer> {
  const named = process.env['ZAQAR_TEST_POSTGRES']
  if (named && !isOwn) {
    return { uri: named, port: Number(new URL(named).port || 5432), control: null, stop: async () => undefined }
  }
  return startOwnPostgres({ settings })
}

/** The folder with the programs of the newest version installed. */
async function findBinaries(): Promise<string | null> {
  const versions = await readdir(DEBIAN).catch(() => [])
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1)
  return newest === undefined ? null : join(DEBIAN, newest, 'bin')
}

/** One that the test may do with as it likes. @throws when Debian's package is not installed. */
export async function startOwnPostgres(own: OwnServerOptions = {}): Promise<PostgresServer> {
  const binaries = await findBinaries()
  if (binaries === null) throw new Error('PostgreSQL is not installed')
  const folder = await mkdtemp(join(own.parent ?? tmpdir(), 'zaqar-postgres-'))
  const data = join(folder, 'data')
  await giveToOwner(folder)
  const program = (name: string, args: string[]) => asOwner([join(binaries, name), ...args], folder)
  const follow = (primary: string) => program('pg_basebackup', ['-D', data, '-R', '-X', 'stream', '-d', primary])
  const create = () =>
    program('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'])
  await (own.standbyOf === undefined ? create() : follow(own.standbyOf.uri))
  await own.prepare?.(data, (command) => asOwner(command, data))
  const port = await freePort()
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, ...own.settings }
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`)
  const flags = ['-w', '-l', join(folder, 'log'), '-o', `-p ${port} ${options.join(' ')}`]
  const start = async () => void (await program('pg_ctl', ['-D', data, ...flags, 'start']))
  const halt = (mode: string) => program('pg_ctl', ['-D', data, '-w', '-m', mode, 'stop'])
  const killFirst = async () => {
    const [pid] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
    process.kill(Number(pid), 'SIGKILL')
  }
  await start()
  return {
    uri: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    control: {
      dataDir: data,
      start,
      killForGood: killFirst,
      async promote() {
        await program('pg_ctl', ['-D', data, '-w', 'promote'])
      },
      async restart() {
        await halt('fast')
        await start()
      },
      async kill() {
        await killFirst()
        // The others of the server notice that the first is gone; until then none may start.
        const hasStarted = () =>
          start().then(
            () => true,
            () => false,
          )
        await until(hasStarted, 'the server does not start again')
      },
    },
    async stop() {
      await halt('immediate').catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const isRoot = process.getuid?.() === 0

/** PostgreSQL and what belongs to it refuse to run as root. */
async function asOwner(command: readonly [string, ...string[]], cwd: string): Promise<string> {
  const [program, ...args] = isRoot ? (['runuser', '-u', 'postgres', '--', ...command] as const) : command
  return (await run(program, args, { cwd })).stdout
}

/** Makes a file or folder that of the user who runs PostgreSQL. */
async function giveToOwner(path: string): Promise<void> {
  if (isRoot) await chown(path, await idOf('-u'), await idOf('-g'))
}

async function idOf(which: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [which, 'postgres'])).stdout)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

/** A schema of its own for each store. */
export function newSchema(): string {
  return `zaqar_test_${randomBytes(6).toString('hex')}`
}

export type Session = pg.Client

/** Somebody's session, which may be cut at any time. */
export async function openSession(uri: string): Promise<Session> {
  const session = new pg.Client({ connectionString: uri })
  session.on('error', () => undefined)
  await session.connect()
  return session
}

export async function administer(uri: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: uri })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
