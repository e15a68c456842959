import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

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

interface ServerControl {
  /** As an operator does it: connections are cut, what was committed is kept. */
  restart(): Promise<void>
  /** `kill -9`, then recovery. */
  kill(): Promise<void>
}

/** Why there is no server to test on; null when there is one. */
export async function missingPostgres(): Promise<string | null> {
  if (process.env['ZAQAR_TEST_POSTGRES'] || (await findBinaries()) !== null) return null
  return `no PostgreSQL: ZAQAR_TEST_POSTGRES names none, and Debian's package is not in ${DEBIAN}`
}

/** @throws when `missingPostgres` has a reason. */
export async function startPostgres({ isOwn = false } = {}): Promise<PostgresServer> {
  const named = process.env['ZAQAR_TEST_POSTGRES']
  if (named && !isOwn) {
    return { uri: named, port: Number(new URL(named).port || 5432), control: null, stop: async () => undefined }
  }
  const binaries = await findBinaries()
  if (binaries === null) throw new Error('PostgreSQL is not installed')
  return startOwn(binaries)
}

/** The folder with the programs of the newest version installed. */
async function findBinaries(): Promise<string | null> {
  const versions = await readdir(DEBIAN).catch(() => [])
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1)
  return newest === undefined ? null : join(DEBIAN, newest, 'bin')
}

async function startOwn(binaries: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'zaqar-postgres-'))
  const data = join(folder, 'data')
  // PostgreSQL refuses to run as root.
  const isRoot = process.getuid?.() === 0
  if (isRoot) await chown(folder, await idOf('-u'), await idOf('-g'))
  const program = (name: string, args: string[]) => {
    const command = [join(binaries, name), ...args]
    return isRoot
      ? run('runuser', ['-u', 'postgres', '--', ...command], { cwd: folder })
      : run(command[0] as string, args)
  }
  await program('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'])
  const port = await freePort()
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder}`
  const start = () => program('pg_ctl', ['-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start'])
  const halt = (mode: string) => program('pg_ctl', ['-D', data, '-w', '-m', mode, 'stop'])
  await start()
  return {
    uri: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    control: {
      async restart() {
        await halt('fast')
        await start()
      },
      async kill() {
        const [pid] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
        process.kill(Number(pid), 'SIGKILL')
        // The others of the server notice that the first is gone; until then none may start.
        for (
          let left = 50;
          left > 0 &&
          !(await start()
            .then(() => true)
            .catch(() => false));
          left--
        )
          await pause(100)
      },
    },
    async stop() {
      await halt('immediate').catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

async function idOf(which: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [which, 'postgres'])).stdout)
}

async function freePort(): Promise<number> {
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

export async function administer(uri: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: uri })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
