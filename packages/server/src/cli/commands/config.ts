import { describeOptions, documentOptions, listOptions } from '../../config/document.ts'
import { loadConfig } from '../../config/load.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import type { ZaqarCommand } from '../command.ts'
import { addConfigFlags } from '../config-flags.ts'
import { printable, printableJson } from '../output/printable.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { defineMigrate } from './config-migrate.ts'
import { definePrint } from './config-print.ts'

export function defineConfig(command: ZaqarCommand, shell: Shell): void {
  command.description('What the service can be told, by files, variables and flags.')
  defineOptions(command.command('options'), shell)
  defineCheck(command.command('check'), shell)
  definePrint(command.command('print'), shell)
  defineMigrate(command.command('migrate'), shell)
}

function defineOptions(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Prints all options, with defaults and meaning.')
    .option('--markdown', 'As a document in Markdown.')
    .option('--json', 'Print one JSON document.')
    .examples('zaqar config options', 'zaqar config options --markdown > configuration.md')
    .action(({ markdown, json }: { markdown?: true; json?: true }) => {
      if (markdown && json) throw new UsageError('--markdown and --json exclude each other')
      if (json) shell.stdout.write(`${printableJson(listOptions())}\n`)
      else shell.stdout.write(markdown ? documentOptions() : describeOptions())
    })
}

function defineCheck(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Reads the configuration as `zaqar serve` would, and says what is read, what has no effect, and what is not as it was set. ' +
        'Ends with 1, and all problems, when the service would not start.',
    )
    .option('--json', 'Print one JSON document.')
    .examples('zaqar config check', 'zaqar config check --config-file /etc/zaqar/zaqar.conf')
  const flags = addConfigFlags(command)
  command.action(({ json }: { json?: true }) => {
    const { env, homeDir, stdout } = shell
    const { sources, noEffect, warnings } = loadConfig({ flags, env, homeDir, files: diskFiles })
    if (json) {
      stdout.write(`${printableJson({ sources, noEffect, warnings })}\n`)
      return
    }
    const read = sources.length === 0 ? 'nothing is configured: the defaults hold' : `read: ${sources.join(', ')}`
    const lines = [read, ...noEffect.map((line) => `without effect: ${line}`), ...warnings]
    stdout.write(lines.map((line) => `${printable(line)}\n`).join(''))
  })
}
