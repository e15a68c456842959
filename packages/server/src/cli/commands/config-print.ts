import { type EffectiveOption, effectiveOptions } from '../../config/effective.ts'
import { loadConfig } from '../../config/load.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import type { ZaqarCommand } from '../command.ts'
import { addConfigFlags } from '../config-flags.ts'
import { Printer } from '../output/printer.ts'
import type { Shell } from '../shell.ts'

export function definePrint(command: ZaqarCommand, shell: Shell): void {
  interface PrintFlags {
    readonly all?: true
    readonly json?: true
  }
  command
    .description(
      'Prints the configuration that `zaqar serve` would have: each value that differs from its default, and where it comes ' +
        'from. Secrets are not shown.',
    )
    .option('--all', 'All options, also those that have their defaults.')
    .option('--json', 'Print one JSON document.')
    .examples('zaqar config print', 'zaqar config print --config-file /etc/zaqar/zaqar.conf --all')
  const flags = addConfigFlags(command)
  command.action(async ({ all, json }: PrintFlags) => {
    const { env, homeDir, stderr } = shell
    const loaded = loadConfig({ flags, env, homeDir, files: diskFiles })
    for (const warning of loaded.warnings) stderr.write(`zaqar: ${warning}\n`)
    const options = effectiveOptions(loaded)
      .filter(({ isDefault }) => all || !isDefault)
      .map(({ isDefault: _, ...shown }) => shown)
    await new Printer(shell, json).list<Omit<EffectiveOption, 'isDefault'>>(options, [
      { title: 'OPTION', value: ({ group, option }) => `[${group}] ${option}` },
      { title: 'VALUE', value: ({ value }) => (value === null ? null : String(value)) },
      { title: 'FROM', value: ({ origin }) => origin },
    ])
  })
}
