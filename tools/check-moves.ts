/**
 * The moves of PostgreSQL have a version, by which a node knows whether those in a database are older than its own: the
 * number of lines in `moves/versions.txt`. Each line is the digest of the files as they were in that version, so a
 * change that forgets the version is noticed. `node tools/check-moves.ts` says what to add, and then exits with 1.
 */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A sentence when the last version is not that of the files; else null. */
export function outdatedVersion(folder: string): string | null {
  const digest = createHash('sha256')
  for (const name of globSync('*.sql', { cwd: folder }).sort()) digest.update(readFileSync(join(folder, name)))
  const current = digest.digest('hex')
  const path = join(folder, 'versions.txt')
  const last = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)
  if (last === current) return null
  return `${path}: the moves have changed. Add a line (or replace the last one, if no version with it was published): ${current}`
}

if (import.meta.main) {
  const problem = outdatedVersion('packages/server/src/storage/postgres/moves')
  if (problem !== null) {
    console.error(problem)
    process.exitCode = 1
  }
}
