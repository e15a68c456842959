import { InvalidArgumentError } from 'commander'
import { BackupError } from '../../backup/backup-error.ts'
import { makeBackup } from '../../backup/make-backup.ts'
import type { Flags } from '../../config/flags.ts'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/options.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import { createSystemClock } from '../../platform/system-clock.ts'
import type { ZaqarCommand } from '../command.ts'
import { addConfigFlags } from '../config-flags.ts'
import { Printer } from '../output/printer.ts'
import { Progress } from '../output/progress.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { readVersion } from '../version.ts'

const MIB = 1 << 20

interface BackupFlags {
  readonly overwrite?: boolean
  readonly rate?: number
  readonly json?: boolean
}

export function defineBackup(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Copies the store of SQLite as it is at one instant, while the service runs or not, and reads the copy again. It gets its ' +
        'name when it is whole. Run it as the user of the service, or as root.',
    )
    .argument('<FILE>', 'Where the backup is to be.')
    .option('--overwrite', 'Replace a file that is there.')
    .option('--rate <MIB>', 'The most MiB to copy in a second.', positive)
    .option('--json', 'Print one JSON document.')
    .examples(
      'zaqar backup /backup/zaqar.db --data-dir /var/lib/zaqar',
      'zaqar backup /backup/zaqar.db --config-file /etc/zaqar/zaqar.conf --overwrite --rate 50',
    )
  const flags = addConfigFlags(command)
  command.action(async (target: string, { overwrite = false, rate, json }: BackupFlags) => {
    const { store, dataDir, config } = placesOf(flags, shell)
    const notIncluded = config.encryption.key === null ? [] : ['message_encryption_key']
    const hasPools = config.pooling.enabled
    const progress = new Progress(shell.stderr, 'MiB')
    const ending = new AbortController()
    const end = () => ending.abort(new BackupError('interrupted: there is no backup'))
    process.once('SIGINT', end).once('SIGTERM', end)
    try {
      const { asOf, bytes } = await makeBackup({
        store,
        dataDir,
        target,
        overwrite,
        bytesPerSecond: rate === undefined ? null : rate * MIB,
        version: readVersion(),
        now: () => new Date(createSystemClock().now()).toISOString(),
        progress: (done, all) => progress.at(Math.floor(done / MIB), done / all),
        signal: ending.signal,
      })
      progress.end()
      const printer = new Printer(shell, json)
      await printer.tell(
        { file: target, asOf, bytes, notIncluded, ...(hasPools && { pools: 'not included' }) },
        `${target}: the store as of ${asOf}, ${mebibytes(bytes)}, read again`,
        ...notIncluded.map((option) => `Not in it, and needed to read it: ${option} of the configuration`),
        ...(hasPools ? ['Not in it: what is in pools. Back up the store of each (zaqar pool list shows them)'] : []),
      )
    } finally {
      progress.end()
      process.off('SIGINT', end).off('SIGTERM', end)
    }
  })
}

interface Places {
  /** The file of SQLite. */
  readonly store: string
  readonly dataDir: string
  readonly config: Config
}

/** Where the configuration keeps the store. @throws UsageError when that is no file of SQLite */
export function placesOf(flags: Flags, { env, homeDir }: Shell): Places {
  const { config } = loadConfig({ flags, env, homeDir, files: diskFiles })
  const { uri, dataDir } = config.storage
  if (uri.engine === 'sqlite' && uri.file !== ':memory:') return { store: uri.file, dataDir, config }
  throw new UsageError('the store is no file of SQLite; how PostgreSQL is backed up is in docs/operate-postgres.md')
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

function positive(text: string): number {
  const number = Number(text)
  if (!(number > 0 && Number.isFinite(number))) throw new InvalidArgumentError('A number above 0 is needed.')
  return number
}
