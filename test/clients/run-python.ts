import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs the unit tests of a Python file of this folder against a service; fails with all that it has printed. */
export async function runPython(file: string, url: string, env: Record<string, string> = {}): Promise<void> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  // Debian's own interpreter: that is where its packages are. Bytecode would be written beside the file.
  const output = await execute('/usr/bin/python3', ['-B', '-W', 'ignore', path], { ZAQAR_URL: url, ...env })
  assert.match(output, /^Ran [1-9]\d* tests? in .*\n\nOK\n$/m, output)
}

/** What a command prints on both outputs; rejects with it when the command fails. */
export function execute(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8', timeout: 180_000 } as const
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr)
      else
        reject(new Error(`${[command, ...args].join(' ')} failed (${error.code ?? error.signal}):\n${stdout}${stderr}`))
    })
  })
}
