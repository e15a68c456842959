/** A Debian in a folder, without Node, for what is installed and runs there. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingPeer } from './peers.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
/** What debootstrap has made, which takes it most of a minute. */
const cached = join(repository, 'node_modules/.cache/debian-bookworm.tar')
/** The programs here do not come with a minimal Debian. */
const INCLUDED = 'libatomic1'

export interface DebianRoot {
  readonly folder: string
  /** What makes a command, put behind it, run inside. It becomes that command, so signals reach it. */
  readonly under: readonly [string, ...string[]]
  /** Runs a command inside. Answers what it printed to both outputs; fails with that when its exit code is not 0. */
  run(...command: readonly string[]): string
  remove(): void
}

/** Why there can be none here, or false. */
export function missingDebianRoot(): string | false {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it is for Linux x64'
  if (process.getuid?.() !== 0) return 'only root may change the root of a process'
  return missingPeer('debootstrap')
}

/** A fresh one, of Debian 12. The first one of a machine is fetched from Debian's mirror. */
export function createDebianRoot(): DebianRoot {
  fetchOnce()
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-debian-'))
  execFileSync('tar', ['--extract', '--file', cached, '--directory', folder])
  // The mount ends with the process, since nobody else is in its namespace.
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
  const under = ['unshare', '--mount', 'sh', '-c', enter, folder] as const
  return {
    folder,
    under,
    run(...command) {
      const [program, ...args] = [
        ...under,
        'env',
        '-i',
        'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'HOME=/root',
        ...command,
      ]
      const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
      if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stdout}${stderr}`)
      return stdout + stderr
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** Two test files that begin at once fetch it once. */
function fetchOnce(): void {
  mkdirSync(join(repository, 'node_modules/.cache'), { recursive: true })
  const script = `
    [ ! -e "$0" ] || exit 0
    folder=$(mktemp --directory)
    trap 'rm --recursive "$folder"' EXIT
    chmod 755 "$folder"
    debootstrap --variant=minbase --include=${INCLUDED} bookworm "$folder"
    tar --create --file "$0.partial" --directory "$folder" .
    mv "$0.partial" "$0"`
  // What debootstrap mounts is gone with the namespace, even when it is killed.
  const fetch = [`${cached}.lock`, 'unshare', '--mount', 'bash', '-euc', script, cached]
  const { status, stdout, stderr } = spawnSync('flock', fetch, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`debootstrap ended with ${status}: ${stdout}${stderr}`)
}
