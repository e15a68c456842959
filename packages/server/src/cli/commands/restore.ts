import { restoreBackup } from '../../backup/restore-backup.ts'
import { createSystemClock } from '../../platform/system-clock.ts'
import type { ZaqarCommand } from '../command.ts'
import { addConfigFlags } from '../config-flags.ts'
import { Printer } from '../output/printer.ts'
import { Progress } from '../output/progress.ts'
import type { Shell } from '../shell.ts'
import { mebibytes, placesOf } from './backup.ts'

const MIB = 1 << 20

export function defineRestore(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Makes the store of SQLite of a backup, which is read and looked over first. The service must be stopped. Run it as the user ' +
        'of the service, or as root.',
    )
    .argument('<FILE>', 'The backup.')
    .option('--force', 'Move a store that is there aside.')
    .option('--json', 'Print one JSON document.')
    .examples(
      'zaqar restore /backup/zaqar.db --data-dir /var/lib/zaqar',
      'zaqar restore /backup/zaqar.db --config-file /etc/zaqar/zaqar.conf --force',
    )
  const flags = addConfigFlags(command)
  command.action(async (backup: string, { force = false, json }: { force?: boolean; json?: boolean }) => {
    const progress = new Progress(shell.stderr, 'MiB')
    const { store, dataDir } = placesOf(flags, shell)
    const now = new Date(createSystemClock().now()).toISOString()
    try {
      const { label, movedAside } = await restoreBackup({
        backup,
        store,
        dataDir,
        force,
        suffix: `.before-${now.replaceAll(':', '')}`,
        progress: (done) => progress.at(Math.floor(done / MIB), null),
      })
      progress.end()
      const { asOf, bytes } = label
      await new Printer(shell, json).tell(
        { store, asOf, bytes, movedAside },
        `${store}: the store as of ${asOf}, ${mebibytes(bytes)}`,
        ...movedAside.map((path) => `what was there is in ${path}`),
      )
    } finally {
      progress.end()
    }
  })
}
