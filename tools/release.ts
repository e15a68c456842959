/**
 * Puts a release together in `dist/`: `node tools/release.ts` the tarballs for npm, the executable, Debian's package and
 * their sums; `node tools/release.ts executable` or `deb` only that.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildDeb } from './release/deb.ts'
import { buildExecutable } from './release/executable.ts'
import { dist, repository } from './release/names.ts'

const part = process.argv[2]

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('A release is put together on Linux x64, whose Node it contains.')
  process.exit(1)
}
if (part === undefined) rmSync(dist, { recursive: true, force: true })
mkdirSync(dist, { recursive: true })
if (part === undefined) packTarballs()
await buildExecutable()
if (part !== 'executable') await buildDeb()
if (part === undefined) writeSums()
console.log(
  globSync('*', { cwd: dist })
    .sort()
    .map((name) => `dist/${name}`)
    .join('\n'),
)

function packTarballs(): void {
  execFileSync(process.execPath, ['tools/build.ts'], { cwd: repository, stdio: 'inherit' })
  for (const folder of ['server', 'client', 'conformance']) {
    execFileSync('npm', ['pack', `./packages/${folder}/dist`, '--pack-destination', dist, '--silent'], {
      cwd: repository,
    })
  }
}

function writeSums(): void {
  const lines = globSync('*', { cwd: dist })
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(dist, name)))
          .digest('hex')}  ${name}\n`,
    )
  writeFileSync(join(dist, 'SHA256SUMS'), lines.join(''))
}
