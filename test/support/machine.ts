/** A machine to install things on: this one once more, under an overlay, with a systemd of its own and no network. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../packages/server/test/support/until.ts'
import { built } from './built.ts'
import { missingPeer } from './peers.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Nobody outside sees these mounts. What this machine has of Zaqar is not on that one, and services may start there. It stops at
 * `basic.target`: nothing of this machine is started but what systemd itself needs. The repository is in /opt/repository there.
 */
const BOOT = `
  mount -t tmpfs machine "$0"
  mkdir "$0/upper" "$0/work" "$0/root"
  mount -t overlay machine -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
  chroot "$0/root" sh -c "
    dpkg-query --show --showformat '\\\${Package}\\n' 'zaqar*' 2>/dev/null | xargs --no-run-if-empty dpkg --purge --force-all
    rm -rf /etc/zaqar /var/lib/zaqar /etc/systemd/system/zaqar.service* /usr/sbin/policy-rc.d" >&2
  exec systemd-nspawn --quiet --register=no --keep-unit --private-network --directory "$0/root" --bind-ro "$1:/opt/repository" \
    --boot systemd.unit=basic.target`

export interface Ran {
  readonly status: number | null
  /** What it printed to both outputs. */
  readonly output: string
}

interface Machine {
  /** Runs a command there in a bare environment. */
  try(...command: readonly string[]): Ran
  /** Runs one that must end with 0. Answers what it printed. */
  run(...command: readonly string[]): string
  stop(): Promise<void>
}

/** The package of this repository, on the machine. */
export const PACKAGE = '/opt/repository/dist/zaqar_0.1.0_amd64.deb'

/** What tests do with a machine that the package is to be installed on. */
export interface TestMachine extends Omit<Machine, 'stop'> {
  /** Fails where no service answers at that port. */
  answers(port: number): void
}

/** Tests of something that installs the package. They have one machine: each goes on with what the one before has left. */
export function describeOnMachine(
  title: string,
  installer: 'ansible' | 'puppet',
  define: (machine: TestMachine) => void,
): void {
  const skip = missingMachine() || missingPeer(installer) || missingPeer('binutils')
  describe(`${title}, on a machine with systemd`, { skip, timeout: 300_000 }, () => {
    let machine: Machine
    before(async () => {
      built()
      machine = await startMachine()
    })
    after(() => machine?.stop())
    define({
      try: (...command) => machine.try(...command),
      run: (...command) => machine.run(...command),
      answers: (port) => void machine.run('zaqar', 'ping', '--url', `http://127.0.0.1:${port}`),
    })
  })
}

/** Why there can be none here, or false. */
function missingMachine(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux may start a machine'
  return missingPeer('systemd-nspawn')
}

/** Resolves when it is up. */
async function startMachine(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-machine-'))
  // All processes of the machine end with the first one, and that with this process.
  const boot = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', '-euc', BOOT, folder, repository]
  const child = spawn('unshare', boot, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const stop = async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
    rmdirSync(folder)
  }
  try {
    let inside: readonly string[] = []
    await until(() => {
      assert.equal(child.exitCode, null, said)
      const init = initOf(child)
      if (init === null) return false
      inside = ['--target', init, '--mount', '--uts', '--ipc', '--net', '--pid', '--root', '--wdns=/', ...BARE]
      return spawnSync('nsenter', [...inside, 'systemctl', 'is-active', 'basic.target']).status === 0
    }, `the machine did not start: ${said}`)
    const attempt = (...command: readonly string[]): Ran => {
      const { status, stdout, stderr } = spawnSync('nsenter', [...inside, ...command], { encoding: 'utf8' })
      return { status, output: stdout + stderr }
    }
    return {
      try: attempt,
      run(...command) {
        const { status, output } = attempt(...command)
        assert.equal(status, 0, `${command.join(' ')}: ${output}`)
        return output
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const BARE = ['env', '-i', 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8']

/** The process that is the first one of the machine: a child of systemd-nspawn, which is one of `unshare`. */
function initOf({ pid }: ChildProcess): string | null {
  const childOf = (parent: string) => readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ')[0]
  const nspawn = childOf(String(pid))
  const init = nspawn && childOf(nspawn)
  return init && readFileSync(`/proc/${init}/comm`, 'utf8') === 'systemd\n' ? init : null
}
