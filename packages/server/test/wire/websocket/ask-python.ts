import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Debian's own interpreter: that is where its packages are. */
const PYTHON = '/usr/bin/python3'
const SCRIPT = fileURLToPath(new URL('python_answers.py', import.meta.url))

/** Why Python cannot be asked; false: it can. */
export const pythonIsMissing =
  spawnSync(PYTHON, ['-c', 'import msgpack'], { stdio: 'ignore' }).status !== 0 &&
  'python3-msgpack is not installed (Debian package)'

/** MessagePack in hexadecimal of JSON text, and the other way round; or what it says of a text that is no JSON. */
export type Question = { readonly pack: string } | { readonly unpack: string } | { readonly parse: string }

/** An answer for each question; null where Python refuses, or where it has nothing to say of a text. */
export function askPython(questions: readonly Question[]): (string | null)[] {
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join('')
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-B', SCRIPT], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 28,
  })
  assert.equal(status, 0, stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as string | null)
}
