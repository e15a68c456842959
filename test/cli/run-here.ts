import { Readable } from 'node:stream'
import { run } from '../../packages/server/src/cli/program.ts'

export interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** Columns of the terminal; none where it is not given. */
  readonly columns?: number
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in this process, which takes a tenth of the time of one of its own. */
export async function runHere(argv: readonly string[], { env = {}, stdin = '', columns }: Given = {}): Promise<Ended> {
  const written = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({
    ...(columns !== undefined && { isTTY: true, columns }),
    write(text: string) {
      written[name] += text
      return true
    },
    once: () => undefined,
    on: () => undefined,
  })
  const shell = {
    env,
    homeDir: '/nowhere',
    stdin: Readable.from([stdin]),
    stdout: output('stdout'),
    stderr: output('stderr'),
    exitCode: 0,
  }
  return { code: await run(argv, shell), ...written }
}
