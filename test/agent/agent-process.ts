import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { ShareTerms, Zaqar } from 'zaqar-client/http'
import { bareEnvironment } from '../support/bare-environment.ts'

const main = fileURLToPath(new URL('../../packages/server/src/cli/main.ts', import.meta.url))

/** `zaqar agent` as a process of its own. */
export interface Agent {
  readonly pid: number
  /** What it has written so far. */
  log(): string
  /** Resolves when the log has it. Fails when the agent ends before. */
  logs(text: string | RegExp): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Its exit code, or the signal that has ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

type Child = ChildProcessByStdio<null, null, Readable>

/** A test that fails before it ends its agent must not leave it behind. */
const running = new Set<Child>()
export function killAgents(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** @param under a command that runs it, such as `ip netns exec guest` */
export function startAgent(flags: readonly string[], folder: string, under: readonly string[] = []): Agent {
  const [command, ...rest] = [...under, process.execPath, main, 'agent', ...flags] as [string, ...string[]]
  const env = { ...bareEnvironment(folder), SECRET_OF_AGENT: 'none' }
  const child = spawn(command, rest, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  running.add(child)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return (code ?? signal) as number | NodeJS.Signals
  })
  return {
    pid: child.pid as number,
    log: () => log,
    async logs(text) {
      const pattern = typeof text === 'string' ? RegExp(RegExp.escape(text)) : text
      while (!pattern.test(log)) {
        const isOver = await Promise.race([once(child.stderr, 'data').then(() => false), ended.then(() => true)])
        if (isOver && !pattern.test(log)) throw new Error(`the agent ended without ${pattern}:\n${log}`)
      }
    },
    signal: (signal) => child.kill(signal),
    ended,
  }
}

export interface FileTerms extends ShareTerms {
  readonly queue: string
  /** Name of the queue of outcomes; none where it is not given. */
  readonly reply?: string
  /** Address of the service as the agent has it. */
  readonly url: string
}

/** Shares the queues and writes the file of an agent. Answers its path. */
export async function writeSignedUrlFile(zaqar: Zaqar, folder: string, terms: FileTerms): Promise<string> {
  const { queue, reply, url, ...share } = terms
  const { expires } = share
  const answers = reply && {
    queue: reply,
    signed: await zaqar.queue(reply).share({ methods: ['POST'], ...(expires && { expires }) }),
  }
  const path = join(folder, `${queue}.json`)
  const document = { url, queue, signed: await zaqar.queue(queue).share(share), ...(answers && { reply: answers }) }
  writeFileSync(path, JSON.stringify(document), { mode: 0o600 })
  return path
}

/** What each way of taking messages needs. */
export const WAYS = {
  claims: { methods: ['POST', 'PATCH', 'DELETE'], paths: ['claims', 'messages'] },
  pop: { methods: ['DELETE'], paths: ['messages'] },
  follow: { methods: ['GET'], paths: ['messages'] },
} as const satisfies Record<string, ShareTerms>
