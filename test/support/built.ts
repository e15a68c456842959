/** The executable and Debian's package of this commit, built once for all tests that ask. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { debianPackage, executable } from '../../tools/release/names.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

export interface Built {
  readonly executable: string
  readonly debianPackage: string
}

/** Files in `dist/`, built anew unless nothing that they are made from is newer. */
export function built(): Built {
  const script = `
    [ -e "$0" ] && [ -z "$(find packages/*/src deploy docs tools package-lock.json -newer "$0" -print -quit)" ] ||
      '${process.execPath}' tools/release.ts deb`
  mkdirSync(join(repository, 'node_modules/.cache'), { recursive: true })
  const build = ['node_modules/.cache/release.lock', 'bash', '-euc', script, debianPackage]
  const { status, stdout, stderr } = spawnSync('flock', build, { cwd: repository, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the release was not built: ${stdout}${stderr}`)
  return { executable, debianPackage }
}
