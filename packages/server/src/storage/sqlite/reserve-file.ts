import { randomFillSync } from 'node:crypto'
import { closeSync, openSync, statfsSync, statSync, truncateSync, unlinkSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const BLOCK = 1 << 20

/** A file that holds nothing but room on the disk. */
export class ReserveFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Bytes that it holds. */
  get size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
  }

  /** Bytes beside it that this user may still fill. */
  get free(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    return bavail * bsize
  }

  /** Makes it at least so large; false, and it is as it was, where there is no room. */
  fill(bytes: number): boolean {
    const before = this.size
    if (before >= bytes) return true
    // By chance, since some file systems keep zeros and repetitions in no room at all.
    const block = randomFillSync(Buffer.allocUnsafe(Math.min(BLOCK, bytes - before)))
    try {
      const file = openSync(this.#path, 'a', 0o600)
      try {
        for (let size = before; size < bytes; ) size += writeSync(file, block, 0, Math.min(block.length, bytes - size))
      } finally {
        closeSync(file)
      }
      return true
    } catch {
      if (before === 0) this.remove()
      else truncateSync(this.#path, before)
      return false
    }
  }

  remove(): void {
    try {
      unlinkSync(this.#path)
    } catch {
      // It is not there.
    }
  }
}
