import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bareEnvironment } from './bare-environment.ts'

const main = fileURLToPath(new URL('../../packages/server/src/cli/main.ts', import.meta.url))

/** Starts the command `zaqar` with nothing in its environment that could configure it. */
export function zaqar(argv: readonly string[], folder: string): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [main, ...argv], { cwd: folder, env: bareEnvironment(folder) })
}

/** Puts the command `zaqar` into `bin` of the folder, for shells. Answers the path of `bin`. */
export function installZaqar(folder: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'zaqar'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 })
  return bin
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Collects what a command prints until it ends. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, ...output }
}
