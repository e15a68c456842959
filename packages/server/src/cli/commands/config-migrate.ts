import { writeFileSync } from 'node:fs'
import { ConfigError } from '../../config/load.ts'
import { type Migrated, migrate } from '../../config/migrate.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import type { ZaqarCommand } from '../command.ts'
import { printableJson } from '../output/printable.ts'
import { Printer } from '../output/printer.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'

interface MigrateFlags {
  readonly output?: string
  readonly storage?: string
  readonly dataDir: string
  readonly json?: true
}

const COLUMNS: readonly Column<Migrated>[] = [
  { title: 'OUTCOME', value: ({ outcome }) => outcome },
  { title: 'OPTION', value: ({ group, option }) => `[${group}] ${option}` },
  { title: 'FROM', value: ({ origin }) => origin },
  { title: 'NOTE', value: ({ outcome, becomes, note }) => (outcome === 'renamed' ? `now ${becomes}` : note) },
]

export function defineMigrate(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Makes a configuration of this service out of files of OpenStack Zaqar, and says of each of their options what becomes of ' +
        'it. Ends with 1 when the result needs a hand. It holds the passwords of the files.',
    )
    .argument('<UPSTREAM_FILE...>', 'Such as /etc/zaqar/zaqar.conf; later ones win.')
    .option('--output <FILE>', 'Write the result there, for you alone; the file must not be there yet.')
    .option('--storage <URI>', 'Where messages are to be kept. Default: a PostgreSQL of the files, or the data folder')
    .option('--data-dir <DIR>', 'The data folder of the service.', '/var/lib/zaqar')
    .option('--json', 'Print what becomes of the options, as one JSON document, in place of the result.')
    .examples(
      'zaqar config migrate /etc/zaqar/zaqar.conf > zaqar.conf',
      'zaqar config migrate /etc/zaqar/zaqar.conf --output zaqar.conf --storage postgres://db.example/zaqar',
      'zaqar config migrate /etc/zaqar/zaqar.conf --json',
    )
  command.action(async (paths: readonly string[], flags: MigrateFlags) => {
    const { output = null, storage: storageUri = null, dataDir, json } = flags
    const { content, options, problems } = migrate({
      paths,
      files: diskFiles,
      dataDir,
      storageUri,
      resultName: output ?? 'the result',
    })
    if (output !== null) writeFileSync(output, content, { mode: 0o600, flag: 'wx' })
    if (json) shell.stdout.write(`${printableJson({ output, options, problems })}\n`)
    else {
      // Where the result itself is printed, the report must not be in it.
      const stdout = output === null ? shell.stderr : shell.stdout
      if (output === null) shell.stdout.write(content)
      await new Printer({ ...shell, stdout }).list(options, COLUMNS)
    }
    if (problems.length > 0) throw new ConfigError(problems)
  })
}
