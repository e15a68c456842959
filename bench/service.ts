import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
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
const SOCKET_ECHO = fileURLToPath(new URL('socket-echo.ts', import.meta.url))
const HOST = '127.0.0.1'
const START_LIMIT_MILLISECONDS = 30_000
const STOP_LIMIT_MILLISECONDS = 30_000

/**
 * Starts the service on the storage with this URI, with an empty data folder, and with more flags where there are any.
 */
export async function startService(storage: string, flags: readonly string[] = []): Promise<RunningServer> {
  const folder = temporaryFolder()
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [SERVICE, 'serve', '--bind', HOST, '--port', '0', '--data-dir', folder.path, '--storage', storage, ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  showComplaints(child.stderr)
  try {
    const target = targetOf(await announcedPort(child, child.stdout), child)
    const { status } = await ask(target, 'GET', '/')
    if (status !== 300) throw new Error(`GET / was answered with ${status}`)
    return {
      target,
      startMilliseconds: performance.now() - startedAt,
      async stop() {
        await terminate(child)
        folder.remove()
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    folder.remove()
    throw new Error(`the service did not start: ${(error as Error).message}`, { cause: error })
  }
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

/** Starts the bare server that sends back each WebSocket frame. */
export async function startSocketEcho(): Promise<RunningServer> {
  const startedAt = performance.now()
  const child = fork(SOCKET_ECHO)
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

/** The service says on standard output where it is, once it is ready. */
function announcedPort(child: ChildProcess, stdout: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it was not ready in time')), START_LIMIT_MILLISECONDS)
    timer.unref()
    child.once('exit', (code) => reject(new Error(`it ended with code ${code}`)))
    let text = ''
    stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const port = /http:\/\/\S+?:(\d+)\s/.exec(text)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      resolve(Number(port))
    })
  })
}

/** What it complains of belongs before the eyes of whoever runs the bench; that ten thousand sockets end does not. */
function showComplaints(log: Readable): void {
  createInterface({ input: log }).on('line', (line) => {
    if (!line.startsWith('{"level":30,')) console.error(line)
  })
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MILLISECONDS)
  await exit
  clearTimeout(impatience)
}
