import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { bareEnvironment } from './bare-environment.ts'

const main = fileURLToPath(new URL('../../packages/server/src/cli/main.ts', import.meta.url))

export interface ServiceOptions {
  /** Holds the data; a new folder that goes with the service when it is not given. */
  readonly dataDir?: string
  /** Text of its configuration file. */
  readonly config?: string
  /** Flags beside the port and the data folder. */
  readonly args?: readonly string[]
  /** A free one when it is not given. */
  readonly port?: number
  /** A command that runs the service, such as `prlimit --fsize=1000000`. */
  readonly under?: readonly string[]
  /** What runs in place of the command of this repository. */
  readonly command?: readonly string[]
}

/** The service as a process of its own. */
export interface Service {
  readonly url: string
  readonly port: number
  readonly dataDir: string
  readonly pid: number
  /** What it has printed so far: when it was ready, and since. */
  output(): string
  /** What it has logged so far. */
  log(): string
  isRunning(): boolean
  /** Ends it as an operator would; fails when it does not end well. */
  stop(): Promise<void>
  /** Ends it as a power cut would. */
  kill(): Promise<void>
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** A test that fails before it ends its service must not leave it behind. */
const running = new Set<Child>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Resolves when the service answers. Fails with what it has said when it ends instead. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-test-'))
  // It may run as somebody else.
  chmodSync(folder, 0o755)
  const { dataDir = join(folder, 'data'), port = 0 } = options
  const child = spawnService(folder, { ...options, dataDir, port })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  running.add(child)
  const ended = once(child, 'close').then(() => {
    running.delete(child)
    rmSync(folder, { recursive: true })
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const url = await addressIn(child, () => output).catch(async (error) => {
    await ended
    throw new Error(`the service did not start: ${log}`, { cause: error })
  })
  keepWaitingFor(child, false)
  const end = (signal: NodeJS.Signals) => {
    keepWaitingFor(child, true)
    if (isRunning(child)) child.kill(signal)
    return ended
  }
  return {
    url,
    port: Number(new URL(url).port),
    dataDir,
    pid: child.pid as number,
    output: () => output,
    log: () => log,
    isRunning: () => isRunning(child),
    async stop() {
      await end('SIGTERM')
      assert.equal(child.exitCode, 0, `the service ended with ${child.exitCode ?? child.signalCode}: ${log}`)
    },
    kill: () => end('SIGKILL'),
  }
}

function spawnService(folder: string, options: ServiceOptions & { dataDir: string; port: number }): Child {
  const { dataDir, port, config, args = [], under = [], command = [process.execPath, main] } = options
  const flags = ['serve', '--port', String(port), '--data-dir', dataDir, ...args]
  if (config !== undefined) {
    const file = join(folder, 'zaqar.conf')
    writeFileSync(file, config)
    flags.push('--config-file', file)
  }
  const [program, ...rest] = [...under, ...command, ...flags] as [string, ...string[]]
  return spawn(program, rest, { cwd: folder, env: bareEnvironment(folder), stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The address in what the service prints when it is ready. */
async function addressIn(child: Child, output: () => string): Promise<string> {
  const ended = once(child.stdout, 'close').then(() => true)
  for (;;) {
    const [, url] = / is ready at (https?:\/\/\S+)\n/.exec(output()) ?? []
    if (url !== undefined) return url
    if ((await Promise.race([once(child.stdout, 'data'), ended])) === true) throw new Error(`it said: ${output()}`)
  }
}

/** Whether this process stays alive as long as that one does. */
function keepWaitingFor(child: Child, does: boolean): void {
  for (const part of [child, child.stdout as Socket, child.stderr as Socket]) {
    if (does) part.ref()
    else part.unref()
  }
}

function isRunning(child: Child): boolean {
  return child.exitCode === null && child.signalCode === null
}
