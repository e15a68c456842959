import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Instant } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import { elapsed } from '../../platform/elapsed.ts'
import { startTimeLimit } from '../../platform/time-limit.ts'
import { BoundedOutput } from './bounded-output.ts'
import { ProcessGroup } from './process-group.ts'

export interface CommandTerms {
  /** Text for `/bin/sh`. */
  readonly command: string
  readonly input: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly timeoutSeconds: number
  /** Its abortion ends the command, with all that it has started. */
  readonly signal: AbortSignal
  /** Its abortion kills it at once. */
  readonly killing: AbortSignal
  readonly clock: Pick<Clock, 'now'>
}

export interface CommandEnd {
  /** Null where a signal has ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** Why it was made to end; null where it has ended by itself. */
  readonly endedBy: 'time limit' | 'abortion' | null
  /** Why it could not be started; null where it was. */
  readonly error: string | null
  readonly stdout: BoundedOutput
  readonly stderr: BoundedOutput
  readonly startedAt: Instant
  readonly seconds: number
}

/** How long the output may stay open after the command has ended, in milliseconds. */
const LINGER_MS = 1_000

/** Runs a command in a process group of its own. */
export async function runCommand(terms: CommandTerms): Promise<CommandEnd> {
  const startedAt = terms.clock.now()
  const start = elapsed()
  const end = await startAndWait(terms)
  return { ...end, startedAt, seconds: (elapsed() - start) / 1000 }
}

async function startAndWait(terms: CommandTerms): Promise<Omit<CommandEnd, 'startedAt' | 'seconds'>> {
  const { command, env, signal } = terms
  const nothing = { exitCode: null, signal: null, stdout: new BoundedOutput(), stderr: new BoundedOutput() }
  if (signal.aborted) return { ...nothing, endedBy: 'abortion', error: 'it was not started' }
  try {
    const child = spawn('/bin/sh', ['-c', command], { detached: true, env, stdio: 'pipe' })
    await once(child, 'spawn')
    return { ...(await endOf(child, terms)), error: null }
  } catch (error) {
    return { ...nothing, endedBy: null, error: String(error) }
  }
}

async function endOf(child: ChildProcessWithoutNullStreams, { input, timeoutSeconds, signal, killing }: CommandTerms) {
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const closed = once(child, 'close')
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  // A command need not read.
  child.stdin.on('error', () => {}).end(input)

  const group = new ProcessGroup(child.pid as number)
  let endedBy: CommandEnd['endedBy'] = null
  let gone: Promise<void> | null = null
  const end = (why: CommandEnd['endedBy']) => {
    endedBy ??= why
    gone ??= group.end()
  }
  const limit = startTimeLimit(timeoutSeconds * 1000, () => end('time limit'))
  const abort = () => end('abortion')
  const kill = () => group.kill()
  signal.addEventListener('abort', abort)
  killing.addEventListener('abort', kill)
  if (signal.aborted) abort()

  const [exitCode, endSignal] = await exited
  limit.cancel()
  signal.removeEventListener('abort', abort)
  await gone
  killing.removeEventListener('abort', kill)
  // Something in the background may hold its output open.
  const linger = startTimeLimit(LINGER_MS, () => {
    for (const stream of child.stdio) stream?.destroy()
  })
  await closed
  linger.cancel()
  return { exitCode, signal: endSignal, endedBy, stdout, stderr }
}

function collect(stream: Readable): BoundedOutput {
  const output = new BoundedOutput()
  stream.on('data', (chunk: Buffer) => output.add(chunk))
  return output
}
