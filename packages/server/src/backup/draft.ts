/** A file that is not whole yet. It lies beside the one that it becomes, and no other process writes to it. */
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Where this process may write what becomes `path`. What processes that were killed have left there is removed. */
export function draftOf(path: string): string {
  const start = `${basename(path)}.partial-`
  for (const name of readdirSync(dirname(path)).filter((one) => one.startsWith(start))) {
    if (isLeftOver(Number(name.slice(start.length)))) rmSync(join(dirname(path), name))
  }
  return `${path}.partial-${process.pid}`
}

function isLeftOver(pid: number): boolean {
  if (!Number.isInteger(pid)) return false
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
