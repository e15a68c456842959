import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'

/** A shell at which somebody types the commands of a page. */
export interface Shell {
  /** Answers what the command has printed. Fails when it fails, and so does every other one then. */
  run(command: string): Promise<string>
  /** With all that was started in it. */
  close(): Promise<void>
}

/** Behind the output of a command. */
const MARK = '\u001e'

/** @param folder where it runs */
export function openShell(folder: string, env: Readonly<Record<string, string>>): Shell {
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`
  const child = spawn('bash', ['-eu'], { cwd: folder, env: { ...process.env, ...env, PATH: path }, detached: true })
  let printed = ''
  let errors = ''
  const ended = once(child, 'exit')
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return {
    async run(command) {
      child.stdin.write(`${command}\nprintf '${MARK}'\n`)
      while (!printed.includes(MARK)) {
        const isOver = await Promise.race([once(child.stdout, 'data').then(() => false), ended.then(() => true)])
        if (isOver && !printed.includes(MARK)) throw new Error(`${command}\n${printed}\n${errors}`)
      }
      const [output = '', ...rest] = printed.split(MARK)
      printed = rest.join(MARK)
      return output.trim()
    },
    async close() {
      try {
        process.kill(-(child.pid as number), 'SIGTERM')
      } catch {
        // All of it has ended.
      }
      await ended
    },
  }
}
