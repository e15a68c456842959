import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask } from './ask.ts'
import type { EchoAnswer } from './echo.ts'
import type { Target } from './target.ts'

/** A server to be measured, started by us and stopped by us. */
export interface RunningServer {
  readonly target: Target
  /** From spawning the process to its first answer. */
  readonly startMilliseconds: number
  stop(): Promise<void>
}

const SERVICE = fileURLToPath(new URL('../packages/server/src/cli/main.ts', import.meta.url))
const ECHO = fileURLToPath(new URL('echo.ts', import.meta.url))
const HOST = '127.0.0.1'
const START_LIMIT_MILLISECONDS = 30_000
const POLL_MILLISECONDS = 2
const STOP_LIMIT_MILLISECONDS = 30_000

/** Starts the service on a data folder, or on the storage with the given URI. */
export async function startService(p: { dataDir: string; storage: string | null }): Promise<RunningServer> {
  const port = await freePort()
  const startedAt = performance.now()
  const storage = p.storage === null ? [] : ['--storage', p.storage]
  const child = spawn(
    process.execPath,
    [SERVICE, 'serve', '--bind', HOST, '--port', String(port), '--data-dir', p.dataDir, ...storage],
    // What it complains of belongs before the eyes of whoever runs the bench.
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const target = targetOf(port, child)
  try {
    await firstAnswer(child, target, startedAt + START_LIMIT_MILLISECONDS)
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`the service did not start: ${(error as Error).message}`, { cause: error })
  }
  return { target, startMilliseconds: performance.now() - startedAt, stop: () => terminate(child) }
}

/** Starts the bare server that gives the same answers, whatever it is asked. */
export async function startEcho(answers: readonly EchoAnswer[]): Promise<RunningServer> {
  const startedAt = performance.now()
  const child = fork(ECHO)
  child.send(answers)
  const [port] = (await once(child, 'message')) as [number]
  return {
    target: targetOf(port, child),
    startMilliseconds: performance.now() - startedAt,
    stop: () => terminate(child),
  }
}

/** An empty folder for data; `remove` deletes it with all that came in. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'zaqar-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function targetOf(port: number, child: ChildProcess): Target {
  return { host: HOST, port, pathPrefix: '', headers: [], pid: child.pid ?? null }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, HOST)
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

/** The service is ready when `GET /` answers 300. */
async function firstAnswer(child: ChildProcess, target: Target, deadline: number): Promise<void> {
  for (;;) {
    const answer = await ask(target, 'GET', '/').catch(() => null)
    if (answer?.status === 300) return
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    if (performance.now() > deadline) throw new Error(`no answer 300 within ${START_LIMIT_MILLISECONDS / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
  }
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MILLISECONDS)
  await exit
  clearTimeout(impatience)
}
