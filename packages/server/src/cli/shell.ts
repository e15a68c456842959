/** What a command sees of the world around it, so that tests can run one without a process of its own. */
import { homedir } from 'node:os'

export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeDir: string
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  /** What the command ends with, unless it throws. */
  exitCode: number
}

/** A terminal where `isTTY`; then it has so many `columns`. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  /** False: wait for `drain` before more is written. */
  write(text: string): boolean
  once(event: 'drain', listener: () => void): unknown
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}

/** That of this process. */
export function processShell(): Shell {
  const { env, stdin, stdout, stderr } = process
  return { env, homeDir: homedir(), stdin, stdout, stderr, exitCode: 0 }
}
