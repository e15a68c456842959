import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk that is small enough to fill, or why there is none. */
export function mountDisk(size: string): SmallDisk | string {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-disk-'))
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch {
    rmSync(folder, { recursive: true })
    return 'only root may mount a small disk, and not everywhere'
  }
  chmodSync(folder, 0o777)
  return new SmallDisk(folder)
}

export class SmallDisk {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.folder)
    return bavail * bsize
  }

  /** Somebody else takes what is left, to the last page or but for so many bytes. */
  fill(left = 0): void {
    const file = openSync(join(this.folder, 'neighbour'), 'a')
    const block = Buffer.alloc(1 << 20, 1)
    try {
      for (let free = this.free; free > left; free = this.free) {
        writeSync(file, block, 0, Math.min(free - left, block.length))
      }
    } finally {
      closeSync(file)
    }
  }

  /** And gives it back. */
  clear(): void {
    rmSync(join(this.folder, 'neighbour'))
  }

  unmount(): void {
    execFileSync('/bin/umount', ['--lazy', this.folder])
    rmSync(this.folder, { recursive: true })
  }
}
