import { readFileSync } from 'node:fs'

/** What the kernel says of the place where a file system is seen. */
export interface Mount {
  readonly point: string
  /** `ext4`, `nfs4` and so on. */
  readonly type: string
  readonly options: readonly string[]
}

/** Where locks and syncs may not be what they are on a disk. */
const NETWORK =
  /^(nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|lustre|gfs2?|ocfs2|beegfs|fuse\.(sshfs|glusterfs|ceph|s3fs|rclone))$/
const MEMORY = ['tmpfs', 'ramfs']

/**
 * The file system that a path lies on; null where the system does not tell. Nothing is asked of the file system itself: one
 * of a network might not answer.
 */
export function mountOf(path: string, table: string | null = readTable()): Mount | null {
  const mounts = table?.split('\n').flatMap((line) => readMount(line) ?? []) ?? []
  let found: Mount | null = null
  for (const mount of mounts) {
    const isAbove = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`)
    // Of two at one place the later one is seen.
    if (isAbove && mount.point.length >= (found?.point.length ?? 0)) found = mount
  }
  return found
}

export function isOfNetwork({ type }: Mount): boolean {
  return NETWORK.test(type)
}

export function isOfMemory({ type }: Mount): boolean {
  return MEMORY.includes(type)
}

/** Whether it lets the disk answer before what is written is safe. */
export function skipsFlushes({ options }: Mount): boolean {
  return options.includes('nobarrier') || options.includes('barrier=0')
}

/** Null where there is no such table: it is Linux's. */
function readTable(): string | null {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return null
  }
}

/** `36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda rw,barrier=0`, as proc_pid_mountinfo(5) has it. */
function readMount(line: string): Mount | null {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , , point, options = ''] = before.split(' ')
  const [type, , ofFileSystem = ''] = after.split(' ')
  if (point === undefined || type === undefined) return null
  return { point: unescaped(point), type, options: [...options.split(','), ...ofFileSystem.split(',')] }
}

/** A blank is `\040`. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)))
}
